/** A call for a decision of which nothing but its headers has been looked at. */
export interface Waiting {
  begin(): void;
  refuse(): void;
}

interface Place {
  readonly waiting: Waiting;
  /** What it takes: a batch takes more than one decision. */
  readonly weight: number;
  readonly sinceMs: number;
  gone: boolean;
}

export interface AdmissionPorts {
  readonly queueAgeMaxMs: number;
  /** How long the oldest decision has waited to be given to the disk. */
  readonly queuedForMs: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

/** Begun in one turn of the event loop: at half load a turn never has so many, and control waits no longer than they take. */
const BEGUN_PER_TURN = 256;
/** Refused in one turn, as long as others are begun: a refusal costs a third of a decision, and each lets its caller send another call. */
const REFUSED_PER_TURN = BEGUN_PER_TURN;
/** What has waited so many times too long is refused, even if there is time for it. */
const HOPELESS_FACTOR = 1.5;
/** How soon to look again whether the disk takes more. */
const BLOCKED_MS = 5;

/**
 * Calls for decisions that wait to be begun, in order. Once the first has waited too long, what comes is refused at once, but no more than leaves most
 * of the time to decisions: to refuse ten times as much as is decided would take longer than to decide. What has waited too long, and what could not
 * be refused, is held: it keeps its caller's stream, and so its caller from sending more. When nothing else waits it is begun, and as long as
 * something does it is refused: begun what was held last, refused what was held first, because what is oldest is given up first.
 */
export class Admission {
  readonly #ports: AdmissionPorts;
  /** In order; what is before `#first` is done with. */
  #queue: Place[] = [];
  #first = 0;
  #held: Place[] = [];
  /** As above. */
  #heldFirst = 0;
  #begunLeft = BEGUN_PER_TURN;
  #refusedLeft = REFUSED_PER_TURN;
  #turning = false;

  constructor(ports: AdmissionPorts) {
    this.#ports = ports;
  }

  /** Begins it, now or later, or refuses it. Answers what to call if its caller gives up. */
  ask(waiting: Waiting, weight: number): () => void {
    this.#turnSoon();
    const nowMs = this.#ports.nowMs();
    const place: Place = { waiting, weight, sinceMs: nowMs, gone: false };
    const head = this.#queue[this.#first];
    if (!head && this.#begunLeft > 0 && !this.#isBlocked()) this.#begin(place);
    else if (!head || nowMs - head.sinceMs <= this.#ports.queueAgeMaxMs) this.#queue.push(place);
    else if (this.#refusedLeft > 0) this.#refuse(place);
    else this.#held.push(place);
    return () => {
      place.gone = true;
    };
  }

  #begin(place: Place): void {
    this.#begunLeft -= place.weight;
    place.gone = true;
    place.waiting.begin();
  }

  #refuse(place: Place): void {
    this.#refusedLeft--;
    place.gone = true;
    place.waiting.refuse();
  }

  #isBlocked(): boolean {
    return this.#ports.queuedForMs() > this.#ports.queueAgeMaxMs;
  }

  #turnSoon(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turning = false;
    this.#begunLeft = BEGUN_PER_TURN;
    this.#refusedLeft = REFUSED_PER_TURN;
    const blocked = this.#isBlocked();
    if (blocked) this.#refuseOld();
    else this.#beginSome();
    if (blocked || this.#first < this.#queue.length) this.#refuseHeld();
    if (this.#first === this.#queue.length && this.#heldFirst === this.#held.length) return;
    if (!blocked) this.#turnSoon();
    else if (!this.#turning) {
      this.#turning = true;
      setTimeout(() => this.#turn(), BLOCKED_MS);
    }
  }

  #beginSome(): void {
    this.#holdOld();
    while (this.#begunLeft > 0 && this.#first < this.#queue.length) this.#take(this.#queue[this.#first++], "begin");
    if (this.#first > BEGUN_PER_TURN || this.#first === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    this.#beginHeld();
  }

  /** The last first; but to begin what has waited that long is to work for nobody. */
  #beginHeld(): void {
    const hopelessMs = this.#ports.nowMs() - HOPELESS_FACTOR * this.#ports.queueAgeMaxMs;
    while (this.#begunLeft > 0 && this.#held.length > this.#heldFirst && (this.#held.at(-1)?.sinceMs ?? 0) >= hopelessMs)
      this.#take(this.#held.pop(), "begin");
    if (this.#begunLeft > 0) this.#refuseHeld();
  }

  /** The first first, so that nobody is held for long. */
  #refuseHeld(): void {
    while (this.#refusedLeft > 0 && this.#heldFirst < this.#held.length) this.#take(this.#held[this.#heldFirst++], "refuse");
    if (this.#heldFirst <= BEGUN_PER_TURN && this.#heldFirst < this.#held.length) return;
    this.#held = this.#held.slice(this.#heldFirst);
    this.#heldFirst = 0;
  }

  /** Whoever came later can still be answered in time. */
  #holdOld(): void {
    const oldestMs = this.#ports.nowMs() - this.#ports.queueAgeMaxMs;
    for (let head = this.#queue[this.#first]; head && head.sinceMs < oldestMs; head = this.#queue[this.#first]) {
      this.#first++;
      if (!head.gone) this.#held.push(head);
    }
  }

  /** The disk takes nothing: whoever has waited too long is told. */
  #refuseOld(): void {
    const nowMs = this.#ports.nowMs();
    for (let head = this.#queue[this.#first]; head && this.#refusedLeft > 0; head = this.#queue[this.#first]) {
      if (nowMs - head.sinceMs <= this.#ports.queueAgeMaxMs) return;
      this.#first++;
      this.#take(head, "refuse");
    }
  }

  #take(place: Place | undefined, what: "begin" | "refuse"): void {
    if (!place || place.gone) return;
    if (what === "begin") this.#begin(place);
    else this.#refuse(place);
  }
}
