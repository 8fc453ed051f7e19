import fsp from 'node:fs/promises';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import type { ClassificationMetrics } from '../common/metrics.js';
import { createProgress, type Progress } from '../common/progress.js';
import { networkParameters, parameterCount } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { listClips } from '../preprocessing/corpus/feature-store.js';
import { type CheckpointInfo, readCheckpoint } from './checkpoint.js';
import { classWeights, describeClassWeights } from './class-weights.js';
import { modelSpec, type TrainConfig } from './config.js';
import { BatchLoader } from './data/batch-loader.js';
import { stepsPerEpoch, type TrainingBatch } from './data/batches.js';
import { Dataset, labelsOf, wordDimension, wordTable } from './data/dataset.js';
import { describeStart, loadStartingWeights, randomState } from './initial-state.js';
import { describePlan } from './micro-batch.js';
import {
  type BestCheckpoint,
  NO_STEPS,
  RESUME_FILE,
  type ResumePoint,
  readResumePoint,
  writeResumePoint,
} from './resume.js';
import { RunLog } from './run-log.js';
import { learningRate } from './schedule.js';
import { FRESH_SESSION, TrainingSession } from './session.js';
import { validate } from './validate.js';

export interface TrainResult {
  run: string;
  /** Epoch (from 1) of the best checkpoint and its validation metrics by output. */
  epoch: number;
  metrics: CheckpointInfo['metrics'];
}

/**
 * Trains the network that `config` asks for and writes logs/{mode}/{exp_name}/: `{epoch}_best_{val_loss}.safetensors`
 * (multimodal `{step}_{epoch}_best_{val_loss}`), `last.safetensors`, `resume.safetensors` and what training/run-log.ts
 * lists. The best checkpoint is the one of highest macro-F1 (or least loss: `--select`) on the validation split.
 *
 * @param signal aborts between two steps, where the run saves itself to be resumed
 * @throws MerError bad_argument, not_found, bad_file, training_failed, interrupted
 */
export async function train(config: TrainConfig, signal?: AbortSignal): Promise<TrainResult> {
  const run = path.join(config.logs, config.mode, config.exp_name);
  const resumeFile = path.join(run, RESUME_FILE);
  if (!config.resume && (await fsp.stat(resumeFile).catch(() => null))) {
    throw new MerError('bad_argument', `${run} holds a run already.`, 'Add --resume, or choose another --exp_name.');
  }
  const trainClips = await listClips(config.features, 'train');
  const spec = modelSpec(config, wordDimension(trainClips));
  const needed = config.mode === 'multimodal' ? null : config.mode;
  const trainSet = Dataset.of(config.features, 'train', trainClips, spec, needed);
  const validationClips = await listClips(config.features, 'val');
  const validationSet = Dataset.of(config.features, 'val', validationClips, spec, needed);
  const readsWords = config.mode === 'text' || config.mode === 'multimodal';
  const table = readsWords ? wordTable([...trainSet.records, ...validationSet.records]) : null;

  const identity = { config, stems: trainSet.records.map(({ stem }) => stem), wordTable: table };
  const point = config.resume ? await readResumePoint(resumeFile, identity) : await startingPoint(spec, config, table);
  const { origins } = point;
  const weights = classWeights(trainSet.records.map(labelsOf), config);
  const session = await TrainingSession.create(spec, config, point.state, weights);
  session.restore(point.session);
  const steps = stepsPerEpoch(trainSet.size, config.batch_size);
  const facts = {
    config,
    spec,
    maxFrames: trainSet.maxFrames,
    subject: trainSet.subject,
    wordTable: table,
    origins,
    stepsPerEpoch: steps,
  };
  const log = await RunLog.open(run, facts, config.resume ? { step: session.step, best: point.best } : null);
  announce(config, spec, session, trainSet.size, validationSet.size);
  tell(describeClassWeights(weights));
  if (config.resume) tell(`resumed at epoch ${point.epoch + 1}, step ${point.totals.steps} of ${steps}`);

  const loader = new BatchLoader(trainSet, spec, config);
  tell(loader.note);
  let { epoch, totals } = point;
  let saved = Date.now();
  let evaluated = -1;
  const save = async () => {
    const state = session.variables.state();
    const next = { state, session: session.state(), epoch, totals, best: log.best, origins };
    await writeResumePoint(resumeFile, next, identity);
    saved = Date.now();
  };
  let progress: Progress | null = null;
  const evaluate = async () => {
    progress?.stop();
    progress = null;
    await session.withAverage(async () => {
      const metrics = await validate(session.native, session.variables, spec, validationSet, signal);
      await log.noteEvaluation({ epoch: epoch + 1, step: session.step, metrics }, session);
      tell(`epoch ${epoch + 1}: ${describe(metrics)}`);
    });
    evaluated = session.step;
  };
  try {
    while (epoch < config.n_epoch && !isExhausted(log.best, epoch, config)) {
      loader.takeWaitShare();
      for await (const batch of loader.batches(epoch, totals.steps)) {
        if (signal?.aborted) {
          await save();
          signal.throwIfAborted();
        }
        const rate = learningRate(config, session.step, steps);
        const unplanned = session.memoryPlan === null;
        const { loss, accuracy } = session.train(batch, rate);
        if (unplanned) tell(describePlan(session.memoryPlan, batch.batch.clips));
        if (!Number.isFinite(loss)) throw divergence(loss, session.step, batch, config);
        totals = {
          steps: totals.steps + 1,
          loss: totals.loss + loss,
          accuracy: totals.accuracy + accuracy,
          learningRate: rate,
        };
        log.noteStep(session.step, { loss, learningRate: rate });
        progress ??= createProgress(`epoch ${epoch + 1}/${config.n_epoch}`, steps);
        progress.update(totals.steps, `loss ${loss.toFixed(4)} accuracy ${accuracy.toFixed(3)}`);
        if (config.eval_step > 0 && session.step % config.eval_step === 0) await evaluate();
        const minutes = (Date.now() - saved) / 60_000;
        if (config.save_every_minutes > 0 && minutes >= config.save_every_minutes) await save();
      }
      progress?.stop();
      progress = null;
      tell(`epoch ${epoch + 1}: ${(100 * loader.takeWaitShare()).toFixed(1)} % of the time waited for data`);
      await log.noteEpoch(epoch + 1, session.step, totals);
      const isLast = epoch + 1 === config.n_epoch;
      if (config.eval_step <= 0 || (isLast && evaluated !== session.step)) await evaluate();
      epoch++;
      totals = NO_STEPS;
      await save();
    }
    if (epoch < config.n_epoch) tell(`stopped: ${config.patience} epochs without a better checkpoint`);
  } catch (error) {
    if (signal?.aborted) {
      throw new MerError('interrupted', 'Training was interrupted.', 'Run the same command with --resume to go on.');
    }
    throw error;
  } finally {
    progress?.stop();
    log.close();
    await loader.dispose();
    session.dispose();
  }
  const { epoch: bestEpoch, metrics } = await readCheckpoint(run);
  return { run, epoch: bestEpoch, metrics };
}

async function startingPoint(spec: ModelSpec, config: TrainConfig, table: string | null): Promise<ResumePoint> {
  const state = randomState(networkParameters(spec), config.seed);
  const origins = await loadStartingWeights(state, spec, config, table);
  for (const line of describeStart(spec, origins)) tell(line);
  const session = FRESH_SESSION;
  return { state, session, epoch: 0, totals: NO_STEPS, best: null, origins };
}

/** Early stopping: `--patience` epochs have gone since that of the best checkpoint. */
function isExhausted(best: BestCheckpoint | null, epoch: number, { patience }: TrainConfig): boolean {
  return patience > 0 && best !== null && epoch - best.epoch >= patience;
}

/** @param step steps done before the one that failed */
function divergence(loss: number, step: number, { stems }: TrainingBatch, { features }: TrainConfig): MerError {
  return new MerError(
    'training_failed',
    `The loss became ${loss} at step ${step + 1}, on these clips of ${path.join(features, 'train')}: ${stems.join(', ')}.`,
    'Lower --learning_rate, or check the features of those clips.',
  );
}

function announce(config: TrainConfig, spec: ModelSpec, session: TrainingSession, clips: number, held: number): void {
  const parameters = parameterCount(networkParameters(spec)).toLocaleString('en');
  const device = session.native.usesGpu ? 'GPU' : 'CPU';
  tell(
    `${config.mode}: ${parameters} parameters, ${clips} training and ${held} validation clips, ` +
      `TensorFlow ${session.native.version} on ${device}`,
  );
}

function describe(metrics: Record<string, ClassificationMetrics>): string {
  return Object.entries(metrics)
    .map(([name, { nll, accuracy, macroF1 }]) => {
      return `${name} loss ${nll.toFixed(4)} accuracy ${accuracy.toFixed(3)} macro-F1 ${macroF1.toFixed(3)}`;
    })
    .join(', ');
}

function tell(line: string | null): void {
  if (line !== null) process.stderr.write(`${line}\n`);
}
