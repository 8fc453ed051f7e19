import { MODALITIES } from '../../common/labels.js';
import type { Random } from '../../common/random.js';
import type { Batch } from '../../preprocessing/model-inputs.js';
import type { TrainConfig } from '../config.js';
import type { Targets } from './targets.js';

const MEL_BANDS = 128;

/** Mixes the clips of a batch in place, as the flags ask: mixup first, cutmix where mixup did not fire. */
export function mixBatch(batch: Batch, targets: Targets, faceSize: number, config: TrainConfig, random: Random): void {
  if (config.mixup_alpha > 0 && random.uniform() < config.mixup_prob) {
    const lambda = random.beta(config.mixup_alpha, config.mixup_alpha);
    mixup(batch, targets, random.permutation(batch.clips), lambda);
  } else if (config.cutmix_beta > 0 && random.uniform() < config.cutmix_prob) {
    const lambda = random.beta(config.cutmix_beta, config.cutmix_beta);
    const { clips, face, speech } = batch;
    if (config.mode === 'face') {
      const shape = { frames: face.frames, height: faceSize, width: faceSize, channels: 3 };
      cutmix(face.data, { ...shape, time: 'frames', lengths: face.lengths }, targets, lambda, random);
    } else if (config.mode === 'speech') {
      const width = speech.data.length / clips / MEL_BANDS;
      const shape = { frames: 1, height: MEL_BANDS, width, channels: 1 };
      cutmix(speech.data, { ...shape, time: 'width', lengths: speech.lengths }, targets, lambda, random);
    }
  }
}

/**
 * Mixup (arXiv 1710.09412): x = lambda * x + (1 - lambda) * x[order], one lambda and one order for all modalities and
 * labels. Words are mixed as their embeddings (arXiv 1905.08941).
 */
export function mixup(batch: Batch, targets: Targets, order: readonly number[], lambda: number): void {
  const lambdas = order.map(() => lambda);
  for (const modality of MODALITIES) {
    const { data, lengths } = batch[modality];
    blend(data, order, lambdas, modality === 'face');
    const longest = lengths.map((length, clip) => Math.max(length, lengths[order[clip]!]!));
    lengths.set(longest);
  }
  const present = batch.presence.map((value, i) => {
    const [clip, modality] = [Math.floor(i / MODALITIES.length), i % MODALITIES.length];
    return Math.max(value, batch.presence[order[clip]! * MODALITIES.length + modality]!);
  });
  batch.presence.set(present);
  mixTargets(targets, order, lambdas);
}

/** What {@link cutmix} cuts: row-major (clips, frames, height, width, channels). */
export interface Pictures {
  frames: number;
  height: number;
  width: number;
  channels: number;
  /** The axis that is time … */
  time: 'frames' | 'width';
  /** … and how much of it counts in each clip; the rest is padding. */
  lengths: Int32Array;
}

/**
 * Cutmix (arXiv 1905.04899) with one box over all frames of a clip: the box is pasted from another clip, as far as
 * both clips go, and the labels are mixed by the exact share of each clip's pixels that stayed.
 *
 * @returns that share by clip
 */
export function cutmix(
  data: Float32Array | Uint8Array,
  pictures: Pictures,
  targets: Targets,
  lambda: number,
  random: Random,
): number[] {
  const { frames, height, width, channels, time, lengths } = pictures;
  const order = random.permutation(lengths.length);
  const side = Math.sqrt(1 - lambda);
  const range = (length: number): [number, number] => {
    const centre = random.integer(length);
    const half = Math.floor((length * side) / 2);
    return [Math.max(0, centre - half), Math.min(length, centre + half)];
  };
  const [top, bottom] = range(height);
  const [left, boxRight] = range(time === 'width' ? Math.max(...lengths) : width);
  const source = data.slice();
  const clipSize = frames * height * width * channels;
  const kept = order.map((other, clip) => {
    const [own, both] = [lengths[clip]!, Math.min(lengths[clip]!, lengths[other]!)];
    const right = time === 'width' ? Math.max(left, Math.min(boxRight, both)) : boxRight;
    const pastedFrames = time === 'frames' ? both : frames;
    for (let frame = 0; frame < pastedFrames; frame++) {
      for (let y = top; y < bottom; y++) {
        const row = ((frame * height + y) * width + left) * channels;
        const end = row + (right - left) * channels;
        data.set(source.subarray(other * clipSize + row, other * clipSize + end), clip * clipSize + row);
      }
    }
    const pixels = time === 'frames' ? own * height * width : frames * height * own;
    return 1 - (pastedFrames * (bottom - top) * (right - left)) / pixels;
  });
  mixTargets(targets, order, kept);
  return kept;
}

/** @param lambdas each clip's share of its own label */
function mixTargets(targets: Targets, order: readonly number[], lambdas: readonly number[]): void {
  for (const rows of [targets.inte, targets.face, targets.speech]) blend(rows, order, lambdas, false);
}

function blend(
  data: Float32Array | Uint8Array,
  order: readonly number[],
  lambdas: readonly number[],
  rounds: boolean,
): void {
  const source = data.slice();
  const size = data.length / order.length;
  const offset = rounds ? 0.5 : 0;
  for (const [clip, other] of order.entries()) {
    const lambda = lambdas[clip]!;
    const from = other * size;
    const to = clip * size;
    for (let i = 0; i < size; i++) data[to + i] = lambda * source[to + i]! + (1 - lambda) * source[from + i]! + offset;
  }
}
