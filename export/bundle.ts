import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { BUNDLE_FILE, type Bundle, bundleSchema, PREPROCESSING_VERSION } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { sha256File, writeJsonAtomic } from '../common/files.js';
import { EMOTIONS, MODALITIES } from '../common/labels.js';
import { MTCNN_DIR } from '../common/paths.js';
import { createProgress } from '../common/progress.js';
import { VERSION } from '../common/version.js';
import { BRANCH_PREFIX, branchFeatures } from '../models/multimodal.js';
import { networkParameters } from '../models/parameters.js';
import { type Checkpoint, checkState, readCheckpoint } from '../training/checkpoint.js';
import { buildModels, type ModelSource } from './build-models.js';
import { assertReplaceable, buildFolder } from './folder.js';
import { calibrationOf, type Measurements, measure } from './measure.js';
import { writeModelCard } from './model-card.js';
import { branchGraph, fusionGraph } from './network-graphs.js';
import { checkParity, type ParityReport } from './parity.js';
import { findValidationClips, type ValidationClips, validationLogits } from './validation-logits.js';

const MTCNN_NETS = ['pnet', 'rnet', 'onet'] as const;

const STAGES = [
  'reading the checkpoint',
  'writing the ONNX files',
  'comparing with TensorFlow',
  'measuring on the validation clips',
  'putting it together',
];

export interface ExportOptions {
  /** A multimodal run's folder, whose best checkpoint is taken, or a checkpoint file. */
  run: string;
  /** Folder of the bundle; a bundle that lies there is replaced. */
  out: string;
  /** What the bundle calls itself; the name of its folder by default. */
  name?: string | undefined;
  /**
   * Features whose validation clips it is measured and calibrated on. By default those that the run's configuration
   * names; where they are gone, the bundle is made without calibration and says so.
   */
  features?: string | undefined;
}

/**
 * Exports a multimodal run as a bundle: four ONNX files proven equal to TensorFlow, the three MTCNN nets, bundle.json
 * and MODEL_CARD.md. The folder appears whole or not at all.
 *
 * @throws MerError not_found, bad_file or bad_argument for the run or the folder; missing_part when set-up lacks a part;
 *   parity_failed when a logit differs
 */
export async function exportBundle({
  run,
  out,
  name = path.basename(path.resolve(out)),
  features,
}: ExportOptions): Promise<Bundle> {
  await assertReplaceable(out);
  const progress = createProgress('export', STAGES.length);
  const enter = (stage: number) => progress.update(stage, STAGES[stage]);
  try {
    enter(0);
    const checkpoint = await readMultimodal(run);
    const clips = await findValidationClips(checkpoint, features);
    return await buildFolder(out, async (directory) => {
      enter(1);
      await buildModels(modelSources(checkpoint, name), directory, VERSION);
      enter(2);
      const parity = await checkParity(checkpoint, directory);
      enter(3);
      const measured = await measureOn(clips, checkpoint, directory, (done) => progress.update(3, done));
      enter(4);
      await copyMtcnn(directory);
      const bundle = await describeBundle(checkpoint, name, parity, measured, directory);
      const command = `mer export --run ${run} --out ${out}`;
      await writeModelCard(directory, { bundle, checkpoint, measured, command });
      await writeJsonAtomic(path.join(directory, BUNDLE_FILE), bundle);
      progress.update(STAGES.length, 'done');
      return bundle;
    });
  } finally {
    progress.stop();
  }
}

async function readMultimodal(run: string): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(run);
  const { spec, state, file } = checkpoint;
  if (spec.mode !== 'multimodal') {
    throw new MerError(
      'bad_argument',
      `${file} is a ${spec.mode} checkpoint; a bundle is made of a multimodal one.`,
      'Train with `mer train --mode multimodal` from your three unimodal runs, then export that run.',
    );
  }
  checkState(state, networkParameters(spec), file, spec);
  return checkpoint;
}

/** The four networks of a bundle as ONNX graphs, by the name of their file. */
export function modelSources(
  { spec, state }: Pick<Checkpoint, 'spec' | 'state'>,
  name: string,
): Record<string, ModelSource> {
  const metadata = {
    name,
    emotions: EMOTIONS.join(','),
    preprocessing_version: String(PREPROCESSING_VERSION),
    compat: spec.compat,
  };
  const sources: Record<string, ModelSource> = {
    multimodal: { graph: fusionGraph(spec, state), metadata: { ...metadata, part: 'fusion' } },
  };
  for (const modality of MODALITIES) {
    const graph = branchGraph(modality, spec, state, BRANCH_PREFIX[modality]);
    sources[modality] = { graph, metadata: { ...metadata, part: modality } };
  }
  return sources;
}

/** What the graphs are worth on the validation clips; a reason why there are none is passed on, and told. */
async function measureOn(
  clips: ValidationClips | string,
  checkpoint: Checkpoint,
  directory: string,
  note: (done: string) => void,
): Promise<Measurements | string> {
  if (typeof clips !== 'string') {
    const onClip = (done: number) => note(`validation clip ${done} of ${clips.records.length}`);
    return measure(await validationLogits(directory, checkpoint.spec, clips, onClip), checkpoint);
  }
  process.stderr.write(
    `note: not calibrated, and no set of modalities measured: ${clips}; --features DIR names the features of the run\n`,
  );
  return clips;
}

async function copyMtcnn(directory: string): Promise<void> {
  for (const net of MTCNN_NETS) {
    const source = path.join(MTCNN_DIR, `${net}.onnx`);
    await fsp.copyFile(source, path.join(directory, `${net}.onnx`)).catch((error: unknown) => {
      throw new MerError(
        'missing_part',
        `The face detector's ${source} cannot be copied into the bundle.`,
        'Run `npm run setup -- --for preprocess`.',
        { cause: error },
      );
    });
  }
}

async function describeBundle(
  checkpoint: Checkpoint,
  name: string,
  parity: ParityReport,
  measured: Measurements | string,
  directory: string,
): Promise<Bundle> {
  const { spec, config, metrics, file, epoch } = checkpoint;
  const describe = async (part: string) => {
    const found = path.join(directory, `${part}.onnx`);
    return { file: path.basename(found), sha256: await sha256File(found), bytes: (await fsp.stat(found)).size };
  };
  const [speech, face, text] = [await describe('speech'), await describe('face'), await describe('text')];
  const fusion = await describe('multimodal');
  const [pnet, rnet, onet] = [await describe('pnet'), await describe('rnet'), await describe('onet')];
  const features = branchFeatures(spec);
  return bundleSchema.parse({
    format: 1,
    name,
    version: contentVersion(checkpoint),
    created: new Date().toISOString(),
    emotions: [...EMOTIONS],
    compat: spec.compat,
    precision: 'fp32',
    preprocessing: {
      version: PREPROCESSING_VERSION,
      maxFrames: checkpoint.maxFrames,
      subject: checkpoint.subject,
      faceSize: spec.faceSize,
      wordDim: spec.wordDim,
      maxWords: spec.maxWords,
      wordTable: checkpoint.wordTable,
    },
    branches: {
      speech: { ...speech, features: features.speech },
      face: { ...face, features: features.face },
      text: { ...text, features: features.text },
    },
    fusion,
    mtcnn: { pnet, rnet, onet },
    parity,
    ...(typeof measured === 'string' ? { metrics } : measuredFields(measured)),
    training: { ...config, checkpoint: path.basename(file), epoch },
  } satisfies Bundle);
}

/** Metrics of the exported graphs take the place of those that the training saw. */
function measuredFields(measured: Measurements): Pick<Bundle, 'metrics' | 'subsetMetrics' | 'calibration'> {
  const calibration = calibrationOf(measured);
  const subsets = Object.entries(measured.subsets).map(([subset, output]) => [subset, output.metrics.before]);
  return { metrics: measured.outputs, subsetMetrics: Object.fromEntries(subsets), ...(calibration && { calibration }) };
}

/** The same network with the same weights has the same version, whenever and wherever it is exported. */
function contentVersion({ spec, state }: Checkpoint): string {
  const hash = crypto.createHash('sha256').update(JSON.stringify(spec));
  for (const { name } of networkParameters(spec)) hash.update(name).update(state.get(name)!.data);
  return hash.digest('hex').slice(0, 12);
}
