import type { Steps } from "../core/steps.ts";
import { orMean } from "./complaints.ts";
import { type Document, type Node, propertiesOf } from "./document.ts";
import type { StatedRule } from "./rules.ts";
import { nodeAt } from "./settings.ts";

const PREFIX = "group:";

/** Complains of approvers that are a group which policy.json does not have: nobody could ever answer. */
export function* refuseUnknownGroups(settings: Document, rules: readonly StatedRule[]): Steps<void> {
  const groups = propertiesOf(settings.root).find(({ key }) => key === "groups");
  // Its absence is told already.
  if (groups?.valueNode.type !== "object") return;
  const known = propertiesOf(groups.valueNode).map(({ key }) => PREFIX + key);
  let named: string | undefined;
  const check = (document: Document, approvers: Node): void => {
    for (const node of approvers.children ?? []) {
      const name = String(node.value);
      if (!name.startsWith(PREFIX) || known.includes(name)) continue;
      named ??= name;
      if (known.length > 0) document.error("unknown-group", node, orMean(`\`${name}\` is not among \`groups\` of policy.json`, name, known));
    }
  };
  check(settings, nodeAt(settings.root, ["approvers", "default"]));
  for (const { params, node, document } of rules) {
    if (params.approvers) check(document, nodeAt(node, ["event", "params", "approvers"]));
    yield;
  }
  if (known.length === 0 && named !== undefined) {
    settings.warn("no-groups", groups.valueNode, `\`groups\` is empty, and \`${named}\` is asked: say who is in it`);
  }
}
