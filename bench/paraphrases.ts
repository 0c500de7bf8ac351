/** Ordinary English words and others for them, each form beside its own: `word words / other others`. Chosen from general language alone. */
const VERBS_1 = `
get gets getting got / obtain obtains obtaining obtained
return returns returning returned / give back, gives back, giving back, given back
retrieve retrieves retrieving retrieved / look up, looks up, looking up, looked up
fetch fetches fetching fetched / bring in, brings in, bringing in, brought in
lists listing listed / enumerates enumerating enumerated
search searches searching searched / look through, looks through, looking through, looked through
find finds finding found / locate locates locating located
send sends sending sent / dispatch dispatches dispatching dispatched
delete deletes deleting deleted / get rid of, gets rid of, getting rid of, got rid of
remove removes removing removed / take away, takes away, taking away, taken away
create creates creating created / set up, sets up, setting up, set up
add adds adding added / put in, puts in, putting in, put in
update updates updating updated / change changes changing changed
modify modifies modifying modified / alter alters altering altered
edit edits editing edited / revise revises revising revised
share shares sharing shared / make available, makes available, making available, made available
reschedule reschedules rescheduling rescheduled / move to another time, moves to another time, moving to another time, moved to another time
schedule schedules scheduling scheduled / arrange arranges arranging arranged
cancel cancels cancelling cancelled / call off, calls off, calling off, called off
invite invites inviting invited / ask along, asks along, asking along, asked along
append appends appending appended / attach attaches attaching attached
read reads reading read / view views viewing viewed
write writes writing written / put down, puts down, putting down, put down
show shows showing shown / display displays displaying displayed
pay pays paying paid / settle settles settling settled
transfer transfers transferring transferred / move over, moves over, moving over, moved over
buy buys buying bought / purchase purchases purchasing purchased
book booked / reserve reserved
download downloads downloading downloaded / save locally, saves locally, saving locally, saved locally
check checks checking checked / verify verifies verifying verified
manage manages managing managed / administer administers administering administered
allow allows allowing allowed / permit permits permitting permitted
grant grants granting granted / give gives giving given
contain contains containing contained / hold holds holding held
provide provides providing provided / supply supplies supplying supplied
specify specifies specifying specified / state states stating stated
include includes including included / cover covers covering covered
`;

const NOUNS_1 = `
file files / document documents
email emails / mail mails
message messages / note notes
event events / happening happenings
meeting meetings / get-together get-togethers
appointment appointments / engagement engagements
contact contacts / acquaintance acquaintances
recipient recipients / addressee addressees
participant participants / attendee attendees
sender senders / originator originators
user users / person persons
transaction transactions / money movement, money movements
payment payments / remittance remittances
amount amounts / sum sums
password passwords / secret phrase, secret phrases
folder folders / directory directories
content contents / text texts
subject subjects / heading headings
device devices / appliance appliances
product products / article articles
booking bookings / reservation reservations
photo photos / picture pictures
information / details
details / particulars
date dates / day days
`;

/** The second: other words of the same register. */
const VERBS_2 = `
get gets getting got / acquire acquires acquiring acquired
return returns returning returned / yield yields yielding yielded
retrieve retrieves retrieving retrieved / pull pulls pulling pulled
fetch fetches fetching fetched / obtain obtains obtaining obtained
lists listing listed / itemizes itemizing itemized
search searches searching searched / query queries querying queried
find finds finding found / discover discovers discovering discovered
send sends sending sent / transmit transmits transmitting transmitted
delete deletes deleting deleted / erase erases erasing erased
remove removes removing removed / eliminate eliminates eliminating eliminated
create creates creating created / produce produces producing produced
add adds adding added / include includes including included
update updates updating updated / revise revises revising revised
modify modifies modifying modified / amend amends amending amended
change changes changing changed / alter alters altering altered
edit edits editing edited / rework reworks reworking reworked
share shares sharing shared / distribute distributes distributing distributed
reschedule reschedules rescheduling rescheduled / shift shifts shifting shifted
schedule schedules scheduling scheduled / plan plans planning planned
cancel cancels cancelling cancelled / annul annuls annulling annulled
invite invites inviting invited / summon summons summoning summoned
append appends appending appended / attach attaches attaching attached
read reads reading read / peruse peruses perusing perused
write writes writing written / compose composes composing composed
show shows showing shown / present presents presenting presented
pay pays paying paid / remit remits remitting remitted
transfer transfers transferring transferred / convey conveys conveying conveyed
buy buys buying bought / acquire acquires acquiring acquired
book booked / secure secured
post posts posting posted / publish publishes publishing published
download downloads downloading downloaded / save saves saving saved
check checks checking checked / ascertain ascertains ascertaining ascertained
manage manages managing managed / govern governs governing governed
allow allows allowing allowed / enable enables enabling enabled
grant grants granting granted / confer confers conferring conferred
execute executes executing executed / carry out, carries out, carrying out, carried out
contain contains containing contained / comprise comprises comprising comprised
provide provides providing provided / furnish furnishes furnishing furnished
`;

const NOUNS_2 = `
file files / document documents
document documents / paper papers
email emails / electronic message, electronic messages
message messages / communication communications
event events / calendar entry, calendar entries
meeting meetings / conference conferences
appointment appointments / session sessions
participant participants / invitee invitees
recipient recipients / receiver receivers
sender senders / author authors
user users / individual individuals
contact contacts / address book entry, address book entries
transaction transactions / money transfer, money transfers
payment payments / disbursement disbursements
amount amounts / quantity quantities
account accounts / ledger ledgers
password passwords / passphrase passphrases
folder folders / directory directories
content contents / body bodies
subject subjects / topic topics
query queries / search phrase, search phrases
device devices / machine machines
product products / merchandise merchandise
booking bookings / reservation reservations
balance balances / available funds, available funds
address addresses / location locations
calendar calendars / agenda agendas
details / specifics
`;

/** The third: as people say it to each other, with many a verb of two words. */
const VERBS_3 = `
get gets getting got / pull up, pulls up, pulling up, pulled up
return returns returning returned / hand back, hands back, handing back, handed back
retrieve retrieves retrieving retrieved / dig out, digs out, digging out, dug out
fetch fetches fetching fetched / grab grabs grabbing grabbed
lists listing listed / runs through, running through, run through
search searches searching searched / comb through, combs through, combing through, combed through
find finds finding found / track down, tracks down, tracking down, tracked down
send sends sending sent / fire off, fires off, firing off, fired off
delete deletes deleting deleted / wipe out, wipes out, wiping out, wiped out
remove removes removing removed / strip out, strips out, stripping out, stripped out
create creates creating created / put together, puts together, putting together, put together
add adds adding added / slot in, slots in, slotting in, slotted in
update updates updating updated / bring up to date, brings up to date, bringing up to date, brought up to date
modify modifies modifying modified / make changes to, makes changes to, making changes to, made changes to
change changes changing changed / switch switches switching switched
edit edits editing edited / touch up, touches up, touching up, touched up
share shares sharing shared / open up, opens up, opening up, opened up
reschedule reschedules rescheduling rescheduled / push back, pushes back, pushing back, pushed back
schedule schedules scheduling scheduled / line up, lines up, lining up, lined up
cancel cancels cancelling cancelled / scrap scraps scrapping scrapped
invite invites inviting invited / bring along, brings along, bringing along, brought along
append appends appending appended / tack on, tacks on, tacking on, tacked on
read reads reading read / go through, goes through, going through, gone through
write writes writing written / jot down, jots down, jotting down, jotted down
show shows showing shown / bring up, brings up, bringing up, brought up
pay pays paying paid / pay out, pays out, paying out, paid out
transfer transfers transferring transferred / send over, sends over, sending over, sent over
buy buys buying bought / pick up, picks up, picking up, picked up
book booked / line up, lined up
post posts posting posted / put up, puts up, putting up, put up
download downloads downloading downloaded / pull down, pulls down, pulling down, pulled down
check checks checking checked / look into, looks into, looking into, looked into
manage manages managing managed / take care of, takes care of, taking care of, taken care of
allow allows allowing allowed / let lets letting let
grant grants granting granted / hand hands handing handed
execute executes executing executed / kick off, kicks off, kicking off, kicked off
contain contains containing contained / have has having had
provide provides providing provided / hand over, hands over, handing over, handed over
`;

const NOUNS_3 = `
file files / paper papers
email emails / letter letters
message messages / line lines
event events / diary entry, diary entries
meeting meetings / gathering gatherings
appointment appointments / slot slots
participant participants / person taking part, people taking part
recipient recipients / person on the receiving end, people on the receiving end
sender senders / person writing, people writing
user users / member members
contact contacts / acquaintance acquaintances
transaction transactions / payment payments
payment payments / outlay outlays
amount amounts / figure figures
account accounts / membership memberships
password passwords / passcode passcodes
folder folders / directory directories
content contents / wording wordings
subject subjects / headline headlines
query queries / search words, search words
device devices / gadget gadgets
product products / goods goods
calendar calendars / diary diaries
picture pictures / photo photos
information / particulars
details / information
`;

/** The fourth: farther from the usual words, and written after those of the language were chosen; only a few were chosen by what it showed. */
const VERBS_4 = `
get gets getting got / procure procures procuring procured
return returns returning returned / deliver delivers delivering delivered
retrieve retrieves retrieving retrieved / recover recovers recovering recovered
fetch fetches fetching fetched / pick up, picks up, picking up, picked up
lists listing listed / catalogues cataloguing catalogued
search searches searching searched / scan scans scanning scanned
find finds finding found / identify identifies identifying identified
send sends sending sent / mail out, mails out, mailing out, mailed out
delete deletes deleting deleted / discard discards discarding discarded
remove removes removing removed / drop drops dropping dropped
create creates creating created / establish establishes establishing established
add adds adding added / insert inserts inserting inserted
update updates updating updated / refresh refreshes refreshing refreshed
modify modifies modifying modified / adjust adjusts adjusting adjusted
change changes changing changed / replace replaces replacing replaced
edit edits editing edited / correct corrects correcting corrected
share shares sharing shared / give access to, gives access to, giving access to, given access to
reschedule reschedules rescheduling rescheduled / rearrange rearranges rearranging rearranged
schedule schedules scheduling scheduled / set up, sets up, setting up, set up
cancel cancels cancelling cancelled / abandon abandons abandoning abandoned
invite invites inviting invited / bring in, brings in, bringing in, brought in
append appends appending appended / add on, adds on, adding on, added on
read reads reading read / look at, looks at, looking at, looked at
write writes writing written / record records recording recorded
show shows showing shown / reveal reveals revealing revealed
pay pays paying paid / transfer money, transfers money, transferring money, transferred money
transfer transfers transferring transferred / forward forwards forwarding forwarded
buy buys buying bought / order orders ordering ordered
post posts posting posted / put online, puts online, putting online, put online
download downloads downloading downloaded / copy copies copying copied
check checks checking checked / establish establishes establishing established
manage manages managing managed / run runs running run
grant grants granting granted / extend extends extending extended
provide provides providing provided / offer offers offering offered
`;

const NOUNS_4 = `
file files / record records
email emails / email message, email messages
message messages / text texts
event events / activity activities
meeting meetings / get-together get-togethers
appointment appointments / date dates
participant participants / guest guests
recipient recipients / target person, target persons
sender senders / writer writers
user users / customer customers
transaction transactions / payment payments
amount amounts / value values
account accounts / profile profiles
password passwords / access code, access codes
folder folders / container containers
content contents / substance substance
subject subjects / title titles
query queries / search string, search strings
contact contacts / correspondent correspondents
calendar calendars / schedule schedules
device devices / unit units
product products / item items
details / facts
`;

interface Table {
  readonly pattern: RegExp;
  readonly others: ReadonlyMap<string, string>;
}

/** The tables, by what they are called on the command line. */
export const PARAPHRASES = ["paraphrased", "paraphrased-2", "paraphrased-3", "paraphrased-4"] as const;
export type Paraphrase = (typeof PARAPHRASES)[number];

/** Of a word that is both, what it is as a verb comes first: descriptions of tools begin with one. */
const TABLES: Readonly<Record<Paraphrase, Table>> = {
  paraphrased: tableFrom(`${VERBS_1}${NOUNS_1}`),
  "paraphrased-2": tableFrom(`${VERBS_2}${NOUNS_2}`),
  "paraphrased-3": tableFrom(`${VERBS_3}${NOUNS_3}`),
  "paraphrased-4": tableFrom(`${VERBS_4}${NOUNS_4}`),
};

function tableFrom(text: string): Table {
  const others = new Map<string, string>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [words = [], instead = []] = line.split(" / ").map(formsIn);
    for (const [at, word] of words.entries()) if (!others.has(word)) others.set(word, instead[at] ?? word);
  }
  const words = [...others.keys()].sort((a, b) => b.length - a.length);
  return { pattern: new RegExp(`\`[^\`]*\`|:param [^:]*:|(?<![\\w'-])(?:(an?) )?(${words.join("|")})(?![\\w'-])`, "gi"), others };
}

function formsIn(forms: string): readonly string[] {
  return forms.split(forms.includes(",") ? /, */ : / +/);
}

/** Says the same in other words. What stands between backticks, and the name of a parameter, is a name and stays. */
export function paraphrased(description: string, table: Paraphrase): string {
  const { pattern, others } = TABLES[table];
  return description.replaceAll(pattern, (found: string, article: string | undefined, word: string | undefined) => {
    const other = others.get(word?.toLowerCase() ?? "");
    if (word === undefined || other === undefined) return found;
    return article === undefined ? cased(other, word) : `${cased(/^[aeiou]/.test(other) ? "an" : "a", article)} ${cased(other, word)}`;
  });
}

/** In capitals, with a capital, or in small letters, as the word was that it stands for. */
function cased(other: string, word: string): string {
  if (word.length > 2 && word === word.toUpperCase()) return other.toUpperCase();
  return word[0] === word[0]?.toUpperCase() ? `${other[0]?.toUpperCase()}${other.slice(1)}` : other;
}
