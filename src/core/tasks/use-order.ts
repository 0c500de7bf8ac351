import type { OpenTask } from "./self-asserted.ts";

/**
 * Open tasks by id, and which was used least recently. A list linked in the order of use: a Map in that order would keep a hole for each use, and
 * whoever asks for its first entry would walk over them all.
 */
export interface TasksByUse {
  get(id: string): OpenTask | undefined;
  /** Puts a task in, or its newer state in its place, as the one used last. */
  use(task: OpenTask): void;
  /** Puts a task's newer state in its place, which is no use of it. */
  replace(task: OpenTask): void;
  remove(id: string): void;
  readonly leastUsed: OpenTask | undefined;
  readonly size: number;
  ids(): Iterable<string>;
}

interface Link {
  task: OpenTask;
  before: Link | undefined;
  after: Link | undefined;
}

export function createTasksByUse(): TasksByUse {
  const links = new Map<string, Link>();
  let first: Link | undefined;
  let last: Link | undefined;

  const unlink = (link: Link): void => {
    if (link.before) link.before.after = link.after;
    else first = link.after;
    if (link.after) link.after.before = link.before;
    else last = link.before;
    link.before = undefined;
    link.after = undefined;
  };

  const append = (link: Link): void => {
    link.before = last;
    if (last) last.after = link;
    else first = link;
    last = link;
  };

  return {
    get: (id) => links.get(id)?.task,
    use(task) {
      const link = links.get(task.id);
      if (!link) {
        const fresh: Link = { task, before: undefined, after: undefined };
        links.set(task.id, fresh);
        append(fresh);
        return;
      }
      link.task = task;
      if (link === last) return;
      unlink(link);
      append(link);
    },
    replace(task) {
      const link = links.get(task.id);
      if (link) link.task = task;
    },
    remove(id) {
      const link = links.get(id);
      if (!link) return;
      unlink(link);
      links.delete(id);
    },
    get leastUsed() {
      return first?.task;
    },
    get size() {
      return links.size;
    },
    ids: () => links.keys(),
  };
}
