import { parentPort, workerData } from "node:worker_threads";
import { ATTACKS, attack, type Target } from "./attacks.ts";

/** Attacks on a thread of its own, so that who measures is not kept waiting by it. */
const { target, name }: { readonly target: Target; readonly name: string } = workerData;
const chosen = ATTACKS.find((known) => known.name === name);
if (!chosen) throw new Error(`no attack is named \`${name}\``);
parentPort?.postMessage("attacks");
const attacking = attack(target, chosen);
parentPort?.once("message", () => {
  parentPort?.postMessage(attacking.stop());
  parentPort?.close();
});
