import os from 'node:os';
import type { Subject } from '../../common/bundle.js';
import { MerError } from '../../common/errors.js';
import { emotionIndex, type Modality } from '../../common/labels.js';
import { faceFile, loadClipFeatures } from '../../preprocessing/corpus/feature-store.js';
import { type StoredFaces, storedFaces } from '../../preprocessing/corpus/stored-faces.js';
import type { ClipFeatures, ClipRecord, SpeechFeatures, Split } from '../../preprocessing/features.js';
import { evaluationInputs, type InputSpec, type ModelInputs, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import { requireSameTable } from '../../preprocessing/words/same-table.js';

/** One clip, ready to be augmented or evaluated. Its arrays are shared: copy before changing them. */
export interface Example {
  record: ClipRecord;
  /** Class indices. */
  labels: { inte: number; face: number; speech: number };
  inputs: ModelInputs;
  /** The whole spectrogram where it is longer than the network's input, to crop from. */
  longSpeech: SpeechFeatures | null;
  /** All face frames where `inputs` hold none: training clips of compat seed, of which only the chosen are read. */
  allFaces: StoredFaces | null;
}

const NOT_READ = { status: 'missing', reason: 'not needed' } as const;

/** Prepared clips are kept in memory up to this size by all threads together, so that later epochs read little. */
export const MEMORY_FOR_CLIPS = Math.min(4 * 2 ** 30, os.totalmem() / 8);

/** All that makes a {@link Dataset}, to be sent to a thread. */
export interface DatasetSource {
  featuresDir: string;
  split: Split;
  spec: InputSpec;
  needed: Modality | null;
  records: readonly ClipRecord[];
}

/** The labelled clips of one split. */
export class Dataset {
  readonly #featuresDir: string;
  readonly #split: Split;
  readonly #spec: InputSpec;
  readonly #needed: Modality | null;
  readonly #cache = new Map<number, Example>();
  readonly #cacheBytes: number;
  #cachedBytes = 0;
  readonly records: readonly ClipRecord[];

  private constructor({ featuresDir, split, spec, needed, records }: DatasetSource, cacheBytes: number) {
    this.#cacheBytes = cacheBytes;
    this.#featuresDir = featuresDir;
    this.#split = split;
    this.#spec = spec;
    this.#needed = needed;
    this.records = records;
  }

  /**
   * @param records all clips of the split
   * @param needed the one modality that is read, and that each clip must have; null reads all of every clip
   * @throws MerError not_found when no labelled clip is left, bad_argument when a clip is of another mode than `spec`
   */
  static of(
    featuresDir: string,
    split: Split,
    records: readonly ClipRecord[],
    spec: InputSpec,
    needed: Modality | null,
  ): Dataset {
    const other = records.find((record) => record.compat !== spec.compat);
    if (other) {
      throw new MerError(
        'bad_argument',
        `${featuresDir}/${split}: the features of ${other.stem} are of compat ${other.compat}, the training of compat ${spec.compat}.`,
        'Train with the mode of the features, or run `mer preprocess` with --compat of the training.',
      );
    }
    const usable = records.filter((record) => record.labels && (!needed || record[needed].status === 'used'));
    if (usable.length > 0) {
      return new Dataset({ featuresDir, split, spec, needed, records: usable }, MEMORY_FOR_CLIPS);
    }
    throw new MerError(
      'not_found',
      `${featuresDir}/${split} holds no labelled clip${needed ? ` with ${needed}` : ''}.`,
      'Run `mer preprocess` on a corpus with that split, or name its folder with --features.',
    );
  }

  /** The same clips in another thread. @param cacheBytes memory for prepared clips */
  static from(source: DatasetSource, cacheBytes: number): Dataset {
    return new Dataset(source, cacheBytes);
  }

  get source(): DatasetSource {
    return {
      featuresDir: this.#featuresDir,
      split: this.#split,
      spec: this.#spec,
      needed: this.#needed,
      records: this.records,
    };
  }

  /**
   * Face frames that the features keep of each clip, at most.
   * @throws MerError bad_file when clips were preprocessed with different settings
   */
  get maxFrames(): number {
    const { maxFrames, stem } = this.records[0]!;
    const other = this.records.find((record) => record.maxFrames !== maxFrames);
    if (!other) return maxFrames;
    throw new MerError(
      'bad_file',
      `${this.#featuresDir}/${this.#split}: ${stem} keeps ${maxFrames} face frames, ${other.stem} ${other.maxFrames}.`,
      'Run `mer preprocess` again with one --max_frames.',
    );
  }

  /**
   * Whose face the features show.
   * @throws MerError bad_file when clips were preprocessed with different settings
   */
  get subject(): Subject {
    const { subject, stem } = this.records[0]!;
    const other = this.records.find((record) => record.subject !== subject);
    if (!other) return subject;
    throw new MerError(
      'bad_file',
      `${this.#featuresDir}/${this.#split}: ${stem} shows subject ${subject}, ${other.stem} ${other.subject}.`,
      'Run `mer preprocess` again with one --subject.',
    );
  }

  get size(): number {
    return this.records.length;
  }

  /** Reads one clip, or takes it from memory. */
  async load(index: number): Promise<Example> {
    const cached = this.#cache.get(index);
    if (cached) return cached;
    const record = this.records[index]!;
    const wanted = this.#wanted(record);
    const choosesFaces = this.#spec.compat === 'seed' && this.#split === 'train' && wanted.face.status === 'used';
    const read = choosesFaces ? { ...wanted, face: { ...wanted.face, ...NOT_READ } } : wanted;
    const features = await loadClipFeatures(this.#featuresDir, this.#split, read);
    const file = faceFile(this.#featuresDir, this.#split, record.stem);
    const faces = choosesFaces ? storedFaces(file, wanted.face.frames, this.#spec.faceSize) : null;
    const example = makeExample(record, features, this.#spec, faces);
    const bytes = exampleBytes(example);
    if (this.#cachedBytes + bytes <= this.#cacheBytes) {
      this.#cachedBytes += bytes;
      this.#cache.set(index, example);
    }
    return example;
  }

  /** The record with the modalities that are not needed marked as absent, so that their files are not read. */
  #wanted(record: ClipRecord): ClipRecord {
    if (this.#needed === null) return record;
    const kept = { [this.#needed]: record[this.#needed] };
    return {
      ...record,
      speech: { ...record.speech, ...NOT_READ },
      face: { ...record.face, ...NOT_READ },
      text: { ...record.text, ...NOT_READ },
      ...kept,
    };
  }
}

function makeExample(
  record: ClipRecord,
  features: ClipFeatures,
  spec: InputSpec,
  allFaces: StoredFaces | null,
): Example {
  const { speech } = features;
  return {
    record,
    labels: labelsOf(record),
    inputs: evaluationInputs(features, spec),
    longSpeech: speech.status === 'used' && speech.frames > SPEECH_FRAMES ? speech : null,
    allFaces,
  };
}

/** Class indices of a labelled clip, which all clips of a {@link Dataset} are. */
export function labelsOf({ stem, labels }: ClipRecord): Example['labels'] {
  if (!labels) throw new TypeError(`${stem} has no labels`);
  const { inte, face, speech } = labels;
  return { inte: emotionIndex(inte), face: emotionIndex(face), speech: emotionIndex(speech) };
}

function exampleBytes({ inputs, longSpeech }: Example): number {
  const { speech, face, text } = inputs;
  return [speech, face, text, longSpeech].reduce((sum, part) => sum + (part?.data.byteLength ?? 0), 0);
}

/**
 * The word-vector table of these clips' words, by its sha256; null when they were given as vectors or there are none.
 * @throws MerError bad_argument naming both sides when the words of two clips are of different tables
 */
export function wordTable(records: readonly ClipRecord[]): string | null {
  const [first, ...others] = records.filter((record) => record.text.status === 'used');
  if (first === undefined) return null;
  const source = ({ stem, text }: ClipRecord) => ({ of: `clip ${stem}`, table: text.table });
  for (const other of others) {
    requireSameTable(source(first), source(other), 'Run `mer preprocess` on all of them with one --word_vectors.');
  }
  return first.text.table;
}

/** Dimension of the word vectors of these clips: that of the first with words, or 200 when none has any. */
export function wordDimension(records: readonly ClipRecord[]): number {
  return records.find((record) => record.text.status === 'used')?.text.dim ?? 200;
}
