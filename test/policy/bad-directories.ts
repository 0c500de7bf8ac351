import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { filesOf, type PolicyParts } from "../policies.ts";

/** Writes the files of a policy into a directory that holds nothing else. */
export function writeRules(directory: string, files: Readonly<Record<string, string>>): void {
  rmSync(directory, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

export const writePolicy = (directory: string, parts: PolicyParts = {}): void => writeRules(directory, filesOf(parts));

export const denyRule = (name: string): object => ({
  name,
  conditions: { all: [{ fact: "action.tool", operator: "equal", value: "nobody/calls-this" }] },
  event: { type: "deny", params: { reason: "r", controls: ["owasp:ASI02"] } },
});

export interface BadDirectory {
  readonly says: string;
  /** Spoils a directory that holds a good policy. */
  readonly spoil: (directory: string) => void;
  /** First line of one of the complaints, `DIR` for the directory. */
  readonly complaint: string;
}

const put = (name: string, content: string | Buffer) => (directory: string) => writeFileSync(join(directory, name), content);
const link = (name: string, target: string) => (directory: string) => {
  rmSync(join(directory, name), { recursive: true, force: true });
  symlinkSync(target, join(directory, name));
};
const both =
  (...steps: readonly ((directory: string) => void)[]) =>
  (directory: string) => {
    for (const step of steps) step(directory);
  };

const RULES = JSON.stringify({ rules: [denyRule("twice")] });
const NOTS = `{ "rules": [ { "name": "n", "conditions": ${'{ "not": '.repeat(5_000)}{}${" }".repeat(5_000)} } ] }`;

export const BAD_DIRECTORIES: readonly BadDirectory[] = [
  {
    says: "a file is half written",
    spoil: put("x.rules.json", '{ "rules": [ { "name": "a-ru'),
    complaint: "DIR/x.rules.json:1:24: not JSON: unexpected end of string",
  },
  { says: "a file ends too early", spoil: put("x.rules.json", '{ "rules": ['), complaint: "DIR/x.rules.json:1:13: not JSON: close bracket expected" },
  { says: "a file is empty", spoil: put("x.rules.json", ""), complaint: "DIR/x.rules.json:1:1: not JSON: value expected" },
  {
    says: "a file is a FIFO that nobody writes to",
    spoil: (directory) => execFileSync("mkfifo", [join(directory, "x.rules.json")]),
    complaint: "DIR/x.rules.json: cannot be read: it is no regular file",
  },
  {
    says: "a file is a device without end",
    spoil: link("x.rules.json", "/dev/zero"),
    complaint: "DIR/x.rules.json: cannot be read: it is no regular file",
  },
  {
    says: "a file has a gigabyte",
    spoil: both(put("x.rules.json", ""), (directory) => truncateSync(join(directory, "x.rules.json"), 2 ** 30)),
    complaint: "DIR/x.rules.json: cannot be read: it has 1073741824 bytes, at most 4194304 are read",
  },
  {
    says: "its files are too many bytes in all",
    spoil: both(...Array.from({ length: 5 }, (_, n) => put(`x${n}.rules.json`, " ".repeat(3_500_000)))),
    complaint: "DIR: its files have more than 16777216 bytes in all",
  },
  {
    says: "symbolic links lead in a circle",
    spoil: both(link("a.rules.json", "b.rules.json"), link("b.rules.json", "a.rules.json")),
    complaint: "DIR/a.rules.json: cannot be read: its symbolic links lead in a circle",
  },
  {
    says: "the catalog is a link to itself",
    spoil: link("catalog", "catalog"),
    complaint: "DIR/catalog: cannot be read: its symbolic links lead in a circle",
  },
  {
    says: "the catalog is a link to the directory it lies in",
    spoil: link("catalog", "."),
    complaint: "DIR/catalog: cannot be read: it leads back to `DIR`; give it a directory of its own",
  },
  {
    says: "the catalog is a link to a directory around it",
    spoil: link("catalog", ".."),
    complaint: "DIR/catalog: cannot be read: it leads back to `PARENT`; give it a directory of its own",
  },
  {
    says: "a link leads nowhere",
    spoil: link("x.rules.json", "gone.rules.json"),
    complaint: "DIR/x.rules.json: cannot be read: it does not exist, or is a symbolic link to nothing",
  },
  {
    says: "a file is not UTF-8",
    spoil: put("x.rules.json", Buffer.from([0x7b, 0xff, 0x7d])),
    complaint: "DIR/x.rules.json: cannot be read: it is not valid UTF-8",
  },
  {
    says: "a file begins with a byte order mark",
    spoil: put("x.rules.json", '\u{feff}{ "rules": [] }'),
    complaint: "DIR/x.rules.json: cannot be read: it begins with a byte order mark; save it as UTF-8 without one",
  },
  {
    says: "two files have a rule of one name",
    spoil: both(put("x.rules.json", RULES), put("y.rules.json", RULES)),
    complaint: "DIR/y.rules.json:1:19: the rule `twice` stands twice; the first stands at DIR/x.rules.json:1:19",
  },
  {
    says: "a file nests ten thousand deep",
    spoil: put("x.rules.json", `{ "rules": ${"[".repeat(10_000)}`),
    complaint: "DIR/x.rules.json:1:211: more than 200 levels of nesting",
  },
  {
    says: "a condition has five thousand `not`s",
    spoil: put("x.rules.json", NOTS),
    complaint: "DIR/x.rules.json:1:1816: more than 200 levels of nesting",
  },
  {
    says: "a directory has the name of a file",
    spoil: (directory) => mkdirSync(join(directory, "x.rules.json")),
    complaint: "DIR/x.rules.json: cannot be read: it is a directory",
  },
  {
    says: "it holds more names than a person would write",
    spoil: both(...Array.from({ length: 1_001 }, (_, n) => put(`x${n}.rules.json`, ""))),
    complaint: "DIR: the rules directory cannot be read: it holds more than 1000 names; a rules directory holds rules alone",
  },
  {
    says: "it holds more rules than are served",
    spoil: put("x.rules.json", JSON.stringify({ rules: Array.from({ length: 200_000 }, () => ({})) })),
    complaint: "DIR/x.rules.json:1:30011: 200000 rules; at most 10000 are served",
  },
  {
    says: "it holds more errors than anybody reads",
    spoil: put("x.rules.json", JSON.stringify({ rules: Array.from({ length: 5_000 }, () => ({})) })),
    complaint: "DIR: more than 1000 errors; mend these first, the rest was not looked at",
  },
  {
    says: "it has gone",
    spoil: (directory) => rmSync(directory, { recursive: true }),
    complaint: "DIR: the rules directory cannot be read: it does not exist, or is a symbolic link to nothing",
  },
  {
    says: "it is a file",
    spoil: (directory) => {
      rmSync(directory, { recursive: true });
      writeFileSync(directory, "");
    },
    complaint: "DIR: the rules directory cannot be read: it is a file",
  },
];

/** The complaint as it is told about a directory. */
export const complaintAt = ({ complaint }: BadDirectory, directory: string): string =>
  complaint.replaceAll("DIR", directory).replaceAll("PARENT", dirname(directory));
