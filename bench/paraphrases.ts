/** Ordinary English words and others for them, each form beside its own: `word words other others`. Chosen from general language alone. */
const VERBS = `
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

const NOUNS = `
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

interface Table {
  readonly pattern: RegExp;
  readonly others: ReadonlyMap<string, string>;
}

/** Of a word that is both, what it is as a verb comes first: descriptions of tools begin with one. */
const TABLE = tableFrom(`${VERBS}${NOUNS}`);

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
export const paraphrased = (description: string): string =>
  description.replaceAll(TABLE.pattern, (found: string, article: string | undefined, word: string | undefined) => {
    const other = TABLE.others.get(word?.toLowerCase() ?? "");
    if (word === undefined || other === undefined) return found;
    return article === undefined ? cased(other, word) : `${cased(/^[aeiou]/.test(other) ? "an" : "a", article)} ${cased(other, word)}`;
  });

/** In capitals, with a capital, or in small letters, as the word was that it stands for. */
function cased(other: string, word: string): string {
  if (word.length > 2 && word === word.toUpperCase()) return other.toUpperCase();
  return word[0] === word[0]?.toUpperCase() ? `${other[0]?.toUpperCase()}${other.slice(1)}` : other;
}
