import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { BUNDLE_FILE, type Bundle, bundleSchema, PREPROCESSING_VERSION } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { sha256File, writeJsonAtomic } from '../common/files.js';
import { EMOTIONS, type Modality } from '../common/labels.js';
import { MTCNN_DIR } from '../common/paths.js';
import { createProgress } from '../common/progress.js';
import { VERSION } from '../common/version.js';
import { branchFeatures } from '../models/multimodal.js';
import { networkParameters } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { buildModels, type ModelSource } from './build-models.js';
import { exportCommand } from './card/commands.js';
import type { ExportOptions } from './export-options.js';
import { branchesOf, readSource } from './export-source.js';
import { assertReplaceable, buildFolder } from './folder.js';
import { calibrationOf, type Measurements, measure } from './measure.js';
import { writeModelCard } from './model-card.js';
import { branchGraph, fusionGraph, singleGraph } from './network-graphs.js';
import { SINGLE } from './onnx-network.js';
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

/**
 * Exports a run as a bundle: its ONNX files, proven equal to TensorFlow, the three MTCNN nets, bundle.json and
 * MODEL_CARD.md. A multimodal run has a file for each branch and one for the fusion, a unimodal run only its branch.
 * The folder appears whole or not at all.
 *
 * @throws MerError not_found, bad_file or bad_argument for the weights or the folder; missing_part when set-up lacks a
 *   part; parity_failed when a logit differs; disk_full
 */
export async function exportBundle({
  out,
  name = path.basename(path.resolve(out)),
  features,
  without = [],
  single = false,
  ...weights
}: ExportOptions): Promise<Bundle> {
  await assertReplaceable(out);
  const progress = createProgress('export', STAGES.length);
  const enter = (stage: number) => progress.update(stage, STAGES[stage]);
  try {
    enter(0);
    const checkpoint = await readSource(weights);
    const parts = partsOf(checkpoint.spec, without, single);
    const clips = await findValidationClips(checkpoint, features);
    return await buildFolder(out, async (directory) => {
      enter(1);
      await buildModels(modelSources(checkpoint, name, parts), directory, VERSION);
      enter(2);
      const parity = await checkParity(checkpoint, directory, parts.modalities);
      enter(3);
      const measured = await measureOn(clips, checkpoint, directory, (done) => progress.update(3, done));
      enter(4);
      await copyMtcnn(directory);
      const bundle = await describeBundle(checkpoint, name, parts, parity, measured, directory);
      const command = exportCommand({ ...weights, out, features, without, single });
      await writeModelCard(directory, { bundle, checkpoint, measured, command });
      await writeJsonAtomic(path.join(directory, BUNDLE_FILE), bundle);
      progress.update(STAGES.length, 'done');
      return bundle;
    });
  } finally {
    progress.stop();
  }
}

/** The graphs that a bundle has. */
interface Parts {
  modalities: readonly Modality[];
  fusion: boolean;
  single: boolean;
}

function partsOf(spec: ModelSpec, without: readonly Modality[], single: boolean): Parts {
  const modalities = branchesOf(spec).map(({ modality }) => modality);
  const kept = modalities.filter((modality) => !without.includes(modality));
  const fusion = spec.mode === 'multimodal';
  if (kept.length === 0) {
    const message = `A ${spec.mode} network without ${without.join(', ')} has no branch left.`;
    throw new MerError('bad_argument', message, 'Leave out fewer modalities.');
  }
  if (single && !fusion) {
    const message = `A ${spec.mode} network is a single graph already.`;
    throw new MerError('bad_argument', message, 'Leave out --single_file.');
  }
  return { modalities: kept, fusion, single };
}

/** The networks of a bundle as ONNX graphs, by the name of their file; all that `spec` has unless `parts` says less. */
export function modelSources(
  { spec, state }: Pick<Checkpoint, 'spec' | 'state'>,
  name: string,
  { modalities, fusion, single } = partsOf(spec, [], false),
): Record<string, ModelSource> {
  const metadata = {
    name,
    emotions: EMOTIONS.join(','),
    preprocessing_version: String(PREPROCESSING_VERSION),
    compat: spec.compat,
  };
  const sources: Record<string, ModelSource> = {};
  for (const { modality, prefix } of branchesOf(spec)) {
    if (!modalities.includes(modality)) continue;
    const graph = branchGraph(modality, spec, state, prefix);
    sources[modality] = { graph, metadata: { ...metadata, part: modality } };
  }
  if (fusion) sources.multimodal = { graph: fusionGraph(spec, state), metadata: { ...metadata, part: 'fusion' } };
  if (single) sources[SINGLE] = { graph: singleGraph(spec, state, modalities), metadata: { ...metadata, part: 'all' } };
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
  { modalities, fusion, single }: Parts,
  parity: ParityReport,
  measured: Measurements | string,
  directory: string,
): Promise<Bundle> {
  const { spec, config, metrics, file, epoch } = checkpoint;
  const describe = async (part: string) => {
    const found = path.join(directory, `${part}.onnx`);
    return { file: path.basename(found), sha256: await sha256File(found), bytes: (await fsp.stat(found)).size };
  };
  const features = branchFeatures(spec);
  const branches: Bundle['branches'] = {};
  for (const modality of modalities)
    branches[modality] = { ...(await describe(modality)), features: features[modality] };
  const [pnet, rnet, onet] = [await describe('pnet'), await describe('rnet'), await describe('onet')];
  return bundleSchema.parse({
    format: 1,
    name,
    version: contentVersion(checkpoint, modalities),
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
    branches,
    ...(fusion && { fusion: await describe('multimodal') }),
    ...(single && { single: await describe(SINGLE) }),
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

/** The same networks with the same weights have the same version, whenever and wherever they are exported. */
function contentVersion({ spec, state }: Checkpoint, modalities: readonly Modality[]): string {
  const hash = crypto.createHash('sha256').update(JSON.stringify(spec));
  for (const { name } of networkParameters(spec)) hash.update(name).update(state.get(name)!.data);
  if (modalities.length < branchesOf(spec).length) hash.update(modalities.join());
  return hash.digest('hex').slice(0, 12);
}
