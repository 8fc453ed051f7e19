/** One triangular filter: `weights` apply to the FFT bins from `firstBin` on. */
export interface MelFilter {
  firstBin: number;
  weights: Float64Array;
}

/** Slaney's mel scale: linear below 1 kHz (15 mel), logarithmic above. */
const HZ_PER_MEL = 200 / 3;
const LOG_FROM_MEL = 15;
const LOG_STEP = Math.log(6.4) / 27;

function hzToMel(hz: number): number {
  const linear = hz / HZ_PER_MEL;
  return linear < LOG_FROM_MEL ? linear : LOG_FROM_MEL + Math.log(linear / LOG_FROM_MEL) / LOG_STEP;
}

function melToHz(mel: number): number {
  return mel < LOG_FROM_MEL ? mel * HZ_PER_MEL : LOG_FROM_MEL * HZ_PER_MEL * Math.exp((mel - LOG_FROM_MEL) * LOG_STEP);
}

/**
 * librosa's `filters.mel(norm='slaney', htk=False)`, kept sparse; weights are rounded to float32 as librosa's are.
 */
export function melFilters(options: {
  sampleRate: number;
  fftSize: number;
  bands: number;
  minHz: number;
  maxHz: number;
}): MelFilter[] {
  const { sampleRate, fftSize, bands, minHz, maxHz } = options;
  const [low, high] = [hzToMel(minHz), hzToMel(maxHz)];
  const edges = Array.from({ length: bands + 2 }, (_, i) => melToHz(low + ((high - low) * i) / (bands + 1)));
  return Array.from({ length: bands }, (_, band) => {
    const [left, centre, right] = [edges[band]!, edges[band + 1]!, edges[band + 2]!];
    const norm = 2 / (right - left);
    const weightOf = (bin: number) => {
      const hz = (bin * sampleRate) / fftSize;
      const triangle = Math.max(0, Math.min((hz - left) / (centre - left), (right - hz) / (right - centre)));
      return Math.fround(Math.fround(triangle) * norm);
    };
    const bins = Array.from({ length: fftSize / 2 + 1 }, (_, bin) => bin).filter((bin) => weightOf(bin) > 0);
    return { firstBin: bins[0] ?? 0, weights: Float64Array.from(bins, weightOf) };
  });
}
