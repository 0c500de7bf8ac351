/** Words of one language by which values are found in a statement; lists are one string each, parted by blanks. Data, and nothing else. */
export interface ValueWords {
  /** From one. */
  readonly numbers: string;
  /** Signs and words of money, beside the three capitals of a currency's code. */
  readonly currencies: string;
  /** Before a name, with a full stop that ends no sentence. */
  readonly titles: string;
  /** What something can be read from. */
  readonly sources: string;
  /** Between a source and what tells which one is meant. */
  readonly qualifiers: string;
  /** Before a source that is to be looked at: `in my calendar`. */
  readonly readFrom: string;
  /** Before something that is already there, and no new one: `the`, `my`. */
  readonly definite: string;
  /** In capitals like a name, and none. */
  readonly noNames: string;
  /** Ends of file names, which look like hosts. */
  readonly files: string;
}

export const ENGLISH_VALUES: ValueWords = {
  numbers: "one two three four five six seven eight nine ten eleven twelve",
  currencies: "dollar dollars euro euros pound pounds yen franc francs cent cents bucks",
  titles: "mr mrs ms dr prof st",
  sources: `email emails mail mails inbox message messages channel chat thread file files document documents spreadsheet presentation folder directory page
    pages website site webpage article blog feed post posts review reviews calendar event events invitation note notes list ticket tickets issue issues
    request bill bills invoice invoices receipt contract report reports statement transaction transactions repository repo log logs comment comments
    table database wiki form`,
  qualifiers: "from by of in on at about called named titled with for",
  readFrom: "in from on of at using see read check open per",
  definite: "the my our this that these those his her their your its last latest",
  noNames: `monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december
    i i'm i'd i'll i've ok asap pm am`,
  files: `txt md pdf doc docx odt rtf csv tsv xls xlsx ods ppt pptx json jsonl yaml yml toml xml html htm css js jsx ts tsx mjs py rb go rs java kt c h cpp cs
    sh sql log ini cfg conf env zip tar gz tgz png jpg jpeg gif svg webp mp3 mp4 wav mov ics eml bak lock ipynb`,
};
