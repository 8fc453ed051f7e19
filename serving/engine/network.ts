import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Bundle, Compat } from '../../common/bundle.js';
import { MerError } from '../../common/errors.js';
import { MODALITIES, type Modality } from '../../common/labels.js';
import { nonEmptySubsets, subsetName } from '../../common/subsets.js';
import { MEL_BANDS } from '../../preprocessing/features.js';
import { collate, type ModelInputs, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import { type Device, sessionOptions } from './devices.js';
import { branchFeeds, finiteLogits, realShares, rowsOf } from './tensors.js';

/** What the networks say of one clip. */
export interface ClipScores {
  /** Of each modality that the clip has: 7 logits, and each real step's share of the pooled feature (sums to 1). */
  branches: Partial<Record<Modality, { logits: number[]; attention: number[] }>>;
  /** 7 integrated logits for every non-empty subset of the clip's modalities, by `subsetName`. */
  fused: Record<string, number[]>;
}

type Features = Partial<Record<Modality, Float32Array>>;
type Branches = Partial<Record<Modality, InferenceSession>>;

/** The networks of one bundle. A run blocks the thread, so this belongs into a child process. */
export class Network {
  readonly #branches: Branches;
  readonly #fusion: InferenceSession | undefined;
  readonly #spec: Bundle['preprocessing'];
  readonly #compat: Compat;

  private constructor(
    branches: Branches,
    fusion: InferenceSession | undefined,
    { preprocessing, compat }: Pick<Bundle, 'preprocessing' | 'compat'>,
  ) {
    this.#branches = branches;
    this.#fusion = fusion;
    this.#spec = preprocessing;
    this.#compat = compat;
  }

  /**
   * Opens the sessions. That they truly run on `device` is known only after {@link warmUp}.
   *
   * @param threads threads of ONNX Runtime within one operator
   */
  static async create(directory: string, bundle: Bundle, device: Device, threads: number): Promise<Network> {
    const open = ({ file }: { file: string }): Promise<InferenceSession> =>
      InferenceSession.create(path.join(directory, file), sessionOptions(device, threads));
    const branches: Branches = {};
    for (const modality of MODALITIES) {
      const branch = bundle.branches[modality];
      if (branch !== undefined) branches[modality] = await open(branch);
    }
    return new Network(branches, bundle.fusion && (await open(bundle.fusion)), bundle);
  }

  /** The branches that the bundle has, in the order of MODALITIES. */
  get modalities(): Modality[] {
    return MODALITIES.filter((modality) => this.#branches[modality] !== undefined);
  }

  /** Runs every graph once over a clip of full size. @throws what ONNX Runtime throws where the device cannot */
  async warmUp(): Promise<void> {
    await this.run([this.emptyClip({ frames: this.#spec.maxFrames, words: this.#spec.maxWords })]);
  }

  /** A clip of zeros with all modalities of the bundle and full-length speech. */
  emptyClip({ frames, words }: { frames: number; words: number }): ModelInputs {
    const { faceSize, wordDim } = this.#spec;
    const { speech, face, text } = this.#branches;
    return {
      speech: speech ? { data: new Float32Array(MEL_BANDS * SPEECH_FRAMES), length: SPEECH_FRAMES } : null,
      face: face ? { data: new Uint8Array(frames * faceSize * faceSize * 3), length: frames } : null,
      text: text ? { data: new Float32Array(words * wordDim), length: words } : null,
    };
  }

  /**
   * Scores clips as one batch. A branch runs over the clips that have its modality only; the fusion runs once over
   * every subset of each clip's modalities. A bundle without a fusion answers with its only branch.
   *
   * @throws MerError nothing_to_score when a clip has no modality of the bundle
   */
  async run(clips: readonly ModelInputs[]): Promise<ClipScores[]> {
    const scores = clips.map((): ClipScores => ({ branches: {}, fused: {} }));
    const features = clips.map((): Features => ({}));
    for (const modality of this.modalities) {
      const having = [...clips.keys()].filter((clip) => clips[clip]![modality] !== null);
      for (const group of this.#together(modality, having)) {
        const inputs = group.map((clip) => clips[clip]!);
        const output = await this.runBranch(modality, inputs);
        for (const [row, clip] of group.entries()) {
          features[clip]![modality] = output.features[row]!;
          scores[clip]!.branches[modality] = {
            logits: finiteLogits(output.logits[row]!, modality),
            attention: realShares(output.attention[row]!),
          };
        }
      }
    }
    const rows = scores.flatMap(({ branches }, clip) => {
      const present = MODALITIES.filter((modality) => branches[modality] !== undefined);
      if (present.length === 0) throw nothingToScore(this.modalities);
      return nonEmptySubsets(present).map((subset) => ({ clip, subset }));
    });
    if (this.#fusion === undefined) {
      for (const { branches, fused } of scores) {
        for (const [modality, branch] of Object.entries(branches)) fused[modality] = branch.logits;
      }
      return scores;
    }
    const fused = await this.runFusion(rows.map(({ clip, subset }) => ({ features: features[clip]!, subset })));
    for (const [row, { clip, subset }] of rows.entries()) {
      scores[clip]!.fused[subsetName(subset)] = finiteLogits(fused[row]!, 'fusion');
    }
    return scores;
  }

  /** Which clips may share a run. The text network of compat seed attends across its batch: there each is alone. */
  #together(modality: Modality, clips: readonly number[]): (readonly number[])[] {
    if (clips.length === 0) return [];
    return modality === 'text' && this.#compat === 'seed' ? clips.map((clip) => [clip]) : [clips];
  }

  /** One branch over clips that all have its modality; one row a clip, attention padded to the longest. */
  async runBranch(
    modality: Modality,
    clips: readonly ModelInputs[],
  ): Promise<{ features: Float32Array[]; logits: Float32Array[]; attention: Float32Array[] }> {
    const branch = this.#branches[modality];
    if (branch === undefined) throw new Error(`The bundle has no ${modality} branch.`);
    const only = clips.map((clip) => ({ speech: null, face: null, text: null, [modality]: clip[modality] }));
    const output = await branch.run(branchFeeds(modality, collate(only, this.#spec), this.#spec));
    return {
      features: rowsOf(output.feature, clips.length),
      logits: rowsOf(output.logits, clips.length),
      attention: rowsOf(output.attention, clips.length),
    };
  }

  /** The fusion, a row of 7 logits for each row of features, of which only those in `subset` count. */
  async runFusion(rows: readonly { features: Features; subset: readonly Modality[] }[]): Promise<Float32Array[]> {
    if (this.#fusion === undefined) throw new Error('The bundle has no fusion.');
    const feeds: Record<string, Tensor> = {};
    const presence = new Float32Array(rows.length * MODALITIES.length);
    for (const [index, modality] of MODALITIES.entries()) {
      const size = inputFeatures(this.#fusion, modality);
      const data = new Float32Array(rows.length * size);
      for (const [row, { features, subset }] of rows.entries()) {
        const feature = features[modality];
        if (feature === undefined || !subset.includes(modality)) continue;
        data.set(feature, row * size);
        presence[row * MODALITIES.length + index] = 1;
      }
      feeds[modality] = new Tensor('float32', data, [rows.length, size]);
    }
    feeds.presence = new Tensor('float32', presence, [rows.length, MODALITIES.length]);
    return rowsOf((await this.#fusion.run(feeds)).logits, rows.length);
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

function nothingToScore(modalities: readonly Modality[]): MerError {
  return new MerError(
    'nothing_to_score',
    `The clip has nothing that this model hears, sees or reads (${modalities.join(', ')}).`,
    'Send a clip with a visible face or audible speech, or word vectors beside it.',
  );
}
