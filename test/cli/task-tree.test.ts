import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { treeText } from "../../src/cli/task-tree.ts";
import { Effect, PrincipalType, Trust } from "../../src/gen/behest/v1/decision_pb.ts";
import { ScopeKind, type Task, TaskSchema, TaskState } from "../../src/gen/behest/v1/task_pb.ts";

const AT = timestampFromMs(Date.UTC(2026, 10, 25, 9));

const taskOf = (taskId: string, fields: Exclude<MessageInitShape<typeof TaskSchema>, Task> = {}): Task =>
  create(TaskSchema, {
    taskId,
    rootTaskId: "root",
    principal: { type: PrincipalType.USER, id: "alice" },
    agentId: `agent-${taskId}`,
    statement: "Pay the October invoices",
    scopeKind: ScopeKind.ISSUED,
    scope: { tools: ["send_money", "get_*"] },
    openedAt: AT,
    expiresAt: AT,
    state: TaskState.OPEN,
    ...fields,
  });

const ROOT = taskOf("root", {
  seen: { classifications: ["confidential"], categories: ["financial"], trust: Trust.UNTRUSTED, systems: ["crm", "none"] },
  unreported: 2,
});
const BELOW = [
  taskOf("a", {
    parentTaskId: "root",
    scope: { tools: ["send_money"], maxCalls: [{ effect: Effect.PAY, calls: 2n }] },
    left: { calls: [{ effect: Effect.PAY, calls: 1n }] },
  }),
  taskOf("b", {
    parentTaskId: "a",
    state: TaskState.REVOKED,
    endedTaskId: "b",
    endedAt: AT,
    endedBy: "bob",
    endedReason: "INC-4711",
    decisions: { allowed: 1, held: 2 },
  }),
  taskOf("c", { parentTaskId: "root", statement: "Look only", scope: { tools: [], nothing: ["tools"], maxDepth: 0n } }),
];

describe("a task tree", () => {
  it("tells once what the tree has seen and what was not reported, then each task in its place", () => {
    expect(treeText(ROOT, BELOW, undefined)).toBe(`for user:alice: “Pay the October invoices”
the tree has seen confidential data; financial; untrusted content; from crm
2 allowed calls were not reported in time, and count as the worst that could come back

agent-root  ● open  until 2026-11-25T09:00:00Z  root
│   tools send_money, get_*
│   nothing decided yet
├── agent-a  ● open  until 2026-11-25T09:00:00Z  a
│   │   tools send_money
│   │   left: pay 1 of 2
│   │   nothing decided yet
│   └── agent-b  ■ revoked  b
│           revoked at 2026-11-25T09:00:00Z by bob: INC-4711
│           tools send_money, get_*
│           1 allowed, 2 held
└── agent-c  ● open  until 2026-11-25T09:00:00Z  c
        “Look only”
        no tools; not to be handed on
        nothing decided yet
`);
  });

  it("takes less room on a narrow terminal, and breaks no branch", () => {
    const lines = treeText(ROOT, BELOW, 40).trimEnd().split("\n");
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
    expect(lines).toEqual(
      expect.arrayContaining([
        "├ agent-a  ● open  until",
        "│ │ tools send_money",
        "│ └ agent-b  ■ revoked  b",
        "└ agent-c  ● open  until",
        "    “Look only”",
      ]),
    );
    expect(
      lines.slice(lines.indexOf("├ agent-a  ● open  until"), lines.indexOf("└ agent-c  ● open  until")).every((line) => /^[├│]/.test(line)),
    ).toBe(true);
  });

  it("keeps some room for words, however deep a task lies", () => {
    const deep = Array.from({ length: 9 }, (_, at) => taskOf(`${at}`, { parentTaskId: at === 0 ? "root" : `${at - 1}` }));
    expect(treeText(ROOT, deep, 30)).toContain("└ agent-8  ● open");
  });

  it("obeys nothing that an agent's name or words tell a terminal", () => {
    const evil = taskOf("root", { agentId: "a\u001b[2J", statement: "x\u0007\ny", scope: { tools: ["\u202e*"] } });
    const text = treeText(evil, [], undefined);
    for (const obeyed of ["\u0007", "\u001b", "\u202e", "\ny"]) expect(text).not.toContain(obeyed);
  });
});
