import { join } from "node:path";
import { type Complaint, complaint } from "./complaints.ts";
import { look } from "./files.ts";
import { BYTES_MAX } from "./walk.ts";

export interface CaseText {
  readonly path: string;
  readonly text: string;
}

/** The files of cases of a rules directory, read as warily as those that decide. */
export function readCaseTexts(directory: string, complaints: Complaint[]): readonly CaseText[] {
  const seen = look(directory);
  if (seen.kind !== "directory") {
    complaints.push(
      complaint("unreadable-file", directory, `the rules directory cannot be read: ${seen.kind === "unreadable" ? seen.why : "it is a file"}`),
    );
    return [];
  }
  const texts: CaseText[] = [];
  let bytes = 0;
  for (const name of seen.names.filter((one) => one.endsWith(".cases.json") && !one.startsWith(".")).sort()) {
    const path = join(directory, name);
    const file = look(path);
    if (file.kind !== "file") {
      complaints.push(complaint("unreadable-file", path, `cannot be read: ${file.kind === "unreadable" ? file.why : "it is a directory"}`));
      continue;
    }
    bytes += file.bytes;
    if (bytes <= BYTES_MAX) texts.push({ path, text: file.text });
    else complaints.push(complaint("unreadable-file", path, `cannot be read: the cases have more than ${BYTES_MAX} bytes together`));
  }
  return texts;
}

/** One file of cases. Complains, and answers undefined, where there is none that can be read. */
export function readCaseText(path: string, complaints: Complaint[]): string | undefined {
  const file = look(path);
  if (file.kind === "file") return file.text;
  complaints.push(complaint("unreadable-file", path, `cannot be read: ${file.kind === "unreadable" ? file.why : "it is a directory"}`));
  return undefined;
}
