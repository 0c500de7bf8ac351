import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createPending } from "../../src/doors/pending.ts";

const heard = (begun: number, queuedForMs = 0) => ({ kind: "decided", text: '{"items":[]}', begun, queuedForMs }) as const;

describe("how long decisions wait", () => {
  it("counts from when the oldest batch was sent that the owner has not begun", async () => {
    const pending = createPending();
    expect(pending.queuedForMs()).toBe(0);
    pending.sent();
    await setTimeout(60);
    pending.sent();
    expect(pending.queuedForMs()).toBeGreaterThanOrEqual(50);
    await setTimeout(30);
    pending.take(heard(1));
    expect(pending.queuedForMs()).toBeGreaterThanOrEqual(20);
    pending.take(heard(2));
    expect(pending.queuedForMs()).toBe(0);
  });

  it("is what the owner says of its own queue, for a moment: a door that refuses everything hears nothing more", async () => {
    const pending = createPending();
    pending.take(heard(0, 800));
    expect(pending.queuedForMs()).toBe(800);
    await setTimeout(120);
    expect(pending.queuedForMs()).toBe(0);
  });
});
