import { readFileSync } from "node:fs";
import { createInference } from "./src/inference/infer.ts";
import type { JsonObject } from "./src/core/words.ts";
const infer = createInference();
const all: Record<string, Record<string, number>> = {};
const rows: string[] = [];
for (const file of process.argv.slice(2)) for (const line of readFileSync(file,"utf8").split("\n").filter(Boolean)) {
  const t = JSON.parse(line);
  const schema = t.inputSchema ?? { type: "object", properties: Object.fromEntries(t.parameters.map((p: any) => [p.name, { type: ({str:"string",int:"integer",float:"number",number:"number",bool:"boolean"} as any)[p.type] ?? "string" }])) };
  const names = Object.keys(schema.properties ?? {});
  const opaque = new Map(names.map((n, i) => [n, `a${i + 1}`]));
  const hide = (text: string) => text.replaceAll(/[A-Za-z_][\w-]*/g, (w: string) => opaque.has(w) && (w.includes("_") ) ? (opaque.get(w) as string) : w);
  const description = (t.description as string).split("\n").map((l) => l.replace(/^(\s+[-*]?\s*`?)([A-Za-z_][\w.-]*)/, (m, a, w) => opaque.has(w) ? a + opaque.get(w) : m)).join("\n");
  const hidden = { ...schema, properties: Object.fromEntries(Object.entries(schema.properties ?? {}).map(([k, v]) => [opaque.get(k), v])) };
  const a = infer({ name: t.name, description: t.description, inputSchema: schema });
  const b = infer({ name: "t17", description, inputSchema: hidden as JsonObject });
  for (const [i, one] of a.arguments.entries()) {
    const [x, y] = [String(one.value), String(b.arguments[i]?.value)];
    (all[x] ??= {})[y] = ((all[x] ?? {})[y] ?? 0) + 1;
    if (x !== y) rows.push(`${x.padEnd(11)} ${y.padEnd(11)} ${a.effect.value.padEnd(8)} ${b.effect.value.padEnd(8)} ${t.name}.${one.name}: ${JSON.stringify((schema.properties[one.name] as any)).slice(0,200)}`);
  }
}
console.table(all);
console.log(rows.sort().join("\n"));
