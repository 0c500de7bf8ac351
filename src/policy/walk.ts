import { join, sep } from "node:path";
import { type Complaint, complaint } from "./complaints.ts";

/** The files of a rules directory that can change a decision, text by path relative to it. */
export type PolicyFiles = Readonly<Record<string, string>>;

/** What stands at a path, symbolic links followed. */
export type Seen =
  | { readonly kind: "directory"; readonly names: readonly string[]; readonly realPath: string }
  | { readonly kind: "file"; readonly text: string; readonly bytes: number }
  | { readonly kind: "unreadable"; readonly why: string };

/** Asks for what stands at one path after the other; whoever looks may do it at once, or wait, or only look whether something has changed. */
export type Walk = Generator<string, PolicyFiles, Seen>;

/** Far more than people write, and little enough that looking at all of it every few seconds costs nothing. */
export const NAMES_MAX = 1_000;
export const TOO_MANY_NAMES = `it holds more than ${NAMES_MAX} names; a rules directory holds rules alone`;
export const FILE_BYTES_MAX = 4 * 1024 * 1024;
export const BYTES_MAX = 16 * 1024 * 1024;

/** Reads a rules directory. Complains of everything in it that is not known, because a rule that is not loaded protects nobody. */
export function* walkPolicy(directory: string, complaints: Complaint[]): Walk {
  const found: Found = { files: {}, complaints, bytes: 0 };
  const root = yield directory;
  if (root.kind !== "directory") {
    const why = root.kind === "file" ? "it is a file" : root.why;
    complaints.push(complaint("unreadable-file", directory, `the rules directory cannot be read: ${why}`));
    return found.files;
  }
  for (const name of visible(root.names)) {
    if (found.bytes > BYTES_MAX) break;
    const path = join(directory, name);
    if (name === "catalog" || name === "schema") {
      const seen = yield path;
      const problem = problemOf(seen, root.realPath);
      if (problem !== undefined) complaints.push(complaint("unreadable-file", path, `cannot be read: ${problem}`));
      else if (seen.kind !== "directory") refuse(path, `\`${name}\` is a directory`, complaints);
      else if (name === "catalog") yield* readCatalog(path, seen.names, found);
      else refuseStrangers(path, seen.names, complaints);
    } else if (name === "policy.json" || name === "agents.json" || name.endsWith(".rules.json")) take(found, { name, path, seen: yield path });
    else if (!name.endsWith(".cases.json") && !name.endsWith(".md"))
      refuse(path, "name it `NAME.rules.json` or `NAME.cases.json`, put it into `catalog/`, or move it away", complaints);
  }
  if (found.bytes > BYTES_MAX) complaints.push(complaint("too-big", directory, `its files have more than ${BYTES_MAX} bytes in all`));
  return found.files;
}

function* readCatalog(directory: string, names: readonly string[], found: Found): Generator<string, void, Seen> {
  for (const name of visible(names)) {
    if (found.bytes > BYTES_MAX) break;
    const path = join(directory, name);
    const seen: Seen | undefined = name.endsWith(".json") ? yield path : undefined;
    if (seen && seen.kind !== "directory") take(found, { name: `catalog/${name}`, path, seen });
    else if (!name.endsWith(".md")) refuse(path, "a catalog is a `NAME.json`, not in a directory of its own", found.complaints);
  }
}

function refuseStrangers(directory: string, names: readonly string[], complaints: Complaint[]): void {
  for (const name of visible(names)) {
    if (!name.endsWith(".schema.json")) refuse(join(directory, name), "only `NAME.schema.json` belongs here", complaints);
  }
}

const refuse = (file: string, advice: string, complaints: Complaint[]): void => {
  complaints.push(complaint("stray-file", file, `nothing that Behest reads: ${advice}`));
};

/** Sorted; hidden names are a file system's or an editor's business, and so a mounted ConfigMap's `..data` is not read a second time. */
const visible = (names: readonly string[]): readonly string[] => names.filter((name) => !name.startsWith(".")).sort();

/** A directory that leads back to where it lies would be read as something else than it is. */
function problemOf(seen: Seen, rootPath: string): string | undefined {
  if (seen.kind === "unreadable") return seen.why;
  if (seen.kind !== "directory") return undefined;
  const isAround = rootPath === seen.realPath || rootPath.startsWith(seen.realPath === sep ? sep : seen.realPath + sep);
  return isAround ? `it leads back to \`${seen.realPath}\`; give it a directory of its own` : undefined;
}

interface Found {
  readonly files: Record<string, string>;
  readonly complaints: Complaint[];
  bytes: number;
}

interface Named {
  readonly name: string;
  readonly path: string;
  readonly seen: Seen;
}

function take(found: Found, { name, path, seen }: Named): void {
  if (seen.kind === "file") {
    found.bytes += seen.bytes;
    found.files[name] = seen.text;
    return;
  }
  const why = seen.kind === "directory" ? "it is a directory" : seen.why;
  found.complaints.push(complaint("unreadable-file", path, `cannot be read: ${why}`));
}

/** What stands among files that are in memory, under `directory`. */
export function seenAmong(files: PolicyFiles, directory: string): (path: string) => Seen {
  const paths = Object.keys(files);
  return (path) => {
    const own = path === directory ? "" : path.slice(directory.length + 1);
    const text = own !== "" && Object.hasOwn(files, own) ? files[own] : undefined;
    if (text !== undefined) return { kind: "file", text, bytes: Buffer.byteLength(text) };
    const below = own === "" ? paths : paths.filter((other) => other.startsWith(`${own}/`)).map((other) => other.slice(own.length + 1));
    const names = [...new Set(below.map((other) => other.split("/")[0] ?? ""))];
    return names.length > NAMES_MAX ? { kind: "unreadable", why: TOO_MANY_NAMES } : { kind: "directory", names, realPath: path };
  };
}
