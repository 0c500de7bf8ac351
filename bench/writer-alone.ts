import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { Writer } from "../src/storage/sqlite/writer-thread.ts";

/** What a server has written, text by text, in order. */
export interface Written {
  readonly texts: readonly string[];
  /** Events of its transactions, on average. */
  readonly groupEvents: number;
}

/** Reads it beside the server that writes it. */
export function readWritten(databasePath: string): Written {
  const db = new Sqlite(databasePath, { readonly: true });
  try {
    const texts = db
      .prepare<[], string>("SELECT record FROM (SELECT seq, record FROM decisions UNION ALL SELECT seq, record FROM events) ORDER BY seq")
      .pluck()
      .all();
    const groups = db.prepare<[], number>("SELECT count(*) FROM tree_heads").pluck().get() ?? 1;
    return { texts, groupEvents: texts.length / groups };
  } finally {
    db.close();
  }
}

/** Transactions sent ahead of the one that is written: it never waits for this thread. */
const AHEAD = 2;

export interface WrittenAlone {
  readonly perSecond: number;
  /** CPU µs of this process for a row: the writer's, and what it takes to hand it over. */
  readonly cpuUs: number;
}

/** What the writer takes into a new file when nobody decides anything: the last `counted` texts, the others before. */
export async function writeAlone(texts: readonly string[], { directory, counted, groupEvents }: WritingAlone): Promise<WrittenAlone> {
  mkdirSync(directory, { recursive: true });
  const writer = new Writer({
    path: join(directory, `${randomBytes(4).toString("hex")}.db`),
    nowMs: Date.now(),
    cacheRowsMax: 0,
    observationKey: randomBytes(32),
    controls: [],
  });
  await writer.opened(() => undefined);
  try {
    const first = Math.max(0, texts.length - counted);
    await writeAll(writer, texts.slice(0, first), GROUP_EVENTS_MAX);
    const rows = texts.length - first;
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    await writeAll(writer, texts.slice(first), groupEvents);
    const { user, system } = process.cpuUsage(cpu);
    return { perSecond: rows / ((performance.now() - began) / 1_000), cpuUs: (user + system) / rows };
  } finally {
    await writer.close();
  }
}

export interface WritingAlone {
  readonly directory: string;
  readonly counted: number;
  readonly groupEvents: number;
}

const GROUP_EVENTS_MAX = 1_024;

function writeAll(writer: Writer, texts: readonly string[], groupEvents: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let underWay = 0;
    const more = (): void => {
      while (underWay < AHEAD && sent < texts.length) {
        writer.send({ kind: "group", events: texts.slice(sent, sent + groupEvents), policies: [], observed: [], cacheRows: [] });
        sent += groupEvents;
        underWay++;
      }
      if (underWay === 0) resolve();
    };
    writer.onWritten = () => {
      underWay--;
      more();
    };
    writer.onFailed = reject;
    more();
  });
}
