import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

describe("`scorer_url`", () => {
  const read = (url: string) => readConfig({ flags: { scorer_url: url }, environment: {} }).scorer_url;

  it.each([
    ["", ""],
    ["http://127.0.0.1:7090", "http://127.0.0.1:7090"],
    ["http://localhost:7090/", "http://localhost:7090"],
    ["http://[::1]:7090", "http://[::1]:7090"],
    ["https://scorer.example", "https://scorer.example"],
  ])("may be `%s`", (url, is) => {
    expect(read(url)).toBe(is);
  });

  it.each([
    "http://scorer.example:7090",
    "http://127.0.0.1.scorer.example:7090",
    "http://10.0.0.7:7090",
    "https://user:pass@scorer.example",
    "https://scorer.example/path",
    "https://scorer.example/?a=b",
    "https://scorer.example/#a",
    "grpc://127.0.0.1:7090",
    "127.0.0.1:7090",
    "unix:/run/scorer",
  ])("is never `%s`: nothing is asked in clear beyond this machine", (url) => {
    expect(() => read(url)).toThrow(
      "--scorer-url: expected `https://HOST:PORT`, or `http://HOST:PORT` with a host of this machine, and nothing behind it",
    );
  });
});
