import { serveScorer } from "./server.ts";

const { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey, MODEL: model, LISTEN: address = "127.0.0.1:7090", TIMEOUT_MS = "5000" } = process.env;
const timeoutMs = Number(TIMEOUT_MS);

if (!baseUrl || !model || !Number.isInteger(timeoutMs) || timeoutMs < 1) {
  process.stderr.write(
    "set OPENAI_BASE_URL, such as `http://127.0.0.1:11434/v1`, and MODEL; OPENAI_API_KEY where the endpoint wants one; TIMEOUT_MS in whole milliseconds\n",
  );
  process.exit(2);
}

const server = await serveScorer({
  address,
  baseUrl,
  model,
  timeoutMs,
  ...(apiKey && { apiKey }),
  onFailure: (why) => process.stderr.write(`not judged: ${why}\n`),
});
process.stdout.write(`${JSON.stringify({ ready: true, grpc: address.replace(/:\d+$/, `:${server.port}`), model })}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => server.close());
