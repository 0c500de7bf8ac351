import { Worker } from "node:worker_threads";
import { ServiceError } from "../../core/errors.ts";
import type { ApprovalEventsQuestion, EndedSuspensionsQuestion } from "../../core/ports.ts";
import type { StoredApprovalEvents } from "./approval-events.ts";
import type { FromWriter, PolicyRow, Room, ToWriter, WriterOptions, WrittenGroup } from "./messages.ts";
import type { SuspensionRow } from "./suspension-rows.ts";

type FoundMessage = Extract<FromWriter, { readonly ticket: number }>;

/** The writer on its thread, as the decisions' thread sees it. */
export class Writer {
  onWritten: (group: WrittenGroup) => void = () => undefined;
  onFailed: (error: Error) => void = () => undefined;
  readonly #thread: Worker;
  readonly #reads = new Map<number, { resolve: (answer: FoundMessage) => void; reject: (error: Error) => void }>();
  #ticket = 0;
  #closing: (() => void) | undefined;

  constructor(options: WriterOptions) {
    // The same extension as this file's: sources in development, JavaScript when built.
    const file = new URL(import.meta.url.endsWith(".ts") ? "./writer.ts" : "./writer.js", import.meta.url);
    this.#thread = new Worker(file, { workerData: options, name: "behest-ledger" });
  }

  /** Hands on what the state is rebuilt from, and answers once the file is open: for which instant, in milliseconds. */
  opened(take: (message: FromWriter) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: FromWriter): void => {
        if (message.kind === "failed") reject(new Error(message.why));
        else if (message.kind === "opened") {
          this.#thread.off("message", onMessage);
          this.#listen();
          resolve(message.atMs);
        } else {
          try {
            take(message);
          } catch (error) {
            // What cannot be read cannot be decided on.
            void this.#thread.terminate();
            reject(error);
          }
        }
      };
      this.#thread.on("message", onMessage);
      this.#thread.once("error", reject);
      this.#thread.once("exit", () => reject(new Error("the ledger's thread ended")));
    });
  }

  send(message: ToWriter): void {
    this.#thread.postMessage(message);
  }

  async read(decisionId: string): Promise<string | undefined> {
    const answer = await this.#ask((ticket) => ({ kind: "read", ticket, decisionId }));
    return answer.kind === "found" ? answer.record : undefined;
  }

  async readReport(decisionId: string): Promise<string | undefined> {
    const answer = await this.#ask((ticket) => ({ kind: "read report", ticket, decisionId }));
    return answer.kind === "found report" ? answer.record : undefined;
  }

  async readEndedSuspensions(question: EndedSuspensionsQuestion): Promise<readonly SuspensionRow[]> {
    const answer = await this.#ask((ticket) => ({ kind: "read ended suspensions", ticket, question }));
    return answer.kind === "found ended suspensions" ? answer.rows : [];
  }

  async readApprovalEvents(question: ApprovalEventsQuestion): Promise<StoredApprovalEvents> {
    const answer = await this.#ask((ticket) => ({ kind: "read approval events", ticket, question }));
    return answer.kind === "found approval events" ? answer : { rows: [], last: 0 };
  }

  async readPolicy(digest: string): Promise<Omit<PolicyRow, "digest"> | undefined> {
    const answer = await this.#ask((ticket) => ({ kind: "read policy", ticket, digest }));
    return answer.kind === "found policy" ? answer.row : undefined;
  }

  async measurePolicy(policy: PolicyRow): Promise<Room> {
    const answer = await this.#ask((ticket) => ({ kind: "measure policy", ticket, policy }));
    return answer.kind === "measured policy" ? answer : { neededBytes: 0, freeBytes: 0 };
  }

  #ask(message: (ticket: number) => ToWriter): Promise<FoundMessage> {
    const ticket = ++this.#ticket;
    return new Promise((resolve, reject) => {
      this.#reads.set(ticket, { resolve, reject });
      this.send(message(ticket));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closing = resolve;
      this.#thread.once("exit", () => resolve());
      this.send({ kind: "close" });
    });
  }

  #listen(): void {
    this.#thread.on("message", (message: FromWriter) => {
      if (message.kind === "written") this.onWritten(message);
      else if ("ticket" in message) {
        this.#reads.get(message.ticket)?.resolve(message);
        this.#reads.delete(message.ticket);
      } else if (message.kind === "failed") this.#broken(new Error(message.why));
    });
    this.#thread.on("error", (error) => this.#broken(error instanceof Error ? error : new Error(String(error))));
    this.#thread.on("exit", () => {
      if (!this.#closing) this.#broken(new Error("the ledger's thread ended"));
    });
  }

  #broken(error: Error): void {
    for (const { reject } of this.#reads.values()) {
      reject(new ServiceError("LEDGER_UNAVAILABLE", "the record could not be read; retry after a moment", { cause: error }));
    }
    this.#reads.clear();
    this.onFailed(error);
  }
}
