/** Okabe and Ito's colours, told apart with every kind of colour vision. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
export const GRID = '#dddddd';

/** Four to nine round numbers that span the values. */
export function niceTicks(values: readonly number[]): number[] {
  let low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  let high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** A tick with as many digits as the distance between ticks needs. */
export function tickLabel(value: number, axis: readonly number[]): string {
  const step = axis[1]! - axis[0]!;
  const largest = Math.max(...axis.map(Math.abs));
  if (largest < 1e-3) return value === 0 ? '0' : value.toExponential(1);
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const exact = Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6 ? digits : digits + 1;
  return value.toFixed(exact);
}
