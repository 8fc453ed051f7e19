import path from 'node:path';
import { MerError } from '../../common/errors.js';
import { EMOTION_COUNT, EMOTIONS, MODALITIES, type Modality } from '../../common/labels.js';
import { Random } from '../../common/random.js';
import { listClips } from '../../preprocessing/corpus/feature-store.js';
import type { ClipRecord } from '../../preprocessing/features.js';
import { type Batch, collate } from '../../preprocessing/model-inputs.js';
import { modelSpec } from '../config.js';
import { trainingBatches } from '../data/batches.js';
import { Dataset, wordDimension } from '../data/dataset.js';
import { parseTrainConfig } from '../parse-config.js';
import { framesPicture, type Picture, spectrogramPicture, wordsPicture } from './pictures.js';
import { type Cell, writeSheet } from './sheet.js';

export interface PreviewOptions {
  /** Folder that `mer preprocess` wrote. Its mode decides how training sees the clips. */
  features: string;
  /** Folder of the sheets. */
  out: string;
  /** One modality; all that the training clips have when absent. */
  mode?: Modality | undefined;
  seed: number;
  /** Clips on a sheet. */
  clips: number;
}

const MIXUP = { name: 'mixup', flags: { mixup_prob: 1, mixup_alpha: 1 } };
const CUTMIX = { name: 'cutmix', flags: { cutmix_prob: 1, cutmix_beta: 1 } };
const PLAIN = [1, 2, 3].map((number) => ({ name: `view ${number}`, flags: {} }));

/** What is shown of each clip beside what evaluation sees: every view is a batch of another epoch. Words only mix. */
const VIEWS = { speech: [...PLAIN, MIXUP, CUTMIX], face: [...PLAIN, MIXUP, CUTMIX], text: [MIXUP] } as const;

/** Pictures side by side; each row of face frames takes the whole width. */
const COLUMNS = { speech: 3, face: 1, text: 2 } as const;

/**
 * Writes a sheet a modality, `speech.png`, `face.png` and `text.png`: a few training clips as evaluation sees them and
 * as training does, from the very batches that `mer train` would learn from.
 *
 * @returns the files
 * @throws MerError not_found when no labelled training clip has the modality
 */
export async function augmentPreview({ features, out, mode, seed, clips }: PreviewOptions): Promise<string[]> {
  const records = await listClips(features, 'train');
  const modalities = mode
    ? [mode]
    : MODALITIES.filter((name) => records.some((record) => record[name].status === 'used'));
  if (modalities.length === 0) {
    throw new MerError('not_found', `${features}/train holds no clip with features.`, 'Run `mer preprocess` first.');
  }
  const files: string[] = [];
  for (const modality of modalities) {
    const file = path.join(out, `${modality}.png`);
    const { rows, compat } = await modalityRows(modality, features, records, seed, clips);
    const title = `${modality}: what evaluation and training see (compat ${compat}, seed ${seed})`;
    await writeSheet(file, title, rows);
    files.push(file);
  }
  return files;
}

async function modalityRows(
  modality: Modality,
  features: string,
  records: readonly ClipRecord[],
  seed: number,
  clips: number,
) {
  const compat = records[0]?.compat ?? 'default';
  const config = parseTrainConfig({ mode: modality, compat, seed, features, batch_size: clips });
  const spec = modelSpec(config, wordDimension(records));
  const usable = Dataset.of(features, 'train', records, spec, modality).records;
  const order = Random.for(seed, 'preview').permutation(usable.length).slice(0, clips);
  const chosen = order.map((index) => usable[index]!);
  const dataset = Dataset.of(features, 'train', chosen, spec, modality);
  const cells: Cell[][] = chosen.map(() => []);
  const examples = await Promise.all(chosen.map((_, clip) => dataset.load(clip)));
  const draw = pictures(modality);
  const evaluated = collate(
    examples.map(({ inputs }) => inputs),
    spec,
  );
  for (const [clip, { record }] of examples.entries()) {
    const label = record.labels?.inte;
    cells[clip]!.push({ caption: `${record.stem} (${label}), in evaluation`, picture: draw(evaluated, clip) });
  }
  for (const [epoch, { name, flags }] of VIEWS[modality].entries()) {
    for await (const { batch, targets, stems } of trainingBatches(dataset, spec, { ...config, ...flags }, epoch)) {
      for (const [row, stem] of stems.entries()) {
        const clip = chosen.findIndex((record) => record.stem === stem);
        const label = describeTarget(targets.inte.subarray(row * EMOTION_COUNT, (row + 1) * EMOTION_COUNT));
        cells[clip]!.push({ caption: `${name}: ${label}`, picture: draw(batch, row) });
      }
    }
  }
  return { rows: cells.flatMap((row) => inColumns(row, COLUMNS[modality])), compat };
}

/** How one clip of a batch is drawn. */
function pictures(modality: Modality): (batch: Batch, clip: number) => Picture {
  const rowOf = <T extends Float32Array | Uint8Array>(data: T, { clips }: Batch, clip: number) =>
    data.subarray((clip * data.length) / clips, ((clip + 1) * data.length) / clips) as T;
  switch (modality) {
    case 'speech':
      return (batch, clip) => spectrogramPicture(rowOf(batch.speech.data, batch, clip), batch.speech.lengths[clip]!);
    case 'face':
      return (batch, clip) => framesPicture(rowOf(batch.face.data, batch, clip), batch.face.lengths[clip]!);
    case 'text':
      return (batch, clip) => {
        const { data, words, lengths } = batch.text;
        const largest = data.reduce((max, value) => Math.max(max, Math.abs(value)), Number.MIN_VALUE);
        return wordsPicture(rowOf(data, batch, clip), words, lengths[clip]!, largest);
      };
  }
}

/** The shares of a target that matter, the largest first, such as `hap 0.62, fea 0.38`. */
function describeTarget(target: Float32Array): string {
  return EMOTIONS.map((emotion, index) => ({ emotion, share: target[index]! }))
    .filter(({ share }) => share >= 0.005)
    .sort((a, b) => b.share - a.share)
    .map(({ emotion, share }) => `${emotion} ${share.toFixed(2)}`)
    .join(', ');
}

function inColumns<T>(items: readonly T[], columns: number): T[][] {
  const rows: T[][] = [];
  for (let start = 0; start < items.length; start += columns) rows.push(items.slice(start, start + columns));
  return rows;
}
