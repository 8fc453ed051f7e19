import fsp from 'node:fs/promises';
import path from 'node:path';
import { isRunning } from '../../common/child.js';
import { MerError } from '../../common/errors.js';
import { readJson, writeFileAtomic, writeJsonAtomic } from '../../common/files.js';
import { MODALITIES } from '../../common/labels.js';
import { decodeNpy, encodeNpy } from '../../common/npy.js';
import { decodeNpzEntry, encodeNpz } from '../../common/npz.js';
import {
  type ClipFeatures,
  type ClipRecord,
  CROP_SIZE,
  clipRecordSchema,
  EMBEDDING_SIZE,
  type FaceEmbeddings,
  type FaceFeatures,
  MEL_BANDS,
  type Missing,
  SPLITS,
  type SpeechFeatures,
  type Split,
  type TextFeatures,
  type Vocabulary,
} from '../features.js';
import { WORDS_KEY } from '../words/word-vectors.js';

function filesOf(featuresDir: string, split: Split, stem: string) {
  const folder = path.join(featuresDir, split);
  return {
    record: path.join(folder, 'clips', `${stem}.json`),
    speech: path.join(folder, 'speech', `${stem}.npy`),
    face: path.join(folder, 'video', `${stem}.npy`),
    text: path.join(folder, 'text', `${stem}.npz`),
    embedding: path.join(folder, 'video_embedding', `${stem}.npy`),
  };
}

/** Where the face frames of a clip are stored. */
export function faceFile(featuresDir: string, split: Split, stem: string): string {
  return filesOf(featuresDir, split, stem).face;
}

/**
 * The records of all whole clips of a split, sorted by stem; empty when the split was not made.
 *
 * @throws MerError bad_file when a record is damaged or of another version of the preprocessing
 */
export async function listClips(featuresDir: string, split: Split): Promise<ClipRecord[]> {
  const stems = await listStems(featuresDir, split);
  return Promise.all(stems.map((stem) => readJson(filesOf(featuresDir, split, stem).record, clipRecordSchema)));
}

/** The stems of all whole clips of a split, sorted. */
export async function listStems(featuresDir: string, split: Split): Promise<string[]> {
  try {
    const names = await fsp.readdir(path.join(featuresDir, split, 'clips'));
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .sort();
  } catch {
    return [];
  }
}

/** The stored record of one clip, or null when there is none or it cannot be used any more. */
export async function readClipRecord(featuresDir: string, split: Split, stem: string): Promise<ClipRecord | null> {
  try {
    return await readJson(filesOf(featuresDir, split, stem).record, clipRecordSchema);
  } catch (error) {
    if (error instanceof MerError) return null;
    throw error;
  }
}

/** Writes the record of a clip whose feature files are whole already. */
export async function saveClipRecord(featuresDir: string, split: Split, record: ClipRecord): Promise<void> {
  await writeJsonAtomic(filesOf(featuresDir, split, record.stem).record, record);
}

/** Deletes what is there of a clip's features, the record first, so that it never stands for less than whole files. */
export async function removeClipFeatures(featuresDir: string, split: Split, stem: string): Promise<void> {
  const { record, ...others } = filesOf(featuresDir, split, stem);
  await fsp.rm(record, { force: true });
  await Promise.all(Object.values(others).map((file) => fsp.rm(file, { force: true })));
}

/** The feature files that a record stands for, besides itself. */
export function featureFilesOf(featuresDir: string, split: Split, record: ClipRecord): string[] {
  const files = filesOf(featuresDir, split, record.stem);
  const needed = MODALITIES.filter((modality) => record[modality].status === 'used').map((modality) => files[modality]);
  if (record.embedding && record.face.status === 'used') needed.push(files.embedding);
  return needed;
}

/** Whether all files that a record stands for are there. */
export async function hasWholeFeatures(featuresDir: string, split: Split, record: ClipRecord): Promise<boolean> {
  const exists = await Promise.all(
    featureFilesOf(featuresDir, split, record).map((file) =>
      fsp.access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return exists.every(Boolean);
}

/**
 * Moves the features of a clip to another split. At any moment a record stands for whole files: the old one goes
 * first and the new one comes last.
 */
export async function moveClipFeatures(featuresDir: string, from: Split, to: Split, record: ClipRecord): Promise<void> {
  const files = featureFilesOf(featuresDir, from, record);
  await fsp.rm(filesOf(featuresDir, from, record.stem).record, { force: true });
  for (const [index, target] of featureFilesOf(featuresDir, to, record).entries()) {
    await fsp.mkdir(path.dirname(target), { recursive: true });
    await fsp.rename(files[index]!, target);
  }
  await saveClipRecord(featuresDir, to, record);
}

/** Deletes the temporary files that killed processes have left in a features folder. */
export async function removeStaleTemporaries(featuresDir: string): Promise<void> {
  const folders = ['clips', 'speech', 'video', 'text', 'video_embedding'];
  const directories = SPLITS.flatMap((split) => folders.map((folder) => path.join(featuresDir, split, folder)));
  for (const directory of [featuresDir, ...directories]) {
    for (const name of await fsp.readdir(directory).catch(() => [])) {
      const owner = Number(/\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name)?.[1] ?? Number.NaN);
      // In a container a killed run had perhaps this process's own identifier; this run has written nothing yet.
      const isStale = owner === process.pid || (Number.isFinite(owner) && !isRunning(owner));
      if (isStale) await fsp.rm(path.join(directory, name), { force: true });
    }
  }
}

/**
 * Reads the features of one clip, with the shapes that its record states.
 *
 * @throws MerError not_found or bad_file, naming the file
 */
export async function loadClipFeatures(
  featuresDir: string,
  split: Split,
  record: Pick<ClipRecord, 'stem' | 'duration' | 'span' | 'speech' | 'face' | 'text'>,
): Promise<ClipFeatures> {
  const files = filesOf(featuresDir, split, record.stem);
  const [speech, face, text] = await Promise.all([
    loadSpeech(files.speech, record.speech),
    loadFace(files.face, record.face),
    loadText(files.text, record.text),
  ]);
  return { speech, face, text, duration: record.duration, span: record.span };
}

async function loadSpeech(file: string, state: ClipRecord['speech']): Promise<SpeechFeatures | Missing> {
  if (state.status !== 'used') return { status: state.status, reason: state.reason ?? '' };
  const array = decodeNpy(await readFeature(file), file);
  expectShape(file, array.shape, [MEL_BANDS, state.frames]);
  if (array.dtype !== 'float32') throw damaged(file, `dtype ${array.dtype} instead of float32`);
  return { status: 'used', data: array.data, frames: state.frames };
}

async function loadFace(file: string, state: ClipRecord['face']): Promise<FaceFeatures | Missing> {
  if (state.status !== 'used') return { status: state.status, reason: state.reason ?? '' };
  const array = decodeNpy(await readFeature(file), file);
  expectShape(file, array.shape, [state.frames, CROP_SIZE, CROP_SIZE, 3]);
  if (array.dtype !== 'uint8') throw damaged(file, `dtype ${array.dtype} instead of uint8`);
  return { status: 'used', data: array.data, frames: state.frames, times: state.times };
}

async function loadText(file: string, state: ClipRecord['text']): Promise<TextFeatures | Missing> {
  if (state.status !== 'used') return { status: state.status, reason: state.reason ?? '' };
  const array = decodeNpzEntry(await readFeature(file), WORDS_KEY, file);
  expectShape(file, array.shape, [state.words, state.dim]);
  if (array.dtype !== 'float32') throw damaged(file, `dtype ${array.dtype} instead of float32`);
  return { status: 'used', data: array.data, words: state.words, dim: state.dim };
}

async function readFeature(file: string): Promise<Uint8Array> {
  try {
    return await fsp.readFile(file);
  } catch (error) {
    throw new MerError('not_found', `${file} cannot be read.`, 'Run `mer preprocess` again.', { cause: error });
  }
}

function expectShape(file: string, shape: readonly number[], expected: readonly number[]): void {
  if (shape.join() !== expected.join()) throw damaged(file, `shape (${shape}) instead of (${expected})`);
}

function damaged(file: string, why: string): MerError {
  return new MerError('bad_file', `${file}: ${why}.`, 'Delete it and run `mer preprocess` again.');
}

/**
 * Writes the features of one clip. An old record goes first and the new one comes last, so that at any moment a
 * record stands for whole files that belong together, whenever the process is killed.
 *
 * @param extras `vocabulary` where the words were looked up in a table, `embedding` where faces were embedded, and the
 *   share of frames in which the face was detected
 */
export async function saveClipFeatures(
  featuresDir: string,
  split: Split,
  features: ClipFeatures,
  about: Pick<
    ClipRecord,
    | 'version'
    | 'compat'
    | 'maxFrames'
    | 'inputs'
    | 'stamp'
    | 'stem'
    | 'fileId'
    | 'source'
    | 'labels'
    | 'speaker'
    | 'warnings'
  > &
    Partial<Pick<ClipRecord, 'subject'>>,
  extras: { vocabulary?: Vocabulary | null; embedding?: FaceEmbeddings | null; faceShare?: number } = {},
): Promise<ClipRecord> {
  const files = filesOf(featuresDir, split, about.stem);
  const { speech, face, text, duration, span } = features;
  const { vocabulary = null, embedding = null, faceShare: share } = extras;
  await fsp.rm(files.record, { force: true });
  await Promise.all([
    store(
      files.speech,
      speech.status === 'used'
        ? encodeNpy({ dtype: 'float32', shape: [MEL_BANDS, speech.frames], data: speech.data })
        : null,
    ),
    store(
      files.face,
      face.status === 'used'
        ? encodeNpy({ dtype: 'uint8', shape: [face.frames, CROP_SIZE, CROP_SIZE, 3], data: face.data })
        : null,
    ),
    store(
      files.text,
      text.status === 'used'
        ? encodeNpz({ [WORDS_KEY]: { dtype: 'float32', shape: [text.words, text.dim], data: text.data } })
        : null,
    ),
    store(
      files.embedding,
      embedding && embedding.frames > 0
        ? encodeNpy({ dtype: 'float32', shape: [embedding.frames, EMBEDDING_SIZE], data: embedding.data })
        : null,
    ),
  ]);
  const record: ClipRecord = {
    subject: 'largest',
    ...about,
    duration,
    span,
    speech: { ...statusOf(speech), frames: speech.status === 'used' ? speech.frames : 0 },
    face: {
      ...statusOf(face),
      frames: face.status === 'used' ? face.frames : 0,
      times: face.status === 'used' ? face.times : [],
      ...(share !== undefined && { share }),
    },
    text: {
      ...statusOf(text),
      words: text.status === 'used' ? text.words : 0,
      dim: text.status === 'used' ? text.dim : 0,
      table: vocabulary?.table ?? null,
      outOfVocabulary: vocabulary?.outOfVocabulary ?? null,
    },
    embedding: embedding && { model: embedding.model },
  };
  await writeJsonAtomic(files.record, record);
  return record;
}

async function store(file: string, bytes: Uint8Array | null): Promise<void> {
  if (bytes === null) await fsp.rm(file, { force: true });
  else await writeFileAtomic(file, bytes);
}

function statusOf(modality: { status: 'used' } | Missing): { status: 'used' } | Missing {
  return modality.status === 'used' ? { status: 'used' } : { status: modality.status, reason: modality.reason };
}
