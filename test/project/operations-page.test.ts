import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { SHED_REASONS } from "../../src/endpoints/grpc/shedding.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { readPrometheusText } from "../metrics/prometheus-text.ts";
import { servedPage } from "./served-page.ts";

const { page, blocksOf, run } = servedPage("docs/operations.md");

/** Every metric there can be, with its labels. */
async function declared() {
  const entriesMax = { self_asserted_tasks: 1, registered_tasks: 1, agents: 1, request_ids: 1, approvals: 1, suspensions: 1, cache_rows: 1 };
  const metrics = createMetrics({ version: "1", shedReasons: Object.keys(SHED_REASONS), entriesMax });
  const text = await metrics.text({
    queue: { turns: 0, oldestMs: 0 },
    state: { entries: entriesMax, approvalsPending: 0 },
    waiting: 0,
    files: { databaseBytes: 0, walBytes: 0, freeBytes: 0 },
    spans: { exported: 0, failed: 0, dropped: 0 },
    policy: { ageMs: 0, isRefused: false },
  });
  metrics.close();
  const { families, samples } = readPrometheusText(text);
  const series = [...samples.keys()];
  return [...families]
    .filter(([name]) => name.startsWith("behest_"))
    .map(([name, { type, help }]) => {
      const labels = /\{(.*)\}/.exec(series.find((one) => one.startsWith(`${name}{`)) ?? "")?.[1] ?? "";
      return { name, type, labels: [...labels.matchAll(/(\w+)="/g)].map(([, label = ""]) => label), help };
    });
}

describe("docs/operations.md", () => {
  it("lists every metric as it is", async () => {
    const rows = (await declared()).map(
      ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
    );
    expect(page.split("\n").filter((line) => line.startsWith("| `behest_"))).toEqual(rows);
  });

  it("lists every reason for which something is turned away", () => {
    const rows = Object.entries(SHED_REASONS).map(([reason, what]) => `| \`${reason}\` | ${what} |`);
    const [, table = ""] = page.split("| `reason` | what was turned away |\n|---|---|\n");
    expect(table.split("\n\n")[0]?.split("\n")).toEqual(rows);
  });

  it("has commands that work, and print what it says", () => {
    const commands = blocksOf("sh");
    expect(commands).toHaveLength(4);
    const { status, stderr, stdout } = run(commands);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^token `prometheus`: auditor .*\nit is not shown again.*\n$/) });
    const [serving, ready, count] = stdout.split("\n");
    expect([`${serving}\n`, `${ready}\n`]).toEqual(blocksOf("text").slice(0, 2));
    expect(Number(count)).toBeGreaterThan(100);
  });

  it("shows alerts that look at metrics that there are", async () => {
    const names = new Set((await declared()).map(({ name }) => name));
    const [, rules = ""] = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
    const { groups } = load(rules) as {
      readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
    };
    const alerts = groups.flatMap((group) => group.rules);
    expect(alerts.length).toBeGreaterThan(5);
    const asked = [...alerts.map(({ expr }) => expr), ...blocksOf("text")].flatMap((expr) => [...expr.matchAll(/behest_\w+/g)].map(([name]) => name));
    expect(asked.map((name) => name.replace(/_bucket$/, "")).filter((name) => !names.has(name))).toEqual([]);
    const labels = alerts.flatMap(({ expr }) => [...expr.matchAll(/reason=~"([^"]+)"/g)].flatMap(([, reasons = ""]) => reasons.split("|")));
    expect(labels.filter((reason) => !Object.hasOwn(SHED_REASONS, reason))).toEqual([]);
  });

  it("names the scrape configuration's keys as Prometheus does", () => {
    const [scraping = ""] = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
    expect(load(scraping)).toEqual({
      scrape_configs: [
        {
          job_name: "behest",
          authorization: { credentials_file: "/etc/prometheus/behest.token" },
          static_configs: [{ targets: ["127.0.0.1:7081"] }],
        },
      ],
    });
  });
});
