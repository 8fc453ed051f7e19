/** The mean of each class over several rows of probabilities, as the reference averages variants and models. */
export function arithmeticMean(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, column) => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length);
}

/** Below it a probability counts as so much: one model's zero must not veto a class. */
const LEAST_PROBABILITY = 1e-12;

/**
 * The geometric mean of several rows of probabilities, made to sum to 1 again: the logarithmic opinion pool
 * (Genest and Zidek 1986), which is the softmax of the mean of calibrated logits.
 */
export function geometricMean(rows: readonly (readonly number[])[]): number[] {
  const logarithms = arithmeticMean(
    rows.map((row) => row.map((value) => Math.log(Math.max(value, LEAST_PROBABILITY)))),
  );
  const powers = logarithms.map(Math.exp);
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}
