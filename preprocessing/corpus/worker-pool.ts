import { HEAP_FOR_BUFFERS } from '../../common/child.js';
import { asMerError, MerError } from '../../common/errors.js';
import { WorkerDied, WorkerProcess } from '../../common/worker-process.js';
import { type WorkerResult, type WorkerSettings, workerResultSchema } from './clip-worker-protocol.js';
import type { SourceClip } from './source-clip.js';

/** What became of one clip. */
export type ClipOutcome = ({ kind: 'done' } & WorkerResult) | { kind: 'failed'; error: MerError };

/** Processes that may die over a clip before it counts as failed: another's fault may have killed the first one. */
const MAX_DEATHS = 2;

/**
 * Runs the clips through child processes.
 *
 * @param onOutcome is called once a clip, in order of completion
 * @param signal when aborted, no further clip is begun and those at work are finished
 * @throws MerError when the workers cannot work at all, such as missing_part
 */
export async function runClips(
  clips: readonly SourceClip[],
  settings: WorkerSettings,
  workers: number,
  onOutcome: (clip: SourceClip, outcome: ClipOutcome) => void,
  signal?: AbortSignal,
): Promise<void> {
  const queue = [...clips].reverse();
  const lanes = Array.from({ length: Math.min(workers, clips.length) }, async () => {
    const lane = new Lane(settings);
    try {
      for (let clip = queue.pop(); clip && !signal?.aborted; clip = queue.pop()) onOutcome(clip, await lane.run(clip));
    } catch (error) {
      queue.length = 0;
      throw error;
    } finally {
      await lane.end();
    }
  });
  const ended = await Promise.allSettled(lanes);
  const broken = ended.find((lane) => lane.status === 'rejected');
  if (broken) throw broken.reason;
}

/** One worker process at a time, replaced when it dies. */
class Lane {
  readonly #settings: WorkerSettings;
  #worker: WorkerProcess | null = null;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }

  /** @throws MerError when no worker can be started */
  async run(clip: SourceClip): Promise<ClipOutcome> {
    let why = '';
    for (let deaths = 0; deaths < MAX_DEATHS; deaths++) {
      this.#worker ??= await this.#start();
      try {
        return { kind: 'done', ...workerResultSchema.parse(await this.#worker.execute(clip)) };
      } catch (error) {
        if (!(error instanceof WorkerDied)) return { kind: 'failed', error: asMerError(error) };
        this.#worker = null;
        why = error.message;
      }
    }
    const message = `${why} It was the second one that this clip ended.`;
    return { kind: 'failed', error: new MerError('internal', message, 'Try this clip alone, with --workers 1.') };
  }

  async #start(): Promise<WorkerProcess> {
    const module = new URL('./clip-worker.js', import.meta.url);
    for (let failures = 1; ; failures++) {
      try {
        const { worker } = await WorkerProcess.start({
          name: 'preprocessing',
          module,
          config: this.#settings,
          nodeFlags: HEAP_FOR_BUFFERS,
        });
        return worker;
      } catch (error) {
        // What a worker says itself, such as missing_part, stays true; that it was killed may not.
        if (asMerError(error).code !== 'internal' || failures === MAX_DEATHS) throw error;
      }
    }
  }

  async end(): Promise<void> {
    await this.#worker?.kill();
  }
}
