import { writeSync } from "node:fs";
import { answer, use } from "./askings.ts";
import { openSqlite } from "./storages.ts";

/** Approves, then uses what was approved, many times at once, and says so line by line as it is acknowledged: to be killed anywhere. */
const [path = "", id = "", request = "{}"] = process.argv.slice(2);
const asked = { id, request: JSON.parse(request) };
const say = (line: string): number => writeSync(1, `${line}\n`);

const storage = await openSqlite({ path });
await answer(storage, asked);
say("approved");
await Promise.all(
  Array.from({ length: 8 }, async () => {
    const { id: decision, judgement } = await use(storage, asked);
    say(judgement.outcome === "ALLOW" ? `allowed ${decision}` : "refused");
  }),
);
say("over");
await storage.close();
