/** The middle of some figures; of an even number, the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? at(sorted, middle) : (at(sorted, middle - 1) + at(sorted, middle)) / 2;
}

/** The figure that a share of all figures does not exceed; `share` is 0 to 1. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return at(sorted, Math.min(sorted.length - 1, Math.floor(share * sorted.length)));
}

function at(sorted: readonly number[], index: number): number {
  const figure = sorted[index];
  if (figure === undefined) throw new RangeError("no figures");
  return figure;
}

export function rounded(figure: number, digits: number): number {
  return Number(figure.toFixed(digits));
}
