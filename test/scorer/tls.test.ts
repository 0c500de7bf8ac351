import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStubScorer, type StubScorer } from "./stub-scorer.ts";

const PEM = join(import.meta.dirname, "localhost.pem");
const ASK_ONCE = join(import.meta.dirname, "ask-once.ts");

let stub: StubScorer;
beforeAll(async () => {
  const pem = readFileSync(PEM);
  stub = await openStubScorer(0, ServerCredentials.createSsl(null, [{ private_key: pem, cert_chain: pem }]));
});
afterAll(() => stub.close());

function answerTo(host: string, trusted: NodeJS.ProcessEnv): Promise<string> {
  const asking = spawn(process.execPath, [ASK_ONCE, `https://${host}:${stub.port}`], {
    env: { PATH: process.env["PATH"] ?? "", ...trusted },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let said = "";
  asking.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve) => asking.once("close", () => resolve(said.trim())));
}

describe("a scorer with a certificate", () => {
  it.each([
    { says: "that nobody here trusts is told nothing", host: "localhost", trusted: {}, asked: 0 },
    { says: "of another name is told nothing", host: "127.0.0.1", trusted: { NODE_EXTRA_CA_CERTS: PEM }, asked: 0 },
    { says: "that NODE_EXTRA_CA_CERTS names is asked", host: "localhost", trusted: { NODE_EXTRA_CA_CERTS: PEM }, asked: 1 },
  ])("$says", async ({ host, trusted, asked }) => {
    const answer = JSON.parse(await answerTo(host, trusted));
    expect({ answer: answer?.risk, asked: stub.asked.length }).toEqual({ answer: asked ? 10 : undefined, asked });
  });
});
