/** A series and its value, by its name and labels as they stand. */
export type Samples = ReadonlyMap<string, number>;

export interface Family {
  readonly type: string;
  readonly help: string;
}

export interface PrometheusText {
  readonly families: ReadonlyMap<string, Family>;
  readonly samples: Samples;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? ([+-]?(?:Inf|NaN|\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?))$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);

/**
 * Reads the text format as strictly as it is described: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * @throws {Error} at the first line that is not of it.
 */
export function readPrometheusText(text: string): PrometheusText {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  const samples = new Map<string, number>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [, word, family = "", said = ""] = COMMENT.exec(line) ?? [];
    if (word !== undefined) {
      const { type = "", help = "" } = families.get(family) ?? {};
      families.set(family, word === "HELP" ? { type, help: said } : { type: said, help });
      continue;
    }
    const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
    const series = `${name}${labels}`;
    const owner = families.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
    if (name === "" || !families.has(owner)) throw new Error(`no sample of a family: ${line}`);
    if (samples.has(series)) throw new Error(`told twice: ${series}`);
    samples.set(series, Number(value.replace("Inf", "Infinity")));
  }
  for (const [name, { type }] of families) if (type === "histogram") refuseBrokenHistogram(name, samples);
  return { families, samples };
}

/** Each bucket holds those below it, and the last holds all. */
function refuseBrokenHistogram(name: string, samples: Samples): void {
  const groups = Map.groupBy(
    [...samples].filter(([series]) => series.startsWith(`${name}_bucket{`)),
    ([series]) => series.replace(/le="[^"]+",?/, ""),
  );
  for (const [group, buckets] of groups) {
    const counts = buckets.map(([, count]) => count);
    if (counts.some((count, index) => count < (counts[index - 1] ?? 0))) throw new Error(`the buckets of ${group} fall`);
    const labels = group.slice(`${name}_bucket`.length).replace(/,\}$/, "}").replace("{}", "");
    if (counts.at(-1) !== samples.get(`${name}_count${labels}`)) throw new Error(`the last bucket of ${group} is not its count`);
  }
}
