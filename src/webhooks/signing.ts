import { createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writePrivate } from "../private-file.ts";

const SECRET_BYTES = 32;
/** What the Standard Webhooks ask of a secret. */
const SECRET_BYTES_MIN = 24;
const PREFIX = "whsec_";

/** Reads the secret that receivers verify with; makes one, for its owner's eyes only, where there is none. @throws {Error} for a file that holds something else */
export function readWebhookSecret(path: string): Buffer {
  if (!existsSync(path)) writePrivate(path, `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64")}\n`);
  const text = readFileSync(path, "utf8").trim();
  const key = /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text.slice(PREFIX.length), "base64") : undefined;
  if (key && key.length >= SECRET_BYTES_MIN) return key;
  throw new Error(
    `\`${path}\` does not hold \`${PREFIX}\` and ${SECRET_BYTES_MIN} bytes or more in base64; restore it, or remove it to have a new one made`,
  );
}

export interface Signed {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

/** The headers of the Standard Webhooks, https://www.standardwebhooks.com, symmetric signatures of version 1. */
export function signedHeaders(key: Buffer, { id, timestampSeconds, body }: Signed): Readonly<Record<string, string>> {
  const signature = createHmac("sha256", key).update(`${id}.${timestampSeconds}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(timestampSeconds), "webhook-signature": `v1,${signature}` };
}
