import type { LanguagePack } from "./language.ts";

/** A description, taken apart as documentation of functions is commonly written. */
export interface Sections {
  /** What is said of the tool itself. */
  readonly prose: string;
  /** What it answers. */
  readonly returns: string;
  /** What is said of each argument, by its name. */
  readonly arguments: ReadonlyMap<string, string>;
}

const ARGUMENT_LINE = /^\s+[-*]?\s*`?([A-Za-z_][\w.-]{0,127})`?\s*(?:\([^)]{0,100}\))?\s*:\s*(.*)$/;

/** Parts begin with a line such as `Args:`, and end with the next one, or after an empty line where a line begins at the margin. */
export function sectionsOf(description: string, { sections }: LanguagePack): Sections {
  const heads = new Map<string, "arguments" | "returns" | "others">();
  for (const kind of ["arguments", "returns", "others"] as const) for (const word of sections[kind].split(" ")) heads.set(word, kind);
  const [prose, returns]: [string[], string[]] = [[], []];
  const args = new Map<string, string>();
  let [kind, argument, blank]: [string, string, boolean] = ["prose", "", false];
  for (const line of description.split("\n")) {
    const head = /^\s{0,8}([A-Za-z]+)\s*:\s*(.*)$/.exec(line);
    const begun = head?.[2] === "" || kind !== "arguments" ? heads.get(head?.[1]?.toLowerCase() ?? "") : undefined;
    if (begun) {
      kind = begun;
      if (begun === "returns" && head?.[2]) returns.push(head[2]);
    } else if (line.trim() === "") blank = true;
    else if (kind !== "prose" && blank && /^\S/.test(line)) kind = "prose";
    if (line.trim() !== "") blank = false;
    if (begun) continue;
    if (kind === "prose") prose.push(line);
    else if (kind === "returns") returns.push(line);
    else if (kind === "arguments") {
      const stated = ARGUMENT_LINE.exec(line);
      if (stated?.[1] !== undefined) argument = stated[1];
      if (argument !== "") args.set(argument, `${args.get(argument) ?? ""} ${stated ? stated[2] : line.trim()}`.trim());
    }
  }
  return { prose: prose.join("\n"), returns: returns.join("\n"), arguments: args };
}
