import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webhookMessage } from "../../src/webhooks/message.ts";
import { readWebhookSecret, signedHeaders } from "../../src/webhooks/signing.ts";
import { temporaryDirectory } from "../running-server.ts";
import { asking, longTask, wire } from "../storage/askings.ts";
import { openMemory } from "../storage/storages.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/webhooks.md"), "utf8");
const blockOf = (language: string): string => page.split(`\`\`\`${language}\n`)[1]?.split("```")[0] ?? "";

let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => directory.remove());

describe("docs/webhooks.md", () => {
  it("shows a message as it is", async () => {
    const storage = await openMemory();
    await asking(storage, wire({ task: { id: await longTask(storage) } }));
    const { events } = await storage.ledger.approvalEvents({ after: 0, limit: 1 });
    const [body] = events.map((event) => JSON.parse(webhookMessage(event).body));
    const shown = JSON.parse(blockOf("json"));
    const ids = Object.fromEntries(["approval_id", "task_id", "root_task_id", "decision_id"].map((name) => [name, expect.any(String)]));
    expect(body).toEqual({ ...shown, data: { ...shown.data, ...ids } });
  });

  it("verifies what Behest signs, and nothing else", async () => {
    const [module, secretPath] = [join(directory.path, "verify.mjs"), join(directory.path, "webhook.secret")];
    writeFileSync(module, blockOf("js"));
    const { verify }: { verify: (...all: readonly unknown[]) => boolean } = await import(module);
    const timestampSeconds = 1_767_603_600;
    const headers = signedHeaders(readWebhookSecret(secretPath), { id: "e1", timestampSeconds, body: "{}" });
    const secret = readFileSync(secretPath, "utf8");
    expect(verify(secret, headers, "{}", timestampSeconds + 60)).toBe(true);
    expect(verify(secret, headers, "{ }", timestampSeconds)).toBe(false);
    expect(verify(secret, { ...headers, "webhook-id": "e2" }, "{}", timestampSeconds)).toBe(false);
    expect(verify(secret, headers, "{}", timestampSeconds + 301)).toBe(false);
    expect(verify(`whsec_${"A".repeat(43)}=`, headers, "{}", timestampSeconds)).toBe(false);
  });
});
