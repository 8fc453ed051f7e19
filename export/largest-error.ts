/** Largest |a - b| / max(1, |a|); infinite where a value is not a number or the lengths differ. */
export function largestError(expected: unknown, found: unknown): number {
  if (!(expected instanceof Float32Array && found instanceof Float32Array)) return Number.POSITIVE_INFINITY;
  if (expected.length !== found.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((largest, value, index) => {
    const error = Math.abs(value - found[index]!) / Math.max(1, Math.abs(value));
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(largest, error);
  }, 0);
}
