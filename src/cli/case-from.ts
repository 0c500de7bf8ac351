import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import type { DecisionRecord } from "../core/record.ts";
import { readCaseText } from "../policy/case-files.ts";
import { judgeCase } from "../policy/case-judge.ts";
import { withCase } from "../policy/case-update.ts";
import { type Case, caseNames, readCases } from "../policy/cases.ts";
import { type Complaint, formatComplaint, PolicyInvalid } from "../policy/complaints.ts";
import { readDocument } from "../policy/document.ts";
import { beyondCases, caseOf } from "./case-of.ts";
import { createCaseIntent, readyCase } from "./cases.ts";
import { type DataOptions, findRecord, storedPolicy } from "./database.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTypedOf } from "./hint.ts";
import { visible } from "./output.ts";
import { replaceText, writeNew } from "./replace-text.ts";

interface FromOptions extends DataOptions {
  readonly name?: string;
  readonly append?: string;
}

export function addCase(program: Command): void {
  program
    .command("case")
    .description("make cases for `behest rules test`")
    .addHelpText("after", "\nExample:\n  behest case from 0199f5c4-7b1e --append rules/mail.cases.json\n")
    .command("from")
    .description("turn a recorded decision into a case that expects what was decided")
    .argument("<decision-id>", "the id, or enough of its beginning or end")
    .option("--name <text>", "what the case shows (default: from the decision)")
    .option("--append <file>", "write it into this file of cases; made if it is missing")
    .option("--data <dir>", "data directory of the server (default: $XDG_STATE_HOME/behest)")
    .addHelpText("after", "\nExample:\n  behest case from 0199f5c4-7b1e --name 'a refund above the limit asks' --append rules/refunds.cases.json\n")
    .action((id: string, options: FromOptions) => from(id, options));
}

function from(id: string, options: FromOptions): void {
  const record = findRecord(options, id);
  const made = caseOf(record, options.name);
  const text = `${JSON.stringify({ cases: [made] }, null, 2)}\n`;
  refuseOther(options, record, text);
  if (options.append === undefined) process.stdout.write(text);
  else append(options.append, made);
  if (record.subject.masked > 0) {
    process.stderr.write("the record holds secrets only by kind and length, so placeholders of that kind and length stand in their place\n");
  }
}

/** A case that its own policy would not decide as it was decided shows something else than what happened. */
function refuseOther(options: DataOptions, record: DecisionRecord, text: string): void {
  const { policy } = storedPolicy(options, record.policy);
  const [stated] = readBack(text);
  if (!stated) throw new CommandFailed(EXIT.internal, "the case cannot be read back");
  const [ready] = readyCase(stated);
  const found = ready && judgeCase({ policy, intent: createCaseIntent() }, ready.stated, ready.request).disagreements.map(({ message }) => message);
  if (!found) throw new CommandFailed(EXIT.internal, "the request of the record cannot be read back");
  if (found.length > 0) {
    const why = beyondCases(record);
    const because = why.length > 0 ? ` (${why.join("; ")})` : "";
    throw new CommandFailed(
      EXIT.internal,
      `a case cannot hold all that decision \`${record.id}\` was made from${visible(because)}: ${found.map(visible).join("; ")}`,
    );
  }
}

function readBack(text: string): readonly Case[] {
  const complaints: Complaint[] = [];
  const document = readDocument("the case", text, complaints);
  const cases = document ? readCases([document]) : [];
  if (complaints.length > 0) throw new PolicyInvalid(complaints);
  return cases;
}

function append(file: string, made: { readonly name: string }): void {
  if (!file.endsWith(".cases.json")) throw new CommandFailed(EXIT.usage, `\`${file}\` is no file of cases: name it \`NAME.cases.json\``);
  const before = existsSync(file) ? textOf(file) : '{\n  "$schema": "./schema/cases.schema.json",\n  "cases": []\n}\n';
  const there = namesIn(file, before);
  if (there.includes(made.name)) {
    throw new CommandFailed(
      EXIT.usage,
      `\`${file}\` has a case \`${visible(made.name)}\` already; give this one another --name. Nothing was written`,
    );
  }
  const after = withCase(before, made, there.length);
  if (existsSync(file)) replaceText(file, { before, after });
  else writeNew(file, after);
  process.stderr.write(`the case \`${visible(made.name)}\` is in ${file}; next: ${asTypedOf("rules test", dirname(file))}\n`);
}

function textOf(file: string): string {
  const complaints: Complaint[] = [];
  const text = readCaseText(file, complaints);
  if (text !== undefined) return text;
  throw new CommandFailed(EXIT.rulesInvalid, `${complaints.map((one) => formatComplaint(one)).join("\n\n")}\n\nnothing was written`);
}

/** Its cases may use fixtures of other files, and be wrong in themselves: neither is what this is about. */
function namesIn(file: string, text: string): readonly (string | undefined)[] {
  const complaints: Complaint[] = [];
  const document = readDocument(file, text, complaints);
  const names = document ? caseNames(document) : [];
  if (complaints.length === 0) return names;
  throw new CommandFailed(EXIT.rulesInvalid, `${complaints.map((one) => formatComplaint(one)).join("\n\n")}\n\nnothing was written`);
}
