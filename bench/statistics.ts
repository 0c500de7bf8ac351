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

/** The 97.5 % point of the standard normal distribution: what lies between its two signs is 95 %. */
const Z = 1.959963984540054;

/** The 95 % score interval of a share, from 0 to 1, after Wilson (1927); undefined of nothing. */
export function wilson(part: number, all: number): readonly [low: number, high: number] | undefined {
  if (all === 0) return undefined;
  const share = part / all;
  const weight = (Z * Z) / all;
  const centre = share + weight / 2;
  const reach = Z * Math.sqrt((share * (1 - share) + weight / 4) / all);
  // Of none and of all, the near end is exact: rounding must not push it past.
  const low = part === 0 ? 0 : (centre - reach) / (1 + weight);
  return [low, part === all ? 1 : (centre + reach) / (1 + weight)];
}
