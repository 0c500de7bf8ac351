import { v7 } from "uuid";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ApprovalKeeper, createApprovalKeeper } from "../../src/core/approvals/keeper.ts";
import { type ApprovalWatching, createApprovalWatching, type Watched } from "../../src/core/approvals/watching.ts";
import type { Decider } from "../../src/core/decide.ts";
import type { Caller } from "../../src/core/request.ts";
import { deciderOver, POLICY } from "../storage/deciders.ts";
import { ask } from "../storage/requests.ts";
import { type OpenedStorage, openMemory } from "../storage/storages.ts";

const APPROVER: Caller = { tenant: "default", id: "user:local", roles: ["approver"] };

let storage: OpenedStorage;
let decider: Decider;
let keeper: ApprovalKeeper;
let watching: ApprovalWatching;
let leave: AbortController;
beforeEach(async () => {
  storage = await openMemory();
  decider = deciderOver(storage);
  const policies = { current: () => POLICY };
  keeper = createApprovalKeeper({ ledger: storage.ledger, clock: storage.clock, policies, newId: (at) => v7({ msecs: at }) });
  watching = createApprovalWatching({ ledger: storage.ledger, keeper, clock: storage.clock, watchesMax: 2, untoldMax: 3 });
  leave = new AbortController();
});
afterEach(() => storage.close());

const opened = async (session: string): Promise<string> => {
  const { record } = await decider.decide(ask({ session, action: { tool: "write", arguments: {} } }));
  return record.approval?.id ?? "none";
};
const yes = (id: string) => keeper.resolve(APPROVER, { id, verdict: "approve" });
const watch = () => watching.watch(() => APPROVER, {}, leave.signal)[Symbol.asyncIterator]();
const next = async (reading: AsyncIterator<Watched>): Promise<string> => {
  const { value, done } = await reading.next();
  return done === true ? "ended" : `${value.status.state.approval.id} ${value.status.standing}${value.existing ? " existing" : ""}`;
};

describe("a watch that is read slowly", () => {
  it("tells each approval once, as it stands when it is read, those first that changed first", async () => {
    const [one, two] = [await opened("1"), await opened("2")];
    const reading = watch();
    expect(await next(reading)).toBe(`${one} pending existing`);
    await yes(two);
    await yes(one);
    await keeper.resolve(APPROVER, { id: one, verdict: "revoke" });
    const three = await opened("3");
    expect([await next(reading), await next(reading), await next(reading)]).toEqual([`${two} approved`, `${one} cancelled`, `${three} pending`]);
    const later = next(reading);
    await yes(three);
    expect(await later).toBe(`${three} approved`);
  });

  it("ends rather than hold more than can be remembered", async () => {
    await opened("0");
    const reading = watch();
    await next(reading);
    for (const session of ["1", "2", "3", "4", "5"]) await opened(session);
    await expect(next(reading)).rejects.toMatchObject({
      code: "OVERLOADED",
      message: "more than 3 approvals have changed and were not read; begin another watch",
    });
    expect(watching.open).toBe(0);
  });
});

describe("a watch", () => {
  it("ends while it waits, when its reader leaves or all are closed", async () => {
    const reading = watch();
    const waiting = next(reading);
    expect(watching.open).toBe(1);
    leave.abort();
    expect(await waiting).toBe("ended");
    leave = new AbortController();
    const again = next(watch());
    watching.close();
    expect([await again, await next(watch()), watching.open]).toEqual(["ended", "ended", 0]);
  });

  it("is let go of when its reader stops reading, or what it reads as is refused", async () => {
    await opened("1");
    const reading = watch();
    await next(reading);
    await reading.return?.();
    expect(watching.open).toBe(0);
    const refused = watching.watch(
      () => {
        throw new Error("nobody any more");
      },
      {},
      leave.signal,
    );
    await expect(next(refused[Symbol.asyncIterator]())).rejects.toThrow("nobody any more");
    expect(watching.open).toBe(0);
  });

  it("is refused beyond `watches_max`", async () => {
    const waiting = [watch(), watch()].map(next);
    await expect(next(watch())).rejects.toMatchObject({ code: "OVERLOADED", detail: { limit: "watches" } });
    leave.abort();
    expect(await Promise.all(waiting)).toEqual(["ended", "ended"]);
  });
});
