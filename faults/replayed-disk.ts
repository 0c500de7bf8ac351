import { type Change, Contents, changeInPart, type Draw, leftOf } from "./replayed-file.ts";
import type { Entry } from "./shim/log.ts";

interface File {
  /** What the process reads. */
  readonly live: Contents;
  /** What a power cut cannot take. */
  readonly synced: Contents;
  /** What it can, in order. */
  pending: Change[];
}

/** What happens to names at once: undefined takes one away. */
type Naming = ReadonlyMap<string, File | undefined>;

/** What was there when a sync began. */
interface Sync {
  readonly changes: readonly Change[];
  readonly namings: readonly Naming[];
}

type EntryOf<K extends Entry["kind"]> = Extract<Entry, { readonly kind: K }>;

/**
 * A disk to which the log of a process happens, and which can lose its power. What a sync that has succeeded has covered is there for certain. Of what was
 * written since, any part may be: each sector of each write, each truncation and each new length on its own. Names are made, changed and taken away in
 * order, as journaling file systems do, and are certain once their directory has been synced. After a sync that failed nobody writes what it should have
 * written: what of it is on the disk is settled then, and no later sync changes that.
 */
export class ReplayedDisk {
  readonly #settle: Draw;
  readonly #names = new Map<string, File>();
  readonly #syncedNames = new Map<string, File>();
  #namings: Naming[] = [];
  /** By handle; null is the directory. */
  readonly #handles = new Map<bigint, File | null>();
  readonly #syncs = new Map<bigint, Sync>();

  /** `settle` draws what a failed sync has left on the disk. */
  constructor(settle: Draw) {
    this.#settle = settle;
  }

  /** @throws {Error} for what the log cannot have said. */
  apply(entry: Entry): void {
    switch (entry.kind) {
      case "opened":
        this.#open(entry);
        break;
      case "written":
        if (entry.bytes.length > 0) change(this.#fileOf(entry.handle), { at: entry.offset, bytes: entry.bytes });
        break;
      case "truncated":
        if (entry.error === 0) change(this.#fileOf(entry.handle), { size: entry.size });
        break;
      case "sync began":
        this.#syncs.set(entry.sync, { changes: [...(this.#handles.get(entry.handle)?.pending ?? [])], namings: [...this.#namings] });
        break;
      case "sync ended":
        this.#endSync(entry);
        break;
      case "renamed":
        this.#rename(entry);
        break;
      case "unlinked":
        this.#name(new Map([[entry.name, undefined]]));
        break;
      case "closed":
        this.#handles.delete(entry.handle);
        break;
    }
  }

  /** What the process itself would read now. */
  live(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#names].map(([name, { live }]) => [name, live.copy()]));
  }

  /** What is there after the power has gone. `during` was under way: it may be there in part. Changes nothing. */
  cut(draw: Draw, during?: Entry): ReadonlyMap<string, Buffer> {
    const names = new Map(this.#syncedNames);
    for (const naming of this.#namings.slice(0, draw(this.#namings.length + 1))) nameIn(names, naming);
    const under =
      during?.kind === "written" ? { file: this.#handles.get(during.handle), change: { at: during.offset, bytes: during.bytes } } : undefined;
    return new Map(
      [...names].map(([name, file]) => {
        const pending = under?.file === file && under ? [...file.pending, under.change] : file.pending;
        return [name, leftOf(file.synced, pending, draw)];
      }),
    );
  }

  #open({ handle, name, created, emptied }: EntryOf<"opened">): void {
    if (name === "") {
      this.#handles.set(handle, null);
      return;
    }
    const known = created ? undefined : this.#names.get(name);
    if (!known && !created) throw new Error(`the log opens \`${name}\` and says nothing of its making`);
    const file = known ?? { live: new Contents(), synced: new Contents(), pending: [] };
    if (!known) this.#name(new Map([[name, file]]));
    else if (emptied) change(file, { size: 0 });
    this.#handles.set(handle, file);
  }

  #rename({ from, to }: EntryOf<"renamed">): void {
    const file = this.#names.get(from);
    if (!file) throw new Error(`the log renames \`${from}\`, which is not there`);
    this.#name(
      new Map([
        [from, undefined],
        [to, file],
      ]),
    );
  }

  #endSync({ handle, sync, error }: EntryOf<"sync ended">): void {
    const began = this.#syncs.get(sync);
    if (!began) throw new Error(`the log ends a sync that has not begun: ${sync}`);
    this.#syncs.delete(sync);
    const file = this.#handles.get(handle);
    if (!file) {
      if (error === 0) this.#settleNames(new Set(began.namings));
      return;
    }
    const covered = new Set(began.changes);
    for (const one of file.pending) {
      if (!covered.has(one)) continue;
      if (error === 0) file.synced.change(one);
      else changeInPart(file.synced, one, this.#settle);
    }
    file.pending = file.pending.filter((one) => !covered.has(one));
  }

  #settleNames(covered: ReadonlySet<Naming>): void {
    for (const naming of this.#namings) if (covered.has(naming)) nameIn(this.#syncedNames, naming);
    this.#namings = this.#namings.filter((naming) => !covered.has(naming));
  }

  #name(naming: Naming): void {
    nameIn(this.#names, naming);
    this.#namings.push(naming);
  }

  #fileOf(handle: bigint): File {
    const file = this.#handles.get(handle);
    if (!file) throw new Error(`the log changes a file that it has not opened: ${handle}`);
    return file;
  }
}

function change(file: File, one: Change): void {
  file.live.change(one);
  file.pending.push(one);
}

function nameIn(names: Map<string, File>, naming: Naming): void {
  for (const [name, file] of naming) {
    if (file) names.set(name, file);
    else names.delete(name);
  }
}
