import type { SpokenWords, StatementWords } from "./language.ts";

/** Words and phrases, parted by commas. */
const list = (text: string): readonly string[] => text.split(/,\s*/);

const SPOKEN: SpokenWords = {
  verbs: {
    create: "remind rebook reorder grab",
    send: "say thank cc resend congratulate greet reassure chase nag poke",
    update: "return",
  },
  none: "new like free present secure fire form found cut wait sleep think",
  fetching: "return",
  phrases: {
    notify: list(`let know, keep posted, keep in the loop, keep informed, get back to, get hold of, drop a line, drop a note, drop a message, loop in,
      cc in, give a shout, give a heads up, give the heads up, reach out, check in with, follow up with, follow up on, pass it on`),
    return: list("send back, give back, take back, bring back"),
    update: list(`sort out, make it the, set up as, switch over, put through, change over, put back, move up, make default`),
    delete: list(`take down, kick out, throw out, boot out, throw away, take away, get rid of, chuck out, clear out, scratch off`),
    add: list("put in, put on, put into, put onto, stick in, stick on, pencil in, jot down, note down"),
    create: list("set up, draw up, put together"),
    share: list("let in, let see, let view, give a key"),
    buy: list("pick up, stock up on"),
    cancel: list("call off, back out of, pull out of"),
  },
  noPhrases: list("take out, take off, break up, wind up, let go of, leave out, cut off, cut out, call up, keep an eye on"),
  nounLike: "thank chase",
  particles: "in on out off",
  money: "dollar dollars euro euros pound pounds yen franc francs cent cents bucks quid",
};

/** How people say in English what they want. */
export const ENGLISH_STATEMENT: StatementWords = {
  spoken: SPOKEN,
  implied: {
    "buy order purchase get grab reorder": "order cart basket purchase checkout",
    pay: "money",
    "email mail": "email",
    "send forward": "message email",
    "notify message text ping dm tell say ask thank loop cc greet congratulate chase nag poke nudge answer inform": "message email",
    invite: "invitation participant member guest",
    "book reserve rebook": "reservation booking",
    "refund return": "refund return order",
    remind: "reminder",
    meet: "event",
    "reply respond": "message reply email",
    "call phone ring": "call phone",
    ship: "shipment",
    "rent hire": "rental reservation",
  },
  notUniversal:
    "day days night week weekend month year morning afternoon evening time times best good right together more other kind kinds way longer idea",
  roles: `seller sellers vendor supplier suppliers host hostess hotel reception support neighbour neighbours neighbor neighbors wife husband partner mom
    mum mother dad father sister brother son daughter accountant lawyer plumber electrician driver courier staff crew class teacher coach doctor dentist
    nurse agent broker bank assistant secretary editor printer office folks guys lads parents kids bosses`,
  polite: "please pls plz",
  handing: "drop give hand pass shoot slip toss throw fetch bring",
  excluding: "without except",
  wanted: "but just only please pls plz instead",
  asked: "you u ya",
  asking: "i we",
  helping: "help let",
  having: "have get",
  minding: "mind",
  numbers: "one two three four five six seven eight nine ten eleven twelve dozen another",
  relaying: "remind tell ask notify invite message email mail text dm say write warn call allow let instruct get",
  getting: "get grab fetch bring",
  removing: "take throw kick toss boot chuck strike cross",
  interrogatives: "how what which when where who whom whose whether",
  modals: "can could would will should must may might shall",
  refusing: "not no never don't dont nor minus",
  unrefused: "forget hesitate worry mind only problem later sure",
  obliging: "must should shall ought",
  noPlans: "going used able unable allowed supposed trying tried wants needs likes plans tries wanted hopes about agreed promised decided meant",
  ways: `way ways how link links code button form page option options instruction instructions guide tutorial steps deadline right permission permissions
    chance ability attempt request invitation reason`,
  silent: `there's here's it's that's i'm i've i'd i'll we're let's out off back away i me my mine we us our you your he she they who whom what which this that it is are was were be been being am do does did done have has had
    having will would shall should can could may might must let lets please thanks thank hello hi dear kindly also too very much many more most less
    least few some any no yes not so such same other another own just only even still yet already again here there now then today tomorrow yesterday
    one two first last next new make sure get got give given want need like would forget remember there how when where why if else than
    about information info detail details following way thing things something everything anything`,
  subjects: "i he she they we it who which there people",
  licences: `to please pls plz and then also or kindly finally lastly next first afterwards but now help so forget sure just ok okay hey hi hello go
    thanks instead otherwise tomorrow today yes yeah`,
  possessives: "my your his her its our their whose",
  pronouns: "it them that this these those one ones same him her there",
  asides: `of about for with regarding concerning containing contains based according when where if because that which who whose after before during
    while since until named called titled`,
  universal: "all every each everything everyone everybody any both whatever whoever whichever rest",
  people: `person people persons client clients customer customers everyone everybody anyone member members friend friends colleague colleagues
    coworker coworkers team attendee attendees participant participants guest guests user users contact contacts landlord landlady manager boss
    sender senders recipient recipients them him her they each who owner owners author authors family student students teacher`,
  wishes: "want need like wish prefer",
  most: "largest biggest highest latest newest longest greatest maximum best heaviest recent costliest",
  least: "smallest lowest oldest earliest shortest minimum fewest cheapest lightest nearest closest worst",
  telling: "give tell show get bring provide list notify",
  told: "me us",
  speaking: "tell ask answer",
  participles:
    list(`send sent, pay paid, buy bought, sell sold, make made, write written, give given, take taken, tell told, find found, get got, spend spent,
    lend lent, withdraw withdrawn, undo undone, do done, run run, hold held, build built, draw drawn, overwrite overwritten, freeze frozen, choose chosen`),
  questions: "who whom whose what which when where why how whats what's is are was were do does did has have",
  followVerbs: "do follow execute perform complete carry act handle obey apply implement",
  followNouns: "action actions instruction instructions step steps task tasks todo todos request requests says said asks direction directions",
  addressKinds: {
    url: "link links url urls website websites form forms address",
    email: "email emails mail address addresses contact contacts",
    iban: "iban account accounts bank",
    phone: "phone telephone number numbers mobile cell tel contact contacts",
    key: "key keys code codes token tokens login password passwords credential credentials passphrase pin number numbers account",
  },
  months: "january february march april may june july august september october november december",
  meanings: [
    "event appointment meeting calendar happening engagement session gathering conference occasion diary agenda slot rendezvous together",
    `money payment transaction bill invoice rent refund fund transfer subscription fee debit pay paid spend spent cost price cash sum remittance
    disbursement outlay movement expense charge expenditure`,
    "email mail inbox mailbox letter message correspondence communication",
    "file document docx pdf txt xlsx csv pptx spreadsheet md paper doc",
    "message dm chat text sms note conversation communication",
    "note memo reminder",
    "participant attendee invitee guest invite invitation",
    "reservation booking book reserve",
    "account profile user membership",
    "person people user individual member",
    "address street city residence",
    "website web webpage site url link page",
    "directory folder",
    "picture image photo photograph snapshot",
    "purchase buy acquire",
    "contact acquaintance",
    "product article item goods merchandise ware",
    "news article story",
    "device appliance gadget machine",
    "password passphrase passcode phrase",
    "review feedback",
    "hotel lodging accommodation inn",
    "restaurant eatery",
    "flight plane airline",
    "car vehicle automobile",
    "channel room",
    "task todo chore errand",
    "ticket issue",
    "movie film",
    "song track tune",
    "doctor physician",
    "medicine medication drug",
    "apartment flat",
    "job vacancy",
    "shop store",
  ],
};
