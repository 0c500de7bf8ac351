/** One byte whether it is compressed, four of its length. */
const PREFIX_BYTES = 5;

/** How much has arrived of a message that is not whole, where one stream carries many. */
export class MessageArrival {
  #prefix = 0;
  #length = 0;
  #body = 0;

  /** Bytes of the message that has begun to arrive; 0 between two messages. */
  get bytes(): number {
    return this.#prefix + this.#body;
  }

  take(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#prefix < PREFIX_BYTES) this.#takePrefix(chunk[at++] ?? 0);
      else {
        const taken = Math.min(chunk.length - at, this.#length - this.#body);
        this.#body += taken;
        at += taken;
      }
      if (this.#prefix === PREFIX_BYTES && this.#body === this.#length) this.#begin();
    }
  }

  #takePrefix(byte: number): void {
    if (this.#prefix > 0) this.#length = this.#length * 256 + byte;
    this.#prefix++;
  }

  #begin(): void {
    this.#prefix = 0;
    this.#length = 0;
    this.#body = 0;
  }
}
