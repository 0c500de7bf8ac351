import type { AddressKind } from "../core/intent/addresses.ts";
import type { Effect } from "../core/words.ts";

/** Words of one language by what they say of a tool; lists of words are one string each, parted by blanks. Data, and nothing else. */
export interface LanguagePack {
  /** Verbs in their base form, by what a tool does that is said to do so. */
  readonly verbs: Readonly<Partial<Record<Effect, string>>>;
  /** Verbs of reading that can as well mean something else: without a stronger word beside them nothing is concluded. */
  readonly weak: string;
  /** Verbs that are nouns as well: after `and` they count only where an object follows. */
  readonly nounLike: string;
  /** Verbs that say nothing of what is done; what they are done to says it. */
  readonly light: string;
  /** What is done by a light verb, by the noun. */
  readonly lightObjects: Readonly<Partial<Record<Effect, string>>>;
  /** Verbs of several words, by the verb that they stand for: `get rid of` by `delete`. */
  readonly phrases: Readonly<Record<string, readonly string[]>>;
  /** What may stand behind the object of a verb that it belongs to: `give the book back`. */
  readonly particles: string;
  /** Forms that do not end in `ed`, each behind its verb: `send sent`. */
  readonly irregular: readonly string[];
  /** Verbs of getting and giving: they read where the object is information, and else do what nobody knows. */
  readonly fetching: string;
  /** What is read where it is fetched. */
  readonly information: string;
  /** Words before what is asked: `brings up what was written`. */
  readonly questions: string;
  /** Pronouns for all of what is asked: `everything about a hotel`. */
  readonly wholes: string;
  /** What stands behind things, and behind no verb: `orders of a customer`. */
  readonly relatives: string;
  /** What becomes of what was read: `marked as read`. */
  readonly marking: string;
  readonly seeing: string;
  /** Verbs of making: what they are done to is not there yet, whatever its name. */
  readonly making: string;
  /** Verbs of putting what is there already into something. */
  readonly placing: string;
  /** Verbs of giving something another value. */
  readonly setting: string;
  /** Of a text with the same name: it is there already. */
  readonly replacing: string;
  /** What people are let into. */
  readonly containers: string;
  readonly inwards: string;
  /** Verbs that read where nothing but an address follows: `opens a page`. */
  readonly opening: string;
  /** Verbs of taking money, and from whom or how much is taken: `the card is charged`. */
  readonly charging: string;
  readonly charged: string;
  /** What is taken out of a basket or off a list can be put back. */
  readonly outwards: string;
  readonly baskets: string;
  /** Verbs that say of what comes back what it has in it: `includes the name`. They say nothing of what is done in a later sentence. */
  readonly describing: string;
  /** Verbs before the verb that counts: `allows you to send`. */
  readonly transparent: string;
  /** What may stand before the first verb of a sentence about the tool. */
  readonly leadIns: string;
  readonly adverbs: string;
  readonly conjunctions: string;
  readonly determiners: string;
  /** Where the object of a verb ends. */
  readonly prepositions: string;
  /** Prepositions after which still stands what an action is done to: `the date of a trip`, `a guest to an event`. */
  readonly objectGoesOn: string;
  /** What may stand with any noun and tells nothing of it: adjectives, pronouns, particles. */
  readonly fillers: string;
  /** Nouns that say nothing of what an action is done to, where another noun does. */
  readonly genericNouns: string;
  /** Nouns that say something only of what is done to people: `block a user`, and not `the name of a user`. */
  readonly people: string;
  /** Nouns that end as adverbs do. */
  readonly nounsInLy: string;
  readonly negations: string;
  readonly conditions: string;
  readonly modals: string;
  /** At the head of a name: a question, whatever verb comes after. */
  readonly predicates: string;
  /** What the tool calls itself: `call this tool after …` is told to the agent. */
  readonly self: string;
  readonly usage: string;
  /** Objects by which a verb becomes something worse. */
  readonly objects: {
    readonly pay: string;
    /** What is paid where money stands before it: `a money transfer`. */
    readonly paid: string;
    readonly payVerbs: string;
    readonly order: string;
    readonly orderVerbs: string;
    readonly secret: readonly string[];
    readonly web: readonly string[];
    readonly access: readonly string[];
    readonly accessVerbs: string;
    /** What is given back, where a verb of reading has them as its object. */
    readonly goods: string;
    readonly goodsVerbs: string;
    /** Verbs of getting: goods that one gets are bought. */
    readonly buyingVerbs: string;
    /** Given back, it is paid back. */
    readonly money: string;
    /** Verbs of telling: what is told to people is sent. */
    readonly tellingVerbs: string;
    readonly told: string;
    /** What people get to see once it is made. */
    readonly message: string;
    readonly messageVerbs: string;
    readonly member: string;
    readonly memberVerbs: string;
  };
  readonly reversibility: { readonly irreversible: readonly string[]; readonly reversible: readonly string[] };
  /** Words of a description that speaks to whoever reads it for a policy. */
  readonly instructions: readonly string[];
  readonly roles: RoleWords;
  readonly output: {
    /** Whoever wrote it could have written anything into it. */
    readonly openWorld: readonly string[];
    /** What the system itself keeps and vouches for. */
    readonly ownRecords: readonly string[];
    /** What is the system's own where the text speaks of travelling, and somebody's text elsewhere. */
    readonly fares: readonly string[];
    readonly travels: readonly string[];
    /** What only says that something was done. */
    readonly categories: Readonly<Record<string, readonly string[]>>;
  };
  /** How people say what they want. */
  readonly statement: StatementWords;
  /** Who fills a field, by the words of its name. */
  readonly fields: Readonly<Record<"system" | "outsider" | "author" | "prose" | "amount", string>>;
  /** Verbs after which a description says what comes back. */
  readonly answers: string;
  /** Lines that begin a part of a description: its arguments, and what else is no sentence about what the tool does. */
  readonly sections: { readonly arguments: string; readonly returns: string; readonly others: string };
}

/** Words and phrases by which an argument is recognised. */
export interface RoleWords {
  readonly secret: readonly string[];
  readonly notSecret: readonly string[];
  readonly currency: readonly string[];
  readonly amount: readonly string[];
  readonly notAmount: readonly string[];
  /** What a value is, where a unit of money stands beside it. */
  readonly worth: readonly string[];
  readonly moneyUnits: readonly string[];
  /** What begins the description of an argument that says where something goes: `where to deliver`, and `where the refund goes`. */
  readonly goesTo: readonly string[];
  readonly going: readonly string[];
  /** Words for what tells one thing from all others of its kind, and those that may as well be given to what is made. */
  readonly keys: readonly string[];
  readonly titles: readonly string[];
  /** Words for what tells one person from all others. */
  readonly personKeys: readonly string[];
  /** Where a message is posted that is meant for all who are there. */
  readonly postedTo: readonly string[];
  /** How people are reached, and what is made or changed when something is to reach them. */
  readonly reached: readonly string[];
  readonly reachedBy: readonly string[];
  /** Parts of a postal address, and what goes there. */
  readonly postal: readonly string[];
  readonly posted: readonly string[];
  /** Of an amount: what is looked for is more or less. */
  readonly bounds: readonly string[];
  /** Where data goes, in whatever tool that is not only reading. */
  readonly destination: readonly string[];
  /** Addresses of people, wherever they are not only read. */
  readonly mailAddress: readonly string[];
  /** How much, in a tool that pays. */
  readonly amountOfPaying: readonly string[];
  /** Where data goes, in a tool that sends, shares or pays. */
  readonly destinationOfSending: readonly string[];
  readonly notDestination: readonly string[];
  readonly location: readonly string[];
  readonly target: readonly string[];
  readonly freeText: readonly string[];
  /** Of somebody, it is where something goes: `the location of the receiver`. */
  readonly whereabouts: readonly string[];
  readonly ids: readonly string[];
  /** What a message or a file consists of: it is handed over, and not looked for. */
  readonly content: readonly string[];
  readonly none: readonly string[];
  /** What only holds something: `a list of …`. */
  readonly containers: readonly string[];
  /** Where what was fetched is put: one of each in a name, such as `output_path`. */
  readonly copy: readonly string[];
  readonly place: readonly string[];
  /** From where to where something is moved. */
  readonly ends: readonly string[];
  /** What says which thing is meant, where a thing is deleted. */
  readonly names: readonly string[];
  /** A word that says which of several things a call does. */
  readonly operation: readonly string[];
}

/** Words and phrases by which a statement is read. */
export interface StatementWords {
  readonly spoken: SpokenWords;
  /** Nouns that are meant with a verb, or with another noun, though nobody says them: who buys something has an order. */
  readonly implied: Readonly<Record<string, string>>;
  /** Beside determiners, prepositions and their like: what says nothing of what something is. */
  readonly silent: string;
  /** Before a verb: somebody does it, and is not asked to. */
  readonly subjects: string;
  /** Before a verb: it is asked for, even where it could be a noun. */
  readonly licences: string;
  readonly possessives: string;
  /** They stand for what was named before. */
  readonly pronouns: string;
  readonly universal: string;
  /** Behind them stands what something is of, about or with, and not what is done something to. */
  readonly asides: string;
  /** Behind a word that means all of them: it means none of them, as in `all day`. */
  readonly notUniversal: string;
  /** People without their names. */
  readonly people: string;
  /** Others to whom one speaks. */
  readonly roles: string;
  /** Verbs of wishing: what is wished for says what is to be done. */
  readonly wishes: string;
  /** With them what is named is asked for, without a verb. */
  readonly polite: string;
  readonly most: string;
  readonly least: string;
  /** Verbs that ask for an answer where they are followed by whoever asks: `give me`. */
  readonly telling: string;
  readonly told: string;
  /** Verbs that say something to somebody, where they are followed by somebody else than whoever asks: `tell Ada`. */
  readonly speaking: string;
  /** Verbs that send where somebody and something stand behind them: `drop Ada the answer`. */
  readonly handing: string;
  /** What refuses what stands behind it. */
  readonly refusing: string;
  /** What does so wherever it stands: `without`. */
  readonly excluding: string;
  /** Behind what is refused: what is wanted after all. */
  readonly wanted: string;
  /** Behind a refusing word: what comes then is asked for, as in `do not forget to`. */
  readonly unrefused: string;
  /** Whoever is asked: `you`. */
  readonly asked: string;
  /** Whoever asks. */
  readonly asking: string;
  /** Before whoever asks and a verb: `help me pay`. */
  readonly helping: string;
  /** Before what is to be done to something: `have it sent`. */
  readonly having: string;
  /** Before a verb that ends in `ing`: `would you mind sending`. */
  readonly minding: string;
  readonly numbers: string;
  /** Verbs that tell somebody what to do: `remind me to pay`. */
  readonly relaying: string;
  /** Verbs of getting: several things that one gets are bought. */
  readonly getting: string;
  /** Verbs that remove where `out of` or `off the` stands behind them. */
  readonly removing: string;
  /** Somewhere before `to` and a verb: it is asked what, how or when. */
  readonly interrogatives: string;
  /** Before a verb and behind `you`: it is asked for, as in `could you`. */
  readonly modals: string;
  /** Before a verb, and behind who asks: it has to be done. */
  readonly obliging: string;
  /** Before `to` and a verb: it is said, and not asked for. */
  readonly noPlans: string;
  /** Before `to` and a verb: how it is done, and not that it be done. */
  readonly ways: string;
  /** Verbs with a participle that no rule makes of them. */
  readonly participles: readonly string[];
  /** Words that a question begins with. */
  readonly questions: string;
  readonly followVerbs: string;
  readonly followNouns: string;
  /** Words for each kind of address. */
  readonly addressKinds: Readonly<Record<AddressKind, string>>;
  /** From January. */
  readonly months: string;
  /** Words of one meaning, a group each, the first standing for all. */
  readonly meanings: readonly string[];
}

/** Where people mean something else by a word than what is said of a tool. */
export interface SpokenWords {
  readonly verbs: Readonly<Partial<Record<Effect, string>>>;
  /** They are no verbs when people ask. */
  readonly none: string;
  readonly fetching: string;
  readonly phrases: Readonly<Record<string, readonly string[]>>;
  readonly noPhrases: readonly string[];
  readonly nounLike: string;
  readonly particles: string;
  /** What money is called besides. */
  readonly money: string;
}
