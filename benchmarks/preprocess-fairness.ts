import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../common/files.js';
import { decodeNpy } from '../common/npy.js';
import { decodeNpzEntry } from '../common/npz.js';
import { PROJECT_ROOT } from '../common/paths.js';
import type { Machine } from './machine.js';
import type { ReferenceClip } from './preprocess-protocol.js';

const GOLDEN = path.join(PROJECT_ROOT, 'test', 'golden');
/** The clips that the golden data was made from. */
export const GOLDEN_CLIPS = path.join(GOLDEN, 'clips');

/** Seconds that the same work took in PyTorch on a quiet machine of this kind, 2 threads, allocator tuned. */
const KNOWN_SECONDS = {
  machine: { cpu: 'AMD EPYC', cores: 2 },
  threads: 2,
  /** From clip to features, and to the answer of networks that see 32 frames. */
  features: { '00001-hap-hap-neu': 6.2, '00002-ang-neu-ang': 2.15 } as Readonly<Record<string, number>>,
  answer: { '00001-hap-hap-neu': 6.34, '00002-ang-neu-ang': 2.77 } as Readonly<Record<string, number>>,
  tolerance: 0.2,
};

/** Crops of a clip that the reference is known to make. */
const KNOWN_CROPS: Readonly<Record<string, number>> = { '00003-sad-sad-sad': 566 };
/** The clip of `audio_features_librosa_011.npz`. */
const AUDIO_CLIP = '00002-ang-neu-ang';

// Another version of torch may sum in another order; the golden file rounds to five decimals.
const MAX_PIXELS = 0.02;
const MAX_PROBABILITY = 2e-5;
const MAX_MEL = 1e-5;

const boxesSchema = z.object({
  frames: z.array(
    z.object({
      clip: z.string(),
      mel_frame: z.number(),
      boxes: z.array(z.array(z.number())).nullable(),
      probs: z.array(z.number()).nullable(),
    }),
  ),
});

/**
 * What of a clip's outcome the reference script gets otherwise than the reference system, as sentences; empty for
 * clips of which nothing is known.
 *
 * @param mel the file of its spectrogram
 */
export async function checkGolden(clip: string, found: ReferenceClip, mel: string): Promise<string[]> {
  const name = path.parse(clip).name;
  const wrong: string[] = [];
  const crops = KNOWN_CROPS[name];
  if (crops !== undefined && found.crops !== crops) wrong.push(`${found.crops} crops instead of ${crops}`);
  const { frames } = await readJson(path.join(GOLDEN, 'mtcnn_boxes.json'), boxesSchema);
  for (const { mel_frame: melFrame, boxes, probs } of frames.filter((frame) => frame.clip === name)) {
    const detection = found.detections.find((entry) => entry.melFrame === melFrame);
    const agrees =
      detection?.boxes.length === (boxes?.length ?? 0) &&
      differ(detection.boxes.flat(), boxes?.flat() ?? []) < MAX_PIXELS &&
      differ(detection.probabilities, probs ?? []) < MAX_PROBABILITY;
    if (!agrees) wrong.push(`other faces in mel frame ${melFrame}`);
  }
  if (name === AUDIO_CLIP) {
    const file = path.join(GOLDEN, 'audio_features_librosa_011.npz');
    const expected = decodeNpzEntry(await fsp.readFile(file), 'log_mel_norm', file);
    const actual = decodeNpy(await fsp.readFile(mel), mel);
    if (!(differ(Array.from(actual.data), Array.from(expected.data)) < MAX_MEL)) wrong.push('another spectrogram');
  }
  return wrong.map((what) => `the reference script makes ${what} of ${name}`);
}

/** What is wrong with the reference's time of a clip, where it is known for this machine. */
export function checkSeconds(
  work: 'features' | 'answer',
  clip: string,
  seconds: number,
  threads: number,
  { cpu, cores }: Machine,
): string[] {
  const name = path.parse(clip).name;
  const known = KNOWN_SECONDS[work][name];
  const { machine, tolerance } = KNOWN_SECONDS;
  if (known === undefined || threads !== KNOWN_SECONDS.threads) return [];
  if (cpu !== machine.cpu || cores !== machine.cores || Math.abs(seconds / known - 1) <= tolerance) return [];
  return [`the reference took ${seconds.toFixed(2)} s for ${name}, ${known} s on a quiet machine of this kind`];
}

function differ(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
