import fsp from 'node:fs/promises';
import path from 'node:path';
import { BUNDLE_FILE, type Bundle } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { writeJsonAtomic } from '../common/files.js';
import { MTCNN_DIR } from '../common/paths.js';
import { createProgress } from '../common/progress.js';
import { VERSION } from '../common/version.js';
import type { ModelSpec } from '../models/spec.js';
import { buildModels } from './build-models.js';
import { exportCommand } from './card/commands.js';
import { describeBundle } from './describe-bundle.js';
import type { ExportOptions } from './export-options.js';
import { readSource } from './export-source.js';
import { assertReplaceable, buildFolder } from './folder.js';
import { takeInventory } from './inventory.js';
import { measure } from './measure.js';
import { writeModelCard } from './model-card.js';
import { modelSources, partsOf } from './model-sources.js';
import { checkParity } from './parity.js';
import {
  findValidationClips,
  type ValidationClips,
  type ValidationLogits,
  validationLogits,
} from './validation-logits.js';
import { convertPrecision, measureVariant, requireAgreement, storeSelfTest } from './variant.js';

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
  precision = 'fp32',
  force = false,
  ...weights
}: ExportOptions): Promise<Bundle> {
  await assertReplaceable(out);
  const progress = createProgress('export', STAGES.length);
  const enter = (stage: number) => progress.update(stage, STAGES[stage]);
  try {
    enter(0);
    const checkpoint = await readSource(weights);
    const { spec } = checkpoint;
    const parts = partsOf(spec, without, single);
    const clips = await findValidationClips(checkpoint, features);
    if (typeof clips === 'string') noteUnmeasured(clips);
    const compareVariant = async (
      fp32: string,
      directory: string,
      own: ValidationLogits | string,
      onClip: (done: string) => void,
    ) => {
      const scored = await scoreClips(clips, spec, fp32, onClip);
      const logitsOrNull = (logits: ValidationLogits | string) => (typeof logits === 'string' ? null : logits);
      const pair = {
        fp32: { directory: fp32, logits: logitsOrNull(scored) },
        variant: { directory, logits: logitsOrNull(own) },
      };
      return measureVariant(pair, spec, parts.modalities, checkpoint.maxFrames);
    };
    return await buildFolder(out, async (directory) => {
      enter(1);
      const fp32 = precision === 'fp32' ? directory : await makeFolder(path.join(directory, 'fp32'));
      await buildModels(modelSources(checkpoint, name, parts), fp32, VERSION);
      enter(2);
      const parity = await checkParity(checkpoint, fp32, parts.modalities);
      if (precision !== 'fp32') await convertPrecision(fp32, directory, precision);
      enter(3);
      const onClip = (done: string) => progress.update(3, done);
      const logits = await scoreClips(clips, spec, directory, onClip);
      const variant = precision === 'fp32' ? undefined : await compareVariant(fp32, directory, logits, onClip);
      if (variant && !force) requireAgreement(precision, variant);
      const inventory = await takeInventory(fp32, directory, spec, checkpoint.maxFrames);
      if (fp32 !== directory) await fsp.rm(fp32, { recursive: true });
      enter(4);
      await storeSelfTest(directory, spec, parts.modalities, precision);
      await copyMtcnn(directory);
      const measured = typeof logits === 'string' ? logits : measure(logits, checkpoint);
      const facts = { checkpoint, name, parts, precision, parity, variant, inventory, measured };
      const bundle = await describeBundle(directory, facts);
      const command = exportCommand({ ...weights, out, features, without, single, precision, force });
      await writeModelCard(directory, { bundle, checkpoint, measured, featuresDir: features, command });
      await writeJsonAtomic(path.join(directory, BUNDLE_FILE), bundle);
      progress.update(STAGES.length, 'done');
      return bundle;
    });
  } finally {
    progress.stop();
  }
}

async function makeFolder(directory: string): Promise<string> {
  await fsp.mkdir(directory);
  return directory;
}

/** What the graphs of a folder say of the validation clips; a reason why there are none is passed on. */
async function scoreClips(
  clips: ValidationClips | string,
  spec: ModelSpec,
  directory: string,
  note: (done: string) => void,
): Promise<ValidationLogits | string> {
  if (typeof clips === 'string') return clips;
  return validationLogits(directory, spec, clips, (done) => {
    note(`validation clip ${done} of ${clips.records.length}`);
  });
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

function noteUnmeasured(why: string): void {
  process.stderr.write(
    `note: not calibrated, and no set of modalities measured: ${why}; --features DIR names the features of the run\n`,
  );
}
