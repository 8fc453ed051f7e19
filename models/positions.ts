/** Sinusoidal positions of arXiv 1706.03762, row-major (steps, features): sines and cosines alternate. */
export function sinusoidalPositions(steps: number, features: number): Float32Array {
  const table = new Float32Array(steps * features);
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < features; i++) {
      const angle = step / 10000 ** ((i - (i % 2)) / features);
      table[step * features + i] = i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return table;
}
