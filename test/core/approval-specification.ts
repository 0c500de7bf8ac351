/**
 * Approvals as the issue tells them: a list of what people were asked and what they said, and everything else computed from it anew each time. Naive
 * on purpose; random histories are lived through by this and by the real decider and keeper.
 */
export interface RequestModel {
  readonly caller: string;
  readonly task: string;
  readonly amount: number;
  readonly memo: string;
  readonly approvalId?: string;
}

export type Step =
  | { readonly kind: "decide"; readonly request: RequestModel }
  | {
      readonly kind: "answer";
      readonly by: string;
      readonly id: string;
      readonly verdict: Verdict;
      readonly comment?: string;
      readonly uses?: number;
    }
  | { readonly kind: "close"; readonly task: string }
  | { readonly kind: "load"; readonly policy: PolicyModel }
  | { readonly kind: "look"; readonly id: string }
  | { readonly kind: "sweep" };
type Verdict = "approve" | "deny" | "revoke";

/** What is compared. */
export type Said = Readonly<Record<string, unknown>>;

export interface HoldModel {
  readonly name: string;
  readonly approvers: readonly string[];
  readonly quorum: number;
}

export interface PolicyModel {
  readonly holds: readonly HoldModel[];
  readonly score: number;
  readonly finance: readonly string[];
}

export interface WorldModel {
  readonly policy: PolicyModel;
  /** Instants at which tasks are over. */
  readonly tasks: Readonly<Record<string, number>>;
  readonly agent: string;
  readonly principal: string;
  readonly lifetimeMs: number;
  readonly perHour: { readonly agent: number; readonly task: number };
  readonly usesMax: number;
  /** Whom a text names. */
  readonly namedIn: (text: string) => readonly string[];
}

interface Answer {
  readonly by: string;
  readonly verdict: Verdict;
  readonly holds: readonly string[];
  readonly uses: number;
}

interface Approval {
  readonly id: string;
  readonly kind: "action" | "flood";
  readonly request: RequestModel;
  readonly holds: readonly HoldModel[];
  readonly score: number;
  readonly at: number;
  readonly expires: number;
  answers: readonly Answer[];
  standing: string;
  used: number;
  uses: number;
  deniedAt: number | undefined;
  /** When it came to be a wider yes: the first that fits is used. */
  widerSince: number | undefined;
}

const HOUR = 3_600_000;
const FLOOD: HoldModel = { name: "behest:flood", approvers: ["user:local", "user:ann"], quorum: 1 };

/** The sentences that a broken twin gets wrong. */
export const APPROVAL_LAWS = {
  /** Any other request is not covered. */
  binds: ({ caller, task, amount, memo }: RequestModel): readonly unknown[] => [caller, task, amount, memo],
  /** What a wider yes fixes, and what it lets vary. */
  fixes: ({ caller, task }: RequestModel): readonly unknown[] => [caller, task],
  isNoMore: (amount: number, shown: number): boolean => amount <= shown,
  namesNoOthers: (named: readonly string[], shown: readonly string[]): boolean => named.every((one) => shown.includes(one)),
  /** Used once, or as often as all who said yes agreed. */
  isUsedUp: (used: number, uses: number): boolean => used >= uses,
  agreed: (uses: readonly number[]): number => Math.min(...uses),
  /** One person counts once. */
  people: (by: readonly string[]): number => new Set(by).size,
  /** Nobody answers for themselves, and the person whose task it is only what asks for them. */
  mayAnswer: (person: string, hold: HoldModel, asks: { readonly caller: string; readonly agent: string; readonly principal: string }): boolean =>
    person !== asks.caller && person !== `user:${asks.agent}` && (person !== asks.principal || hold.approvers.includes("principal")),
  /** Membership is looked at again at use. */
  membersAtUse: (now: readonly string[], _then: readonly string[]): readonly string[] => now,
  isSameHold: (a: HoldModel, b: HoldModel): boolean =>
    JSON.stringify([a.name, a.approvers, a.quorum]) === JSON.stringify([b.name, b.approvers, b.quorum]),
  isShown: (score: number, shown: number): boolean => score <= shown,
  /** At its end it is over. */
  isOver: (at: number, end: number): boolean => at >= end,
  /** What was found to be over stays so, whatever the clock says. */
  staysOver: true,
  /** An approval ends with its task. */
  endsWithTask: true,
  /** A no to the same request stands. */
  denialStands: true,
  /** What is asked for holds that have changed is asked anew. */
  replaces: true,
  /** The same request is not asked twice. */
  groups: true,
  isFlood: (asked: number, max: number): boolean => asked >= max,
  /** An agent that was told not to ask is not heard for an hour. */
  silencedFor: HOUR,
  /** Somebody who was told to go on may. */
  forgives: true,
  takesBack: true,
  /** Somebody who says the same again has said nothing. */
  hearsTwice: false,
  /** A yes cannot become a wider one, or a narrower one, that others have not seen. */
  isSameYes: (uses: number, before: readonly number[]): boolean => uses === 1 || before.includes(uses),
};
export type ApprovalLaws = typeof APPROVAL_LAWS;

const refused = (error: string): Said => ({ error });

export function createApprovalModel(world: WorldModel, laws: ApprovalLaws = APPROVAL_LAWS) {
  const approvals: Approval[] = [];
  const ended = new Map<string, string>();
  let { policy } = world;
  let clearedAgent = Number.NEGATIVE_INFINITY;
  const clearedTasks = new Map<string, number>();
  let order = 0;

  const isOpen = (standing: string): boolean => standing === "pending" || standing === "approved";
  const endOfTask = (task: string): number => world.tasks[task] ?? Number.NEGATIVE_INFINITY;
  const howEnded = (task: string, at: number): string | undefined => ended.get(task) ?? (at >= endOfTask(task) ? "expired" : undefined);
  const byTime = ({ standing, expires }: Approval, at: number): string => (isOpen(standing) && laws.isOver(at, expires) ? "expired" : standing);
  function status(approval: Approval, at: number): string {
    const standing = byTime(approval, at);
    return isOpen(standing) && laws.endsWithTask && howEnded(approval.request.task, at) ? "cancelled" : standing;
  }

  const membersOf = ({ approvers }: HoldModel): readonly string[] =>
    approvers.flatMap((one) => (one === "group:finance" ? policy.finance : one === "principal" ? world.principal : one));
  const eligible = (hold: HoldModel, caller: string): readonly string[] => [
    ...new Set(membersOf(hold).filter((person) => laws.mayAnswer(person, hold, { caller, agent: world.agent, principal: world.principal }))),
  ];
  function isAnswered(hold: HoldModel, { answers }: Approval, now: readonly string[]): boolean {
    const yes = answers.filter(({ verdict, holds }) => verdict === "approve" && holds.includes(hold.name)).map(({ by }) => by);
    return laws.people(yes.filter((by) => laws.membersAtUse(now, yes).includes(by))) >= hold.quorum;
  }

  const ownOf = (request: RequestModel): Approval | undefined =>
    approvals.findLast(({ kind, request: shown }) => kind === "action" && JSON.stringify(laws.binds(shown)) === JSON.stringify(laws.binds(request)));

  function coverOf(request: RequestModel, own: Approval | undefined, at: number): Approval | undefined {
    const named = request.approvalId !== undefined && own?.id === request.approvalId ? own : undefined;
    if (named && byTime(named, at) === "approved") return named;
    if (named && byTime(named, at) === "pending") return undefined;
    const wider = approvals
      .filter(({ widerSince, uses }) => widerSince !== undefined && uses > 1)
      .sort((a, b) => (a.widerSince ?? 0) - (b.widerSince ?? 0));
    return wider.find(
      (approval) =>
        byTime(approval, at) === "approved" &&
        JSON.stringify(laws.fixes(approval.request)) === JSON.stringify(laws.fixes(request)) &&
        laws.isNoMore(request.amount, approval.request.amount) &&
        laws.namesNoOthers(world.namedIn(request.memo), world.namedIn(approval.request.memo)),
    );
  }

  const covers = (approval: Approval): boolean =>
    laws.isShown(policy.score, approval.score) &&
    policy.holds.every(
      (hold) => approval.holds.some((shown) => laws.isSameHold(shown, hold)) && isAnswered(hold, approval, eligible(hold, approval.request.caller)),
    );

  function decide(request: RequestModel, at: number, newId: string): Said {
    const own = ownOf(request);
    const over = howEnded(request.task, at);
    if (over === "expired") ended.set(request.task, over);
    const isRefused = laws.denialStands && own?.standing === "denied";
    const codes = [...(isRefused ? ["APPROVAL_DENIED"] : []), ...(over ? [`TASK_${over.toUpperCase()}`] : [])];
    if (codes.length > 0) return { outcome: "DENY", codes };
    if (policy.holds.some((hold) => eligible(hold, request.caller).length < hold.quorum)) return { outcome: "DENY", codes: ["NO_APPROVER"] };
    const cover = coverOf(request, own, at);
    if (cover && covers(cover)) {
      cover.used++;
      if (laws.isUsedUp(cover.used, cover.uses)) cover.standing = "consumed";
      return { outcome: "ALLOW", codes: [], approval: cover.id, state: cover.standing };
    }
    const isOwnOpen = own !== undefined && isOpen(byTime(own, at));
    const flood = approvals.findLast(({ kind }) => kind === "flood");
    if (!isOwnOpen && flood?.deniedAt !== undefined && at - flood.deniedAt < laws.silencedFor) return { outcome: "DENY", codes: ["APPROVAL_DENIED"] };
    const waits = request.approvalId !== undefined && own?.id === request.approvalId && byTime(own, at) === "pending";
    const asks = ["RULE_ASKS", ...(request.approvalId !== undefined && !waits ? ["APPROVAL_NOT_APPLICABLE"] : [])];
    const asked = ask(request, own, cover, { at, newId, flood });
    return { outcome: "REQUIRE_APPROVAL", codes: asks, approval: asked.id, state: byTime(asked, at) };
  }

  interface Asking {
    readonly at: number;
    readonly newId: string;
    readonly flood: Approval | undefined;
  }

  function ask(request: RequestModel, own: Approval | undefined, cover: Approval | undefined, { at, newId, flood }: Asking): Approval {
    const isShown =
      own !== undefined &&
      own.holds.length === policy.holds.length &&
      own.holds.every((hold) => policy.holds.some((now) => laws.isSameHold(hold, now))) &&
      laws.isShown(policy.score, own.score);
    if (own && isOpen(byTime(own, at)) && laws.groups && ((isShown && cover !== own) || !laws.replaces)) return own;
    if (own && isOpen(own.standing) && laws.replaces) {
      own.standing = byTime(own, at) === "expired" ? "expired" : "cancelled";
      if (own.standing === "cancelled") own.widerSince = undefined;
    }
    const recent = approvals.filter(({ kind, at: when }) => kind === "action" && at - when < HOUR);
    const ofAgent = recent.filter(({ id }) => Number(id.slice(3)) > clearedAgent).length;
    const ofTask = recent.filter(({ id, request: { task } }) => task === request.task && Number(id.slice(3)) > (clearedTasks.get(task) ?? 0)).length;
    const isFlood = laws.isFlood(ofAgent, world.perHour.agent) || laws.isFlood(ofTask, world.perHour.task);
    if (isFlood && flood && byTime(flood, at) === "pending") return flood;
    const opened: Approval = {
      id: newId,
      kind: isFlood ? "flood" : "action",
      request,
      holds: isFlood ? [FLOOD] : policy.holds,
      score: policy.score,
      at,
      expires: Math.min(at + world.lifetimeMs, endOfTask(request.task)),
      answers: [],
      standing: "pending",
      used: 0,
      uses: 1,
      deniedAt: undefined,
      widerSince: undefined,
    };
    approvals.push(opened);
    return opened;
  }

  function answer({ by, id, verdict, comment, uses = 1 }: Step & { readonly kind: "answer" }, at: number): Said {
    const approval = approvals.find((one) => one.id === id);
    if (!approval) return refused("APPROVAL_UNKNOWN");
    const holds = approval.holds.filter((hold) => eligible(hold, approval.request.caller).includes(by)).map(({ name }) => name);
    if (holds.length === 0) return refused("CALLER_FORBIDDEN");
    const now = status(approval, at);
    if (verdict === "revoke") return takeBack(approval, now, at);
    const isComplete = (): boolean => approval.holds.every((hold) => isAnswered(hold, approval, eligible(hold, approval.request.caller)));
    const isSaid = approval.answers.some((one) => one.by === by && one.verdict === verdict && holds.every((hold) => one.holds.includes(hold)));
    const changesNothing = isSaid && !(approval.standing === "pending" && isComplete());
    if (changesNothing && !laws.hearsTwice && (isOpen(now) || now === "denied")) {
      const before = approval.answers.filter((one) => one.by === by).map((one) => one.uses);
      return laws.isSameYes(uses, before) ? shown(approval, at) : refused("REQUEST_MALFORMED");
    }
    if (now !== "pending") return refused("APPROVAL_SETTLED");
    if (verdict === "deny" && comment === undefined) return refused("REQUEST_MALFORMED");
    if (uses > 1 && (approval.kind === "flood" || uses > world.usesMax)) return refused("REQUEST_MALFORMED");
    approval.answers = [...approval.answers, { by, verdict, holds, uses }];
    if (verdict === "deny") {
      approval.standing = "denied";
      approval.deniedAt = at;
    } else if (isComplete()) complete(approval);
    return shown(approval, at);
  }

  function complete(approval: Approval): void {
    approval.standing = "approved";
    approval.uses = laws.agreed(approval.answers.filter(({ verdict }) => verdict === "approve").map((one) => one.uses));
    if (approval.uses > 1) approval.widerSince = ++order;
    if (approval.kind === "action" || !laws.forgives) return;
    // Everything asked until now: ids are counted.
    const last = Math.max(...approvals.map(({ id }) => Number(id.slice(3))));
    clearedAgent = last;
    clearedTasks.set(approval.request.task, last);
  }

  function takeBack(approval: Approval, now: string, at: number): Said {
    const isWide = approval.widerSince !== undefined && at < approval.expires;
    if (!isOpen(now) && !isWide) return refused("APPROVAL_SETTLED");
    if (!laws.takesBack) return shown(approval, at);
    approval.widerSince = undefined;
    if (isOpen(approval.standing)) approval.standing = "cancelled";
    return shown(approval, at);
  }

  const shown = (approval: Approval, at: number): Said => ({
    standing: status(approval, at),
    used: approval.used,
    answers: approval.answers.length,
    kind: approval.kind,
  });

  function sweep(at: number): Said {
    let swept = 0;
    for (const approval of approvals) {
      const now = status(approval, at);
      if (!isOpen(approval.standing) || isOpen(now)) continue;
      swept++;
      if (laws.staysOver) approval.standing = now;
      if (now === "cancelled") approval.widerSince = undefined;
    }
    return { swept };
  }

  return {
    /** What a step is answered at an instant, where it is given this id if people are asked by it. */
    live(step: Step, at: number, newId: string): Said {
      switch (step.kind) {
        case "decide":
          return decide(step.request, at, newId);
        case "answer":
          return answer(step, at);
        case "look": {
          const approval = approvals.find(({ id }) => id === step.id);
          return approval ? shown(approval, at) : refused("APPROVAL_UNKNOWN");
        }
        case "close":
          if (!ended.has(step.task)) ended.set(step.task, at >= endOfTask(step.task) ? "expired" : "closed");
          return {};
        case "load":
          policy = step.policy;
          return {};
        case "sweep":
          return sweep(at);
      }
    },
  };
}
