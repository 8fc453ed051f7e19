const WINDOW = 3;

/**
 * `scipy.signal.wiener` with its default window of 3: local mean and variance with zeros beyond the ends, noise power
 * the mean of the local variances; where the variance is below the noise the local mean is taken.
 * Where scipy divides zero by zero (all samples equal zero) the local mean is taken, too.
 */
export function wiener(samples: Float64Array): Float64Array {
  const count = samples.length;
  const means = new Float64Array(count);
  const variances = new Float64Array(count);
  let noise = 0;
  for (let i = 0; i < count; i++) {
    const left = i > 0 ? samples[i - 1]! : 0;
    const centre = samples[i]!;
    const right = i + 1 < count ? samples[i + 1]! : 0;
    const mean = (left + centre + right) / WINDOW;
    const variance = (left * left + centre * centre + right * right) / WINDOW - mean * mean;
    means[i] = mean;
    variances[i] = variance;
    noise += variance;
  }
  noise /= count;
  const result = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const mean = means[i]!;
    const variance = variances[i]!;
    result[i] = variance > 0 && variance >= noise ? mean + (samples[i]! - mean) * (1 - noise / variance) : mean;
  }
  return result;
}
