import type { Clock, Ledger } from "../core/ports.ts";
import { openCursor } from "./cursor.ts";
import { createDelivery, whyFailed } from "./delivery.ts";
import { webhookMessage } from "./message.ts";
import { readWebhookSecret } from "./signing.ts";

export interface WebhooksOptions {
  readonly ledger: Pick<Ledger, "approvalEvents" | "onApprovalChange" | "onReadyChange">;
  readonly url: string;
  readonly secretPath: string;
  readonly cursorPath: string;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How long a receiver may take. */
  readonly timeoutMs: number;
  /** Between two attempts: the first wait, doubled each time, and the longest. */
  readonly retryMs: { readonly first: number; readonly most: number };
  readonly log: WebhooksLog;
}

export interface WebhooksLog {
  /** What an operator should know and need not mend. */
  told(what: string): void;
  /** Deliveries fail; told once until one succeeds. */
  failing(why: string): void;
}

export interface Webhooks {
  /** Gives up what is under way: it is delivered again. */
  close(): Promise<void>;
}

/**
 * Delivers every event about an approval to one receiver, in the order of the ledger, each at least once: the cursor moves when the receiver has said 2xx, and what
 * is behind it waits. The first time it begins with the next event. Nothing waits for a receiver but its own messages.
 * @throws {Error} for a secret or a cursor that cannot be used; {ServiceError} LEDGER_UNAVAILABLE
 */
export async function openWebhooks(options: WebhooksOptions): Promise<Webhooks> {
  const { ledger, log } = options;
  const key = readWebhookSecret(options.secretPath);
  const cursor = openCursor(options.cursorPath);
  const receiver = new URL(options.url).origin;
  const { last } = await ledger.approvalEvents({ after: 0, limit: 0 });
  if (cursor.after === undefined || cursor.after > last) {
    const why = cursor.after === undefined ? "" : `; the ledger is an older one than that of which event ${cursor.after} was delivered`;
    await cursor.moveTo(last);
    log.told(`approvals are told to ${receiver} from event ${last + 1} of the ledger on, and nothing earlier${why}`);
  }
  const closing = new AbortController();
  const deliver = createDelivery({ ...options, key });
  const news = createNews(closing.signal);
  ledger.onApprovalChange(news.come);
  ledger.onReadyChange(news.come);

  const deliverNext = async (): Promise<boolean> => {
    const [next] = (await ledger.approvalEvents({ after: cursor.after ?? last, limit: 1 })).events;
    if (!next) return false;
    await deliver(webhookMessage(next), closing.signal);
    await cursor.moveTo(next.seq);
    return true;
  };
  const running = keepDelivering({ ...options, receiver, deliverNext, news, closing: closing.signal });
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

interface Delivering extends Pick<WebhooksOptions, "retryMs" | "random" | "log"> {
  readonly receiver: string;
  /** Answers whether there was any. */
  readonly deliverNext: () => Promise<boolean>;
  readonly news: News;
  readonly closing: AbortSignal;
}

async function keepDelivering({ deliverNext, news, closing, retryMs, random, log, receiver }: Delivering): Promise<void> {
  let failures = 0;
  while (!closing.aborted) {
    try {
      news.heed();
      const wasOne = await deliverNext();
      if (failures > 0) log.told(`${receiver} takes webhooks again`);
      failures = 0;
      if (!wasOne) await news.next();
    } catch (error) {
      if (closing.aborted) return;
      if (failures === 0) log.failing(`${receiver} cannot be told of approvals: ${whyFailed(error)}; tried again until it can`);
      const delayMs = Math.min(retryMs.most, retryMs.first * 2 ** Math.min(failures, 30));
      failures++;
      // Between half of it and all of it, so that many do not come back at one moment.
      await pause(delayMs * (0.5 + random() / 2), closing);
    }
  }
}

function pause(ms: number, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      closing.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    closing.addEventListener("abort", over);
    if (closing.aborted) over();
  });
}

/** That there may be something to read. */
interface News {
  readonly come: () => void;
  /** What came until now is looked at. */
  readonly heed: () => void;
  /** Answers when something has come since, or everything ends. */
  readonly next: () => Promise<void>;
}

function createNews(closing: AbortSignal): News {
  let hasCome = false;
  let wake: (() => void) | undefined;
  const come = (): void => {
    hasCome = true;
    wake?.();
  };
  closing.addEventListener("abort", come);
  return {
    come,
    heed: () => {
      hasCome = closing.aborted;
    },
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
        if (hasCome) resolve();
      }),
  };
}
