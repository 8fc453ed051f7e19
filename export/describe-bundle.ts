import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import {
  type Bundle,
  bundleSchema,
  type Inventory,
  PREPROCESSING_VERSION,
  type Precision,
  type Variant,
} from '../common/bundle.js';
import { sha256File } from '../common/files.js';
import { EMOTIONS, type Modality } from '../common/labels.js';
import { branchFeatures } from '../models/multimodal.js';
import { networkParameters } from '../models/parameters.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { branchesOf } from './export-source.js';
import { calibrationOf, type Measurements } from './measure.js';
import type { Parts } from './model-sources.js';
import { SINGLE } from './onnx-network.js';
import type { ParityReport } from './parity.js';
import { SELF_TEST_FILE } from './self-test.js';

/** What bundle.json says, all but what the program knows by itself. */
export interface BundleFacts {
  checkpoint: Checkpoint;
  name: string;
  parts: Parts;
  precision: Precision;
  parity: ParityReport;
  variant: Variant | undefined;
  inventory: Inventory;
  measured: Measurements | string;
}

/**
 * The content of bundle.json.
 * @param directory holds the files of the bundle
 */
export async function describeBundle(directory: string, facts: BundleFacts): Promise<Bundle> {
  const { checkpoint, name, parts, precision, parity, variant, inventory, measured } = facts;
  const { modalities, fusion, single } = parts;
  const { spec, config, metrics, file, epoch } = checkpoint;
  const describeFile = async (file: string) => {
    const found = path.join(directory, file);
    return { file, sha256: await sha256File(found), bytes: (await fsp.stat(found)).size };
  };
  const describe = (part: string) => describeFile(`${part}.onnx`);
  const features = branchFeatures(spec);
  const branches: Bundle['branches'] = {};
  for (const modality of modalities)
    branches[modality] = { ...(await describe(modality)), features: features[modality] };
  const [pnet, rnet, onet] = [await describe('pnet'), await describe('rnet'), await describe('onet')];
  return bundleSchema.parse({
    format: 1,
    name,
    version: contentVersion(checkpoint, modalities, precision),
    created: new Date().toISOString(),
    emotions: [...EMOTIONS],
    compat: spec.compat,
    precision,
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
    selfTest: await describeFile(SELF_TEST_FILE),
    mtcnn: { pnet, rnet, onet },
    parity,
    ...(variant && { variant }),
    inventory,
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
function contentVersion({ spec, state }: Checkpoint, modalities: readonly Modality[], precision: Precision): string {
  const hash = crypto.createHash('sha256').update(JSON.stringify(spec));
  for (const { name } of networkParameters(spec)) hash.update(name).update(state.get(name)!.data);
  if (modalities.length < branchesOf(spec).length) hash.update(modalities.join());
  if (precision !== 'fp32') hash.update(precision);
  return hash.digest('hex').slice(0, 12);
}
