import { Engine } from "json-rules-engine";
import { describe, expect, it } from "vitest";

/** What the demonstration needs: a rule that lets pass, evaluated first, and one that denies, evaluated after it. */
function twoRules(): Engine {
  const engine = new Engine();
  const always = { all: [{ fact: "tool", operator: "equal", value: "mail/send" }] };
  engine.addRule({ name: "counts", priority: 2, conditions: always, event: { type: "risk" } });
  engine.addRule({ name: "denies", priority: 1, conditions: always, event: { type: "deny" } });
  return engine;
}

const OFFSETS = Array.from({ length: 200 }, (_, turns) => turns);

async function eventsOf(engine: Engine): Promise<readonly string[]> {
  const { events } = await engine.run({ tool: "mail/send" });
  return events.map(({ type }) => type);
}

/** The events of two runs, the second begun so many turns of the microtask queue after the first: no clock decides what happens. */
async function overlapping(first: Engine, second: Engine, turns: number): Promise<readonly (readonly string[])[]> {
  const earlier = eventsOf(first);
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  return Promise.all([earlier, eventsOf(second)]);
}

async function deniesLost(engineFor: () => readonly [Engine, Engine]): Promise<number> {
  let lost = 0;
  for (const turns of OFFSETS) {
    const [first, second] = engineFor();
    const runs = await overlapping(first, second, turns);
    if (!runs.every((events) => events.includes("deny"))) lost++;
  }
  return lost;
}

describe("json-rules-engine", () => {
  it("loses a deny when two runs overlap on one Engine, which is why none is ever shared", async () => {
    const lost = await deniesLost(() => {
      const shared = twoRules();
      return [shared, shared];
    });
    expect(lost, `of ${OFFSETS.length} offsets`).toBeGreaterThan(0);
  });

  it("loses none when every run has an Engine of its own", async () => {
    expect(await deniesLost(() => [twoRules(), twoRules()])).toBe(0);
  });

  it("loses none on one Engine when the runs do not overlap", async () => {
    const shared = twoRules();
    for (const _ of OFFSETS) expect(await eventsOf(shared)).toEqual(["risk", "deny"]);
  });
});
