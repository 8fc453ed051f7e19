import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MODALITIES, type Modality } from '../common/labels.js';
import { nonEmptySubsets, subsetName } from '../common/subsets.js';
import { MEL_BANDS } from '../preprocessing/features.js';
import { type Batch, SPEECH_FRAMES } from '../preprocessing/model-inputs.js';

/** `inte` is the integrated emotion, the others are what each branch says alone. */
export const LOGITS = ['inte', ...MODALITIES] as const;
/** Row-major (clips, 7), of the fusion and the branches that there are. */
export type NetworkLogits = Partial<Record<(typeof LOGITS)[number], Float32Array>>;

/** Name of the file that holds branches and fusion in one graph. */
export const SINGLE = 'single';

/** Opens DIRECTORY/NAME.onnx on the CPU; undefined where there is no such file. */
export async function openGraph(
  directory: string,
  name: string,
  threads = os.availableParallelism(),
): Promise<InferenceSession | undefined> {
  const file = path.join(directory, `${name}.onnx`);
  if (!fs.existsSync(file)) return undefined;
  return InferenceSession.create(file, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}

/** What the graphs say of one clip: 7 logits of each modality that it has, and of every subset of these when fused. */
export interface ClipLogits {
  heads: Partial<Record<Modality, Float32Array>>;
  /** By `subsetName`. A network without a fusion has one entry, that of its only branch. */
  subsets: Record<string, Float32Array>;
}

/** A network's ONNX files on ONNX Runtime, on the CPU: for what the export measures; serving has its engine. */
export class OnnxNetwork {
  readonly #branches: Partial<Record<Modality, InferenceSession>>;
  readonly #fusion: InferenceSession | undefined;

  private constructor(branches: Partial<Record<Modality, InferenceSession>>, fusion: InferenceSession | undefined) {
    this.#branches = branches;
    this.#fusion = fusion;
  }

  /** @param directory holds speech.onnx, face.onnx, text.onnx and multimodal.onnx, or those of them that there are */
  static async open(directory: string, threads?: number): Promise<OnnxNetwork> {
    const branches: Partial<Record<Modality, InferenceSession>> = {};
    for (const modality of MODALITIES) {
      const session = await openGraph(directory, modality, threads);
      if (session !== undefined) branches[modality] = session;
    }
    return new OnnxNetwork(branches, await openGraph(directory, 'multimodal', threads));
  }

  /** All logits of a batch; a missing modality reaches the fusion as zeros, as it does in serving. */
  async run(batch: Batch): Promise<NetworkLogits> {
    const result: NetworkLogits = {};
    const features: Partial<Record<Modality, Float32Array>> = {};
    for (const modality of MODALITIES) {
      if (this.#branches[modality] === undefined) continue;
      const { feature, logits } = await this.#branch(modality, batch);
      features[modality] = feature;
      result[modality] = logits;
    }
    return this.#fusion === undefined ? result : { inte: await this.#fuse(features, batch.presence), ...result };
  }

  /**
   * What the network says of a clip with each subset of its modalities that it has a branch for.
   * @param batch holds that one clip
   */
  async runSubsets(batch: Batch): Promise<ClipLogits> {
    const heads: ClipLogits['heads'] = {};
    const features: Partial<Record<Modality, Float32Array>> = {};
    const present = MODALITIES.filter((modality, index) => this.#branches[modality] && batch.presence[index] === 1);
    for (const modality of present) {
      const { feature, logits } = await this.#branch(modality, batch);
      features[modality] = feature;
      heads[modality] = logits;
    }
    if (this.#fusion === undefined) {
      return { heads, subsets: Object.fromEntries(present.map((modality) => [modality, heads[modality]!])) };
    }
    const subsets: ClipLogits['subsets'] = {};
    for (const subset of nonEmptySubsets(present)) {
      const presence = Float32Array.from(MODALITIES, (modality) => Number(subset.includes(modality)));
      subsets[subsetName(subset)] = await this.#fuse(features, presence);
    }
    return { heads, subsets };
  }

  async #branch(modality: Modality, batch: Batch): Promise<{ feature: Float32Array; logits: Float32Array }> {
    const session = this.#branches[modality];
    if (session === undefined) throw new TypeError(`The network has no ${modality} branch.`);
    const { feature, logits } = await session.run(branchFeeds(batch, modality));
    return { feature: floats(feature), logits: floats(logits) };
  }

  /** @param presence (clips, 3); the feature of a modality that is absent there counts as zeros, and may be left out */
  async #fuse(features: Partial<Record<Modality, Float32Array>>, presence: Float32Array): Promise<Float32Array> {
    if (this.#fusion === undefined) throw new TypeError('The network has no fusion.');
    const clips = presence.length / MODALITIES.length;
    const feeds: Record<string, Tensor> = {
      presence: new Tensor('float32', presence, [clips, MODALITIES.length]),
    };
    for (const [index, modality] of MODALITIES.entries()) {
      const size = inputWidth(this.#fusion, modality);
      const data = new Float32Array(clips * size);
      for (let clip = 0; clip < clips; clip++) {
        if (presence[clip * MODALITIES.length + index] === 0) continue;
        data.set(features[modality]!.subarray(clip * size, (clip + 1) * size), clip * size);
      }
      feeds[modality] = new Tensor('float32', data, [clips, size]);
    }
    return floats((await this.#fusion.run(feeds)).logits);
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#branches)) await session.release();
    await this.#fusion?.release();
  }
}

/**
 * The logits of a batch from the graph that holds branches and fusion.
 * @param session of single.onnx
 */
export async function runSingle(session: InferenceSession, batch: Batch): Promise<NetworkLogits> {
  const outputs = await session.run(singleFeeds(session, batch));
  const logits = branchesOfSingle(session).map((modality) => [modality, floats(outputs[`${modality}_logits`])]);
  return { inte: floats(outputs.logits), ...Object.fromEntries(logits) };
}

function branchesOfSingle({ inputNames }: InferenceSession): Modality[] {
  return MODALITIES.filter((modality) => inputNames.includes(`${modality}_lengths`));
}

/** The inputs of the graph that holds branches and fusion. */
export function singleFeeds(session: InferenceSession, batch: Batch): Record<string, Tensor> {
  const presence = new Tensor('float32', batch.presence, [batch.clips, MODALITIES.length]);
  const feeds: Record<string, Tensor> = { presence };
  for (const modality of branchesOfSingle(session)) {
    const { lengths, ...own } = branchFeeds(batch, modality);
    Object.assign(feeds, own, { [`${modality}_lengths`]: lengths });
  }
  return feeds;
}

/** The last dimension of a graph's input. */
function inputWidth(session: InferenceSession, name: string): number {
  const input = session.inputMetadata.find((metadata) => metadata.name === name);
  const width = input?.isTensor ? input.shape.at(-1) : undefined;
  if (typeof width !== 'number') throw new TypeError(`The graph lacks an input ${name} of a fixed width.`);
  return width;
}

/** The inputs of one branch's graph, as `bundleSchema` states them. The sizes that a batch does not name follow. */
export function branchFeeds(batch: Batch, modality: Modality): Record<string, Tensor> {
  const { clips } = batch;
  const lengths = new Tensor('int32', batch[modality].lengths, [clips]);
  switch (modality) {
    case 'speech':
      return { log_mel: new Tensor('float32', batch.speech.data, [clips, 1, MEL_BANDS, SPEECH_FRAMES]), lengths };
    case 'face': {
      const { data, frames, gain = 1 } = batch.face;
      const side = Math.sqrt(data.length / (clips * frames * 3));
      return {
        frames: new Tensor('uint8', data, [clips, frames, side, side, 3]),
        lengths,
        gain: new Tensor('float32', Float32Array.of(gain), [1]),
      };
    }
    case 'text': {
      const { data, words } = batch.text;
      return { words: new Tensor('float32', data, [clips, words, data.length / (clips * words)]), lengths };
    }
  }
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new TypeError('The graph lacks a float32 output.');
  return tensor.data;
}
