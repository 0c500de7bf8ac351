import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAwaited } from "../../src/core/tasks/awaited.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import type { OpenTask } from "../../src/core/tasks/self-asserted.ts";
import { createTasksByUse } from "../../src/core/tasks/use-order.ts";
import { instant } from "../../src/core/words.ts";

const task = (id: string, statement: string): OpenTask => ({
  id,
  statement,
  tenant: "t",
  caller: "c",
  agent: "a",
  principal: "none",
  session: "s",
  openedAt: instant(0),
  lastUsedAt: instant(0),
  seen: NOTHING_SEEN,
  awaited: createAwaited(),
});

describe("tasks by use", () => {
  it("say what a list that is sorted by use says", () => {
    const move = fc.record({ id: fc.constantFrom("a", "b", "c", "d"), removes: fc.boolean(), statement: fc.string() });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        const tasks = createTasksByUse();
        let model: readonly OpenTask[] = [];
        for (const { id, removes, statement } of moves) {
          model = [...model.filter((one) => one.id !== id), ...(removes ? [] : [task(id, statement)])];
          if (removes) tasks.remove(id);
          else tasks.use(task(id, statement));
          expect({ leastUsed: tasks.leastUsed, size: tasks.size, found: tasks.get(id) }).toEqual({
            leastUsed: model[0],
            size: model.length,
            found: model.find((one) => one.id === id),
          });
        }
        expect([...tasks.ids()].sort()).toEqual(model.map(({ id }) => id).sort());
      }),
    );
  });
});
