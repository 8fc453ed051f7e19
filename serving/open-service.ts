import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { answerClip } from './answer-clip.js';
import { Budget } from './budget.js';
import { openDataFolder } from './data-folder.js';
import type { Engine } from './engine/engine.js';
import { Intake } from './http/intake.js';
import type { Metrics } from './http/metrics.js';
import type { Model } from './http/schemas.js';
import type { Service } from './http/service.js';
import { Jobs } from './jobs/jobs.js';
import type { Keep, ServerLimits } from './limits.js';

const DRAIN_CHECK_MS = 20;

export interface ServiceOptions {
  engine: Engine;
  /** Clips that the engine works on at the same time. */
  workers: number;
  /** Whether the engine has a word table. */
  transcripts: boolean;
  /** The folder of uploads and jobs, for this server alone. */
  dataDir: string;
  limits: ServerLimits;
  /** The longest clip that is taken, in seconds. */
  maxClipSeconds: number;
  keep: Keep;
  metrics: Metrics;
  log: Logger;
}

export interface OpenService extends Service {
  /** Readiness off: no new clips, no new work on jobs. Resolves when the clips in work are answered, or at `deadline`. */
  drain(deadline: AbortSignal): Promise<void>;
  /** After the engine has ended. */
  close(): Promise<void>;
}

/**
 * Puts queues, limits and the jobs of the data folder around an engine.
 *
 * @throws MerError bad_argument when the data folder cannot be had
 */
export async function openService(options: ServiceOptions): Promise<OpenService> {
  const { engine, workers, transcripts, limits, maxClipSeconds, keep, metrics, log } = options;
  const data = await openDataFolder(options.dataDir);
  const intake = new Intake({ data, keep, limits, workers });
  const draining = new AbortController();
  EventEmitter.setMaxListeners(0, draining.signal);
  const jobs = await Jobs.open({
    data,
    keep,
    maxJobs: limits.maxJobs,
    retentionSeconds: limits.jobRetentionSeconds,
    // The processes have work when there are jobs only, and clips that wait for their answer get their turn.
    concurrency: workers,
    disk: intake.disk,
    async work(files, options) {
      const answer = await answerClip(engine, files, options);
      metrics.observe(answer);
      return answer;
    },
    log,
  });
  metrics.watch({ engine, intake, jobs });
  return {
    engine,
    intake,
    jobs,
    metrics,
    streams: new Budget('as many event streams as may be open are open', limits.maxEventStreams),
    model: () => describeModel(engine, transcripts, { bytes: limits.maxUploadMb * 2 ** 20, seconds: maxClipSeconds }),
    draining: draining.signal,
    log,
    async drain(deadline) {
      draining.abort();
      const answered = async (): Promise<void> => {
        while (intake.busy && !deadline.aborted) await sleep(DRAIN_CHECK_MS);
      };
      await Promise.race([Promise.all([answered(), jobs.stop()]), once(deadline, 'abort')]);
    },
    async close() {
      draining.abort();
      await jobs.stop();
      await data.unlock();
    },
  };
}

function describeModel({ bundle, info }: Engine, transcripts: boolean, limits: Model['limits']): Model {
  const { name, version, created, emotions, preprocessing } = bundle;
  const { device, fallback, modalities } = info;
  return {
    name,
    version,
    created,
    device,
    ...(fallback !== undefined && { fallback }),
    emotions,
    modalities,
    transcripts,
    words: { dim: preprocessing.wordDim, max: preprocessing.maxWords },
    limits,
  };
}
