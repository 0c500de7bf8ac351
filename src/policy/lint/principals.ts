import type { Known } from "../../core/json.ts";
import { FALSE, type Kleene } from "../../core/kleene.ts";
import type { CompiledRule } from "../../core/policy.ts";
import type { Complaint } from "../complaints.ts";
import type { LoadedPolicy } from "../load.ts";
import type { StatedRule } from "../rules.ts";
import { nodeAt } from "../settings.ts";
import { affords, type Effort, firesWith } from "./examine.ts";
import { forEachCombination, type Model, modelOf, type Variable, type Vocabulary } from "./model.ts";
import { type Asked, askedBy, peopleOf } from "./quorums.ts";

interface Looking {
  readonly vocabulary: Vocabulary;
  readonly effort: Effort;
}

/** Holds that cannot be answered without the person behind the task, where there may be none. */
export function principalComplaints({ policy, documents, stated }: LoadedPolicy, looking: Looking): readonly Complaint[] {
  const { settings, rules } = policy;
  const needs = (asked: Asked): boolean => {
    const [all, others] = [asked.approvers, asked.approvers.filter((approver) => approver !== "principal")].map((named) => peopleOf(named, settings));
    return all !== undefined && others !== undefined && all >= asked.quorum && others < asked.quorum;
  };
  const document = documents.get("policy.json");
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const ofSettings = needs({ approvers: settings.approvers.default, quorum: settings.approvers.quorum });
  return [
    ...(document && ofSettings
      ? [document.complaintAt("principal-may-be-nobody", nodeAt(document.root, ["approvers", "default"]), messageFor("a hold that names nobody"))]
      : []),
    ...stated.flatMap((rule) => {
      const asked = askedBy(rule, settings);
      const compiled = byName.get(rule.name);
      return asked && compiled && needs(asked) && standsWithoutPerson(compiled, looking) ? [complaintOf(rule)] : [];
    }),
  ];
}

const messageFor = (who: string): string =>
  `${who} cannot be answered without \`principal\`, and where no person stands behind the task that is nobody: it is DENY with NO_APPROVER; name further approvers`;

const complaintOf = (rule: StatedRule): Complaint =>
  rule.document.complaintAt("principal-may-be-nobody", nodeAt(rule.node, ["event", "params", "approvers"]), messageFor(`rule \`${rule.name}\``));

/** What facts are where an agent came by its task itself, and where a service stands behind it. */
const WITHOUT_PERSON: readonly Readonly<Record<string, Known>>[] = [
  {
    "principal.type": "none",
    "principal.id": "none",
    "principal.attributes": undefined,
    "task.registered": false,
    "task.scope_kind": "none",
    "task.reworded": false,
    "task.statement_expired": false,
    "task.budget_used_percent": 0,
    "chain.person_distance": "none",
  },
  { "principal.type": "service", "task.registered": true, "chain.person_distance": "none" },
];

/** Whether the conditions leave it open who stands behind the task. False where that cannot be told. */
const standsWithoutPerson = (rule: CompiledRule, { vocabulary, effort }: Looking): boolean =>
  WITHOUT_PERSON.some((facts) => {
    const model = within(modelOf([rule.condition], vocabulary), facts);
    if (!model || !affords(model, effort)) return false;
    let stands = false;
    forEachCombination(model, ({ results }) => {
      stands = firesWith(rule, results[model.roots[0] ?? 0] ?? FALSE);
      return !stands;
    });
    return stands;
  });

/** The same, where these facts have these values. Undefined if one is compared with another fact, which can come out in any way. */
function within(model: Model, facts: Readonly<Record<string, Known>>): Model | undefined {
  const variables: Variable[] = [];
  for (const variable of model.variables) {
    const fact = variable.facts.find((name) => Object.hasOwn(facts, name));
    if (fact === undefined) variables.push(variable);
    else if (variable.facts.length > 1) return undefined;
    else
      variables.push({
        ...variable,
        choices: variable.choices.filter(({ results }) => isAnswered(model, variable, { results, value: facts[fact] })),
      });
  }
  return { ...model, variables };
}

interface Answered {
  readonly results: readonly Kleene[];
  readonly value: Known;
}

/** Whether this value answers the comparisons so. */
function isAnswered({ nodes }: Model, { leaves }: Variable, { results, value }: Answered): boolean {
  return leaves.every((leaf, at) => {
    const condition = nodes.find((node) => node.leaf === leaf)?.condition;
    const values: Known[] = [];
    if (condition?.comparison) values[condition.comparison.slot] = value;
    return condition?.test(values) === results[at];
  });
}
