import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Bundle, Compat } from '../../common/bundle.js';
import { MODALITIES, type Modality } from '../../common/labels.js';
import { MEL_BANDS } from '../../preprocessing/features.js';
import { type ModelInputs, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import { type BatchShape, BatchShapes } from './batch-shapes.js';
import { type Device, sessionOptions } from './devices.js';
import { type BranchInput, branchFeeds, rowsOf } from './tensors.js';

export type Features = Partial<Record<Modality, Float32Array>>;
type Branches = Partial<Record<Modality, InferenceSession>>;

/** The outputs of one branch, a row for each input; attention padded to the longest. */
export interface BranchOutputs {
  features: Float32Array[];
  logits: Float32Array[];
  attention: Float32Array[];
}

/** A row of the fusion: of the features only those in `subset` count. */
export interface FusionRow {
  features: Features;
  subset: readonly Modality[];
}

/** The networks of one bundle. A run blocks the thread, so this belongs into a child process. */
export class Network {
  readonly #branches: Branches;
  readonly #fusion: InferenceSession | undefined;
  readonly #bundle: Bundle;
  readonly shapes: BatchShapes;

  private constructor(branches: Branches, fusion: InferenceSession | undefined, bundle: Bundle, shapes: BatchShapes) {
    this.#branches = branches;
    this.#fusion = fusion;
    this.#bundle = bundle;
    this.shapes = shapes;
  }

  /**
   * Opens the sessions. That they truly run on `device` is known only after {@link warmUp}.
   *
   * @param threads threads of ONNX Runtime within one operator
   * @param maxBatch most rows of one run
   */
  static async create(
    directory: string,
    bundle: Bundle,
    device: Device,
    threads: number,
    maxBatch = 1,
  ): Promise<Network> {
    const open = ({ file }: { file: string }): Promise<InferenceSession> =>
      InferenceSession.create(path.join(directory, file), sessionOptions(device, threads));
    const branches: Branches = {};
    for (const modality of MODALITIES) {
      const branch = bundle.branches[modality];
      if (branch !== undefined) branches[modality] = await open(branch);
    }
    const fusion = bundle.fusion && (await open(bundle.fusion));
    return new Network(branches, fusion, bundle, new BatchShapes(bundle, device, maxBatch));
  }

  /** The branches that the bundle has, in the order of MODALITIES. */
  get modalities(): Modality[] {
    return MODALITIES.filter((modality) => this.#branches[modality] !== undefined);
  }

  /** Whether the bundle's face network takes a factor on the pixels, as test-time augmentation needs it. */
  get takesGain(): boolean {
    return this.#branches.face?.inputNames.includes('gain') ?? false;
  }

  get hasFusion(): boolean {
    return this.#fusion !== undefined;
  }

  get compat(): Compat {
    return this.#bundle.compat;
  }

  get spec(): Bundle['preprocessing'] {
    return this.#bundle.preprocessing;
  }

  /**
   * Runs every graph once in each shape of `BatchShapes.warmUp`.
   *
   * @throws what ONNX Runtime throws where the device cannot
   */
  async warmUp(): Promise<void> {
    for (const modality of this.modalities) {
      for (const shape of this.shapes.warmUp(modality)) {
        const input = this.emptyClip({ frames: shape.length, words: shape.length })[modality]!;
        await this.runBranch(modality, [input], shape);
      }
    }
    if (!this.hasFusion) return;
    for (const rows of this.shapes.warmUpFused()) await this.runFusion([{ features: {}, subset: [] }], rows);
  }

  /** A clip of zeros with all modalities of the bundle and full-length speech. */
  emptyClip({ frames, words }: { frames: number; words: number }): ModelInputs {
    const { faceSize, wordDim } = this.spec;
    const { speech, face, text } = this.#branches;
    return {
      speech: speech ? { data: new Float32Array(MEL_BANDS * SPEECH_FRAMES), length: SPEECH_FRAMES } : null,
      face: face ? { data: new Uint8Array(frames * faceSize * faceSize * 3), length: frames } : null,
      text: text ? { data: new Float32Array(words * wordDim), length: words } : null,
    };
  }

  /**
   * One run of a branch.
   *
   * @param shape at least as many rows, and as long, as the inputs; exactly so when absent
   * @param gain factor on the face's pixels after their normalisation
   */
  async runBranch(
    modality: Modality,
    inputs: readonly BranchInput[],
    shape: BatchShape = { rows: inputs.length, length: Math.max(...inputs.map(({ length }) => length)) },
    gain = 1,
  ): Promise<BranchOutputs> {
    const session = this.#branches[modality];
    if (session === undefined) throw new Error(`The bundle has no ${modality} branch.`);
    if (gain !== 1 && !this.takesGain) throw new Error('The bundle has no input for the gain.');
    const output = await session.run(branchFeeds(modality, inputs, shape, this.spec, this.takesGain ? gain : null));
    const take = (tensor: Tensor | undefined) => rowsOf(tensor, shape.rows).slice(0, inputs.length);
    return { features: take(output.feature), logits: take(output.logits), attention: take(output.attention) };
  }

  /**
   * One run of the fusion: 7 logits for each row.
   *
   * @param rows at least as many as there are; exactly so when absent
   */
  async runFusion(fused: readonly FusionRow[], rows: number = fused.length): Promise<Float32Array[]> {
    if (this.#fusion === undefined) throw new Error('The bundle has no fusion.');
    const feeds: Record<string, Tensor> = {};
    const presence = new Float32Array(rows * MODALITIES.length);
    for (const [index, modality] of MODALITIES.entries()) {
      const size = inputFeatures(this.#fusion, modality);
      const data = new Float32Array(rows * size);
      for (const [row, { features, subset }] of fused.entries()) {
        const feature = features[modality];
        if (feature === undefined || !subset.includes(modality)) continue;
        data.set(feature, row * size);
        presence[row * MODALITIES.length + index] = 1;
      }
      feeds[modality] = new Tensor('float32', data, [rows, size]);
    }
    feeds.presence = new Tensor('float32', presence, [rows, MODALITIES.length]);
    return rowsOf((await this.#fusion.run(feeds)).logits, rows).slice(0, fused.length);
  }

  async dispose(): Promise<void> {
    await Promise.all(Object.values(this.#branches).map((session) => session.release()));
    await this.#fusion?.release();
  }
}

/** Width of an input of the fusion, which has one for each modality, whether the bundle has its branch or not. */
function inputFeatures({ inputMetadata }: InferenceSession, modality: Modality): number {
  const input = inputMetadata.find(({ name }) => name === modality);
  const size = input?.isTensor ? input.shape[1] : undefined;
  if (typeof size !== 'number') throw new Error(`The fusion has no input ${modality} of a known width.`);
  return size;
}
