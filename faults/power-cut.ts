import { join } from "node:path";
import { WEBHOOK_SECRET_FILE } from "../src/data-directory.ts";
import { readWebhookSecret } from "../src/webhooks/signing.ts";
import { createRandom } from "../test/storage/under-load.ts";
import { useAll } from "./all-that-is-written.ts";
import type { Breakage } from "./break.ts";
import { drawCutPoints } from "./cut-points.ts";
import { cutAt } from "./cutting.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type RecordedRun, recordRun } from "./recorded-run.ts";
import type { Obstacle } from "./shim/shim.ts";
import { openWebhookReceiver } from "./webhook-receiver.ts";

/** What commits without waiting for the disk. */
const SYNCED_LATER: readonly Breakage[] = [
  { file: "src/storage/sqlite/connection.ts", passage: '"synchronous = FULL"', instead: '"synchronous = NORMAL"' },
  { file: "src/storage/sqlite/connection.ts", passage: "!== 2", instead: "!== 1" },
];

const CUTS = { short: 300, long: 3_000 } as const;
const CUTS_OF_TWIN = 30;

export const powerCut: Fault = {
  name: "power-cut",
  claim: "nothing that was acknowledged is lost and nothing is corrupt, wherever the power goes and whatever of the unsynced writes is lost or torn",
  strike: (setting) => cutPower(setting, { cuts: CUTS[setting.form], breakages: [] }),
  control: {
    says: "the database is written with `synchronous=NORMAL`",
    strike: (setting) => cutPower({ ...setting, form: "short" }, { cuts: CUTS_OF_TWIN, breakages: SYNCED_LATER }),
  },
};

interface Cutting {
  readonly cuts: number;
  readonly breakages: readonly Breakage[];
}

async function cutPower(setting: Setting, { cuts, breakages }: Cutting): Promise<Outcome> {
  const run = await recordWithWebhooks(setting, breakages);
  if ("obstacle" in run) return { figures: {}, broken: [], skipped: run.obstacle };
  const draw = createRandom(setting.seed);
  const found = await cutAt(run, drawCutPoints(run.entries, cuts, draw), { setting, draw });
  return {
    figures: {
      cuts: found.cuts,
      cuts_that_broke: found.cutsBroken,
      writes: run.entries.filter(({ kind }) => kind === "written").length,
      syncs: run.entries.filter(({ kind }) => kind === "sync ended").length,
      decisions_acknowledged: run.decisions.length,
      controls_acknowledged: run.suspended.length + run.resumed.length + run.revoked.length,
      approvals_answered: run.answered.length,
      webhooks_delivered: run.webhooks?.delivered.length ?? 0,
    },
    broken: found.broken,
  };
}

async function recordWithWebhooks(setting: Setting, breakages: readonly Breakage[]): Promise<RecordedRun | Obstacle> {
  const receiver = await openWebhookReceiver();
  try {
    const environment = { BEHEST_WEBHOOK_URL: receiver.url };
    const run = await recordRun(setting, { breakages, environment, use: (recorded) => useAll(recorded, setting) });
    if ("obstacle" in run) return run;
    const secret = readWebhookSecret(join(setting.directory, "data", WEBHOOK_SECRET_FILE));
    return { ...run, webhooks: { secret, delivered: receiver.delivered } };
  } finally {
    await receiver.close();
  }
}
