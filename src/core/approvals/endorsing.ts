import { ServiceError } from "../errors.ts";
import { serverOf } from "../facts.ts";
import { identifiersIn } from "../intent/identifiers.ts";
import type { Policy } from "../policy.ts";
import type { DecisionRecord } from "../record.ts";
import { instant } from "../words.ts";
import type { Approval, Endorsement, GivenAnswer, Granted } from "./approval.ts";
import { textsOf } from "./texts.ts";

interface Shown {
  readonly record: DecisionRecord;
  readonly policy: Policy;
}

/** Only what was shown can be endorsed, and only a source that the catalog knows. @throws {ServiceError} REQUEST_MALFORMED */
export function checkEndorsement({ values = [], sources = [] }: Endorsement, { record, policy }: Shown): void {
  const texts = textsOf(record.subject.request.action.arguments);
  const shown = new Set([...texts, ...texts.flatMap(identifiersIn)]);
  const strange = values.find((value) => !shown.has(value));
  if (strange !== undefined) {
    throw new ServiceError("REQUEST_MALFORMED", `\`endorsement.values\` holds \`${strange}\`, which no argument of the request is or names`, {
      field: "endorsement.values",
    });
  }
  const servers = new Set([...policy.tools.keys()].map(serverOf));
  const unknown = sources.find((source) => !policy.tools.has(source) && !servers.has(source));
  if (unknown === undefined) return;
  throw new ServiceError("REQUEST_MALFORMED", `\`endorsement.sources\` holds \`${unknown}\`, which is no tool or server of the catalog`, {
    field: "endorsement.sources",
  });
}

/** What everybody who said yes agrees on; undefined where that is no more than the one use. */
export function grantedBy({ expiresAt, endorsableUntil }: Approval, answers: readonly GivenAnswer[]): Granted | undefined {
  const said = answers.filter(({ verdict }) => verdict === "approve").map(({ endorsement }) => endorsement ?? {});
  const uses = Math.min(...said.map(({ uses: most = 1 }) => most));
  const values = common(said.map(({ values: named = [] }) => named));
  const sources = common(said.map(({ sources: named = [] }) => named));
  if (uses <= 1 && values.length + sources.length === 0) return undefined;
  const until = Math.min(...said.map(({ until: latest }) => latest ?? (uses > 1 ? expiresAt : endorsableUntil)));
  return { uses, until: instant(until), values, sources };
}

const common = ([first = [], ...others]: readonly (readonly string[])[]): readonly string[] =>
  [...new Set(first)].filter((one) => others.every((other) => other.includes(one))).sort();
