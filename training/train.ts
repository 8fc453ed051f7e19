import fsp from 'node:fs/promises';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { writeFileAtomic, writeJsonAtomic } from '../common/files.js';
import type { ClassificationMetrics } from '../common/metrics.js';
import { createProgress } from '../common/progress.js';
import { networkParameters, parameterCount } from '../models/parameters.js';
import type { ModelSpec } from '../models/spec.js';
import { listClips } from '../preprocessing/corpus/feature-store.js';
import { type CheckpointInfo, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { modelSpec, type TrainConfig } from './config.js';
import { stepsPerEpoch, trainingBatches } from './data/batches.js';
import { Dataset, wordDimension } from './data/dataset.js';
import { describeStart, loadStartingWeights, randomState } from './initial-state.js';
import { type ResumePoint, readResumePoint, writeResumePoint } from './resume.js';
import { learningRate } from './schedule.js';
import { TrainingSession } from './session.js';
import { validate } from './validate.js';
import type { Origins } from './weights/origin.js';

export interface TrainResult {
  run: string;
  /** Epoch (from 1) of the best checkpoint and its validation metrics by output. */
  epoch: number;
  metrics: CheckpointInfo['metrics'];
}

/**
 * Trains the network that `config` asks for and writes logs/{mode}/{exp_name}/: `{epoch}_best_{val_loss}.safetensors`
 * (multimodal `{step}_{epoch}_best_{val_loss}`), `saved_status.json`, `metrics.csv` and `resume.safetensors`.
 * The best checkpoint is the one of highest macro-F1 on the validation split.
 *
 * @param signal aborts between two steps; the run can then be resumed from its last whole epoch
 * @throws MerError bad_argument, not_found, bad_file, training_failed, interrupted
 */
export async function train(config: TrainConfig, signal?: AbortSignal): Promise<TrainResult> {
  const run = path.join(config.logs, config.mode, config.exp_name);
  const resumeFile = path.join(run, 'resume.safetensors');
  if (!config.resume && (await fsp.stat(resumeFile).catch(() => null))) {
    throw new MerError('bad_argument', `${run} holds a run already.`, 'Add --resume, or choose another --exp_name.');
  }
  const trainClips = await listClips(config.features, 'train');
  const spec = modelSpec(config, wordDimension(trainClips));
  const needed = config.mode === 'multimodal' ? null : config.mode;
  const trainSet = Dataset.of(config.features, 'train', trainClips, spec, needed);
  const validationClips = await listClips(config.features, 'val');
  const validationSet = Dataset.of(config.features, 'val', validationClips, spec, needed);

  const point = config.resume ? await readResumePoint(resumeFile, config) : await startingPoint(spec, config);
  const session = await TrainingSession.create(spec, config, point.state);
  session.restore(point.session);
  const log = new RunLog(run, config, spec, trainSet.maxFrames, point);
  announce(config, spec, session, trainSet.size, validationSet.size);
  try {
    const steps = stepsPerEpoch(trainSet.size, config.batch_size);
    for (let epoch = point.epoch; epoch < config.n_epoch; epoch++) {
      const evaluate = async () => {
        const metrics = await session.withAverage(async () => {
          const found = await validate(session.native, session.variables, spec, validationSet, signal);
          await log.note({ epoch: epoch + 1, step: session.step, metrics: found }, session);
          return found;
        });
        process.stderr.write(`epoch ${epoch + 1}: ${describe(metrics)}\n`);
      };
      const progress = createProgress(`epoch ${epoch + 1}/${config.n_epoch}`, steps);
      let done = 0;
      for await (const batch of trainingBatches(trainSet, spec, config, epoch)) {
        signal?.throwIfAborted();
        const { loss, accuracy } = session.train(batch, learningRate(config, session.step, steps));
        if (!Number.isFinite(loss)) {
          throw new MerError(
            'training_failed',
            `The loss became ${loss} at step ${session.step + 1}, on the clips ${batch.stems.join(', ')}.`,
            'Lower --learning_rate, or check those clips.',
          );
        }
        progress.update(++done, `loss ${loss.toFixed(4)} accuracy ${accuracy.toFixed(3)}`);
        if (config.eval_step > 0 && session.step % config.eval_step === 0) await evaluate();
      }
      progress.stop();
      if (config.eval_step <= 0) await evaluate();
      const state = session.variables.state();
      const { origins } = point;
      const next = { state, session: session.state(), epoch: epoch + 1, best: log.best, origins };
      await writeResumePoint(resumeFile, next, config);
    }
  } catch (error) {
    if (signal?.aborted) {
      throw new MerError('interrupted', 'Training was interrupted.', 'Run the same command with --resume to go on.');
    }
    throw error;
  } finally {
    session.dispose();
  }
  return log.result();
}

async function startingPoint(spec: ModelSpec, config: TrainConfig): Promise<ResumePoint> {
  const state = randomState(networkParameters(spec), config.seed);
  const origins = await loadStartingWeights(state, spec, config);
  for (const line of describeStart(spec, origins)) process.stderr.write(`${line}\n`);
  return { state, session: { step: 0, optimizer: new Map(), average: null }, epoch: 0, best: null, origins };
}

function announce(config: TrainConfig, spec: ModelSpec, session: TrainingSession, clips: number, held: number): void {
  const parameters = parameterCount(networkParameters(spec)).toLocaleString('en');
  const device = session.native.usesGpu ? 'GPU' : 'CPU';
  process.stderr.write(
    `${config.mode}: ${parameters} parameters, ${clips} training and ${held} validation clips, ` +
      `TensorFlow ${session.native.version} on ${device}\n`,
  );
}

function describe(metrics: Record<string, ClassificationMetrics>): string {
  return Object.entries(metrics)
    .map(([name, { nll, accuracy, macroF1 }]) => {
      return `${name} loss ${nll.toFixed(4)} accuracy ${accuracy.toFixed(3)} macro-F1 ${macroF1.toFixed(3)}`;
    })
    .join(', ');
}

interface Evaluation {
  epoch: number;
  step: number;
  metrics: Record<string, ClassificationMetrics>;
}

/** The files of a run: best checkpoint, configuration, metrics by evaluation. */
class RunLog {
  best: ResumePoint['best'];
  readonly #run: string;
  readonly #config: TrainConfig;
  readonly #spec: ModelSpec;
  readonly #maxFrames: number;
  readonly #origins: Origins;

  constructor(run: string, config: TrainConfig, spec: ModelSpec, maxFrames: number, point: ResumePoint) {
    this.#run = run;
    this.#config = config;
    this.#spec = spec;
    this.#maxFrames = maxFrames;
    this.#origins = point.origins;
    this.best = point.best;
  }

  async note(evaluation: Evaluation, session: TrainingSession): Promise<void> {
    await fsp.mkdir(this.#run, { recursive: true });
    await this.#appendMetrics(evaluation);
    const { inte } = evaluation.metrics;
    if (!inte || inte.macroF1 <= (this.best?.score ?? Number.NEGATIVE_INFINITY)) return;
    const old = this.best?.file;
    const prefix = this.#config.mode === 'multimodal' ? `${evaluation.step}_` : '';
    const file = `${prefix}${evaluation.epoch}_best_${inte.nll.toFixed(4)}.safetensors`;
    const info: CheckpointInfo = {
      spec: this.#spec,
      config: this.#config,
      epoch: evaluation.epoch,
      maxFrames: this.#maxFrames,
      metrics: evaluation.metrics,
      origins: this.#origins,
    };
    await writeCheckpoint(path.join(this.#run, file), session.variables.state(), info);
    this.best = { score: inte.macroF1, file };
    const status = { config: this.#config, spec: this.#spec, best: { file, ...evaluation } };
    await writeJsonAtomic(path.join(this.#run, 'saved_status.json'), status);
    if (old !== undefined && old !== file) await fsp.rm(path.join(this.#run, old), { force: true });
  }

  async #appendMetrics({ epoch, step, metrics }: Evaluation): Promise<void> {
    const file = path.join(this.#run, 'metrics.csv');
    const header = 'epoch,step,output,clips,loss,accuracy,macro_f1\n';
    const written = await fsp.readFile(file, 'utf8').catch(() => header);
    // Lines of an epoch that was interrupted and is done again are replaced.
    const kept = written
      .split('\n')
      .filter((line) => !line || line.startsWith('epoch') || Number(line.split(',')[1]) < step);
    const lines = Object.entries(metrics).map(
      ([name, { clips, nll, accuracy, macroF1 }]) =>
        `${epoch},${step},${name},${clips},${nll},${accuracy},${macroF1}\n`,
    );
    await writeFileAtomic(file, kept.join('\n') + lines.join(''));
  }

  async result(): Promise<TrainResult> {
    const { epoch, metrics } = await readCheckpoint(this.#run);
    return { run: this.#run, epoch, metrics };
  }
}
