/** Waits, and then lets those who came one after the other go on in that order, however long each had to wait. */
export type InOrder = <A>(waiting: Promise<A>) => Promise<A>;

export function createInOrder(): InOrder {
  let before: Promise<unknown> = Promise.resolve();
  return (waiting) => {
    const mine = before.then(() => waiting);
    // Whoever fails has had its turn.
    before = Promise.allSettled([mine, waiting]);
    return mine;
  };
}
