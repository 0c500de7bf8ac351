/** The known word closest to a mistyped one, if one is close: by no more mistakes than these. */
export function nearest(word: string, known: Iterable<string>, mistakes = Number.POSITIVE_INFINITY): string | undefined {
  let best: string | undefined;
  let least = Math.min(mistakes, mistakesMax(word.length)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word, candidate);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Of a short word two mistakes leave nothing to recognise. */
const mistakesMax = (length: number): number => (length <= 3 ? Math.min(1, length - 1) : Math.max(2, Math.floor(length / 3)));

/** Damerau–Levenshtein in its optimal string alignment form: a swap of neighbours is one mistake. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
