import { type ControlEvent, decodeEvent, encodeEvent, type LedgerEvent } from "../../core/record.ts";
import { type ControlJournal, openControlJournal } from "./control-journal.ts";

export interface HeldControlsOptions {
  /** Path of the control journal. */
  readonly path: string;
  readonly key: Buffer;
  /** Told what is wrong with the journal. */
  readonly onProblem: (problem: string) => void;
}

/** Control events that may not be in the ledger: all of them in memory, and in the control journal what it takes. */
export class HeldControls {
  readonly #journal: ControlJournal;
  /** Texts by their ids. */
  readonly #texts: Map<string, string>;
  /** Ids of those that are only in memory. */
  readonly #fleeting = new Set<string>();
  #keeping: Promise<unknown> = Promise.resolve();

  /** Takes in what the journal holds. @throws {Error} when it cannot be read, or its space cannot be had. */
  constructor({ path, key, onProblem }: HeldControlsOptions) {
    this.#journal = openControlJournal({
      path,
      key,
      idOf: (text) => decodeEvent(text).id,
      onFailure: (error) => onProblem(`it cannot be written: ${error.message}`),
    });
    const { damagedSlots, found } = this.#journal;
    this.#texts = new Map(found.map((text) => [decodeEvent(text).id, text]));
    if (damagedSlots > 0) {
      onProblem(
        `${damagedSlots} of its slots cannot be read: a suspension or revocation that was being made when the server ended, or damage; compare \`behest suspensions\` and \`behest tasks\` with what should hold`,
      );
    }
  }

  get ids(): readonly string[] {
    return [...this.#texts.keys()];
  }

  get texts(): readonly string[] {
    return [...this.#texts.values()];
  }

  get events(): readonly LedgerEvent[] {
    return this.texts.map(decodeEvent);
  }

  /** Whether they outlast this process. A turn without events rests on what was kept before it. */
  async keep(events: readonly ControlEvent[]): Promise<boolean> {
    const kept = events.map((event) => this.#keepOne(event));
    const before = this.#keeping;
    this.#keeping = Promise.all([before, ...kept]);
    await this.#keeping;
    return events.length === 0 ? this.#fleeting.size === 0 : events.every(({ id }) => !this.#fleeting.has(id));
  }

  async #keepOne(event: ControlEvent): Promise<void> {
    const text = encodeEvent(event);
    this.#texts.set(event.id, text);
    this.#fleeting.add(event.id);
    if (await this.#journal.append(event.id, text)) this.#fleeting.delete(event.id);
  }

  /** They are in the ledger. */
  settle(ids: readonly string[]): void {
    for (const id of ids) {
      this.#texts.delete(id);
      this.#fleeting.delete(id);
    }
    void this.#journal.clear(ids);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}
