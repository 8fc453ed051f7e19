import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Subject } from '../common/bundle.js';
import { writeFileAtomic, writeJsonAtomic } from '../common/files.js';
import { EMOTIONS } from '../common/labels.js';
import type { ClassificationMetrics } from '../common/metrics.js';
import { confusionSvg } from '../common/plots/confusion.js';
import type { ModelSpec } from '../models/spec.js';
import { type CheckpointInfo, LAST_FILE, STATUS_FILE, writeCheckpoint } from './checkpoint.js';
import type { TrainConfig } from './config.js';
import { MetricsTable } from './metrics-table.js';
import type { BestCheckpoint, EpochTotals } from './resume.js';
import type { TrainingSession } from './session.js';
import { createEventWriter, type EventWriter, removeEvents } from './tensorboard.js';
import type { Origins } from './weights/origin.js';

/** TensorBoard gets the loss of every so many steps, so that its files stay small. */
const STEPS_BETWEEN_EVENTS = 10;

export interface Evaluation {
  /** From 1. */
  epoch: number;
  /** Steps of the run so far. */
  step: number;
  /** By output: `inte`, and in multimodal runs each modality. */
  metrics: Record<string, ClassificationMetrics>;
}

interface RunFacts {
  config: TrainConfig;
  spec: ModelSpec;
  maxFrames: number;
  subject: Subject;
  wordTable: string | null;
  origins: Origins;
  stepsPerEpoch: number;
}

/**
 * What a run leaves in its folder beside the resume point: checkpoints (the best one and last.safetensors),
 * saved_status.json, metrics.csv, curves.svg, confusion.svg and TensorBoard event files.
 */
export class RunLog {
  readonly #run: string;
  readonly #facts: RunFacts;
  readonly #table: MetricsTable;
  readonly #events: EventWriter;
  #best: BestCheckpoint | null;

  private constructor(run: string, facts: RunFacts, table: MetricsTable, events: EventWriter) {
    this.#run = run;
    this.#facts = facts;
    this.#table = table;
    this.#events = events;
    this.#best = null;
  }

  /** @param resumed where the run goes on: its steps so far and its best checkpoint; null for a new run */
  static async open(
    run: string,
    facts: RunFacts,
    resumed: { step: number; best: BestCheckpoint | null } | null,
  ): Promise<RunLog> {
    await fsp.mkdir(run, { recursive: true });
    const table = new MetricsTable(path.join(run, 'metrics.csv'));
    if (resumed) await table.load(resumed.step);
    else await removeEvents(run);
    const log = new RunLog(run, facts, table, await createEventWriter(run));
    log.#best = resumed?.best ?? null;
    if (!resumed) await log.#writeStatus(null);
    return log;
  }

  get best(): BestCheckpoint | null {
    return this.#best;
  }

  /** @param step steps of the run so far */
  noteStep(step: number, { loss, learningRate }: { loss: number; learningRate: number }): void {
    if (step % STEPS_BETWEEN_EVENTS !== 0) return;
    this.#events.scalar('step/loss', loss, step);
    this.#events.scalar('step/learning_rate', learningRate, step);
  }

  /** The means over the steps of an epoch (from 1) that has ended, and its last learning rate. */
  async noteEpoch(epoch: number, step: number, totals: EpochTotals): Promise<void> {
    const loss = totals.loss / totals.steps;
    const accuracy = totals.accuracy / totals.steps;
    const { learningRate } = totals;
    this.#events.scalar('train/loss', loss, step);
    this.#events.scalar('train/accuracy', accuracy, step);
    this.#events.scalar('train/learning_rate', learningRate, step);
    await this.#table.add({ epoch, step, split: 'train', output: 'inte', learning_rate: learningRate, loss, accuracy });
  }

  /** Metrics, plots and checkpoints of the network that `session` holds now. */
  async noteEvaluation(evaluation: Evaluation, session: TrainingSession): Promise<void> {
    const { epoch, step, metrics } = evaluation;
    for (const [output, { nll, accuracy, macroF1, ece }] of Object.entries(metrics)) {
      this.#events.scalar(`${output}/loss`, nll, step);
      this.#events.scalar(`${output}/accuracy`, accuracy, step);
      this.#events.scalar(`${output}/macro_f1`, macroF1, step);
      this.#events.scalar(`${output}/ece`, ece, step);
    }
    this.#events.flush();
    await this.#table.add(
      ...Object.entries(metrics).map(([output, { clips, nll: loss, accuracy, macroF1, weightedF1, ece }]) => {
        const scores = { clips, loss, accuracy, macro_f1: macroF1, weighted_f1: weightedF1, ece };
        return { epoch, step, split: 'val' as const, output, ...scores };
      }),
    );
    await writeFileAtomic(path.join(this.#run, 'curves.svg'), this.#table.curves(this.#facts.stepsPerEpoch));
    await this.#saveCheckpoints(evaluation, session);
  }

  async #saveCheckpoints(evaluation: Evaluation, session: TrainingSession): Promise<void> {
    const { config, spec, maxFrames, subject, wordTable, origins } = this.#facts;
    const { epoch, step, metrics } = evaluation;
    const info: CheckpointInfo = { spec, config, epoch, maxFrames, subject, wordTable, metrics, origins };
    const state = session.variables.state();
    await writeCheckpoint(path.join(this.#run, LAST_FILE), state, info);
    const inte = metrics.inte!;
    const score = config.select === 'loss' ? -inte.nll : inte.macroF1;
    const old = this.#best;
    if (old && score <= old.score) return;
    const prefix = config.mode === 'multimodal' ? `${step}_` : '';
    const file = `${prefix}${epoch}_best_${inte.nll.toFixed(4)}.safetensors`;
    await writeCheckpoint(path.join(this.#run, file), state, info);
    this.#best = { score, file, epoch };
    // The status names the best checkpoint before the former one goes.
    await this.#writeStatus({ file, ...evaluation });
    const title = `Best epoch ${epoch}: ${inte.clips} validation clips, accuracy ${inte.accuracy.toFixed(3)}`;
    await writeFileAtomic(path.join(this.#run, 'confusion.svg'), confusionSvg(inte.confusion, EMOTIONS, title));
    if (old && old.file !== file) await fsp.rm(path.join(this.#run, old.file), { force: true });
  }

  async #writeStatus(best: ({ file: string } & Evaluation) | null): Promise<void> {
    const { config, spec, origins } = this.#facts;
    await writeJsonAtomic(path.join(this.#run, STATUS_FILE), { config, spec, origins, best });
  }

  close(): void {
    this.#events.flush();
  }
}
