import type { Bundle } from '../../common/bundle.js';
import type { Modality } from '../../common/labels.js';
import { SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import type { Device } from './devices.js';

/** Rows (clips, views of clips) of one run of a network, and the items that each row is padded to. */
export interface BatchShape {
  rows: number;
  length: number;
}

/**
 * Face frames of one run. They are images of their own until the LSTM: on the processor more of them at once gain
 * nothing and cost memory, a GPU is not full with less.
 */
const MAX_FRAMES = { cpu: 32, cuda: 256 } as const;
/** Rows of one run of the fusion, which is a few small matrix products. */
const MAX_FUSED_ROWS = 64;
/** Shortest length bucket. */
const SHORTEST = 8;

/** What of a bundle decides. */
type ShapedBundle = Pick<Bundle, 'compat' | 'precision'> & {
  preprocessing: Pick<Bundle['preprocessing'], 'maxFrames' | 'maxWords'>;
};

/**
 * Which views run together, and in which shape. Views of similar length share a bucket, so that little of a batch is
 * padding. On a GPU every run has one of a fixed set of shapes, all run once at start-up: ONNX Runtime's memory there
 * grows with each new shape and nothing else bounds it. On the processor a batch is as large as its content.
 *
 * Where a row's outputs depend on the other rows, each runs alone: int8 has one scale for the whole activation tensor,
 * and the text network of compat seed attends across its batch.
 */
export class BatchShapes {
  readonly #bundle: ShapedBundle;
  readonly #kind: 'cpu' | 'cuda';
  readonly #maxBatch: number;

  /** @param maxBatch most rows of one run of a branch */
  constructor(bundle: ShapedBundle, device: Device, maxBatch: number) {
    this.#bundle = bundle;
    this.#kind = device === 'cpu' ? 'cpu' : 'cuda';
    this.#maxBatch = maxBatch;
  }

  /** The bucket of a view: the length that it is padded to on a GPU. */
  bucket(modality: Modality, length: number): number {
    const longest = this.#longest(modality);
    // More faces than a network was trained with come only from subject `all`.
    if (length > longest) return Math.ceil(length / longest) * longest;
    return this.#buckets(modality).find((bucket) => length <= bucket)!;
  }

  /** Most rows of one run of a branch over views of a bucket. */
  maxRows(modality: Modality, bucket: number): number {
    const { precision, compat } = this.#bundle;
    if (precision === 'int8' || (modality === 'text' && compat === 'seed')) return 1;
    if (modality !== 'face') return this.#maxBatch;
    return Math.max(1, Math.min(this.#maxBatch, Math.floor(MAX_FRAMES[this.#kind] / bucket)));
  }

  /** Most rows of one run of the fusion. */
  get maxFusedRows(): number {
    return this.#bundle.precision === 'int8' ? 1 : MAX_FUSED_ROWS;
  }

  /** The shape of a run over `rows` views, the longest of which has `length` items, of one bucket. */
  shape(modality: Modality, rows: number, length: number): BatchShape {
    if (this.#kind === 'cpu') return { rows, length };
    const bucket = this.bucket(modality, length);
    return { rows: Math.min(powerOfTwo(rows), this.maxRows(modality, bucket)), length: bucket };
  }

  /** Rows of a run of the fusion over `rows` of them. */
  fusedRows(rows: number): number {
    return this.#kind === 'cpu' ? rows : Math.min(powerOfTwo(rows), this.maxFusedRows);
  }

  /** The shapes to warm up with: on a GPU all that will ever be run, on the processor one of full length. */
  warmUp(modality: Modality): BatchShape[] {
    if (this.#kind === 'cpu') return [{ rows: 1, length: this.#longest(modality) }];
    return this.#buckets(modality).flatMap((length) =>
      powersUpTo(this.maxRows(modality, length)).map((rows) => ({ rows, length })),
    );
  }

  /** The same for the fusion. */
  warmUpFused(): number[] {
    return this.#kind === 'cpu' ? [1] : powersUpTo(this.maxFusedRows);
  }

  #buckets(modality: Modality): number[] {
    const longest = this.#longest(modality);
    if (modality === 'speech') return [longest];
    return powersUpTo(longest).filter((length) => length >= Math.min(SHORTEST, longest));
  }

  #longest(modality: Modality): number {
    if (modality === 'speech') return SPEECH_FRAMES;
    const { maxFrames, maxWords } = this.#bundle.preprocessing;
    return modality === 'face' ? maxFrames : maxWords;
  }
}

function powerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

/** 1, 2, 4, … below `most`, and `most`. */
function powersUpTo(most: number): number[] {
  const powers: number[] = [];
  for (let power = 1; power < most; power *= 2) powers.push(power);
  return [...powers, most];
}
