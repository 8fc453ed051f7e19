import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { forkModule } from '../../common/child.js';
import { errorFromJSON, MerError } from '../../common/errors.js';
import { type WorkerReply, type WorkerSettings, workerReplySchema } from './clip-worker-protocol.js';
import type { SourceClip } from './source-clip.js';

/** What became of one clip. A worker that died over it counts as a failure of the clip. */
export type ClipOutcome = Exclude<WorkerReply, { kind: 'fatal' }>;

/**
 * Runs the clips through child processes, each the leader of its own process group, so that a Ctrl-C in the terminal
 * reaches neither them nor their ffmpeg in the middle of a clip.
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
    let worker = new ClipWorker(settings);
    try {
      for (let clip = queue.pop(); clip && !signal?.aborted; clip = queue.pop()) {
        const reply = await worker.run(clip);
        if (reply.kind === 'fatal') {
          queue.length = 0;
          throw errorFromJSON(reply.error);
        }
        onOutcome(clip, reply);
        if (worker.dead) worker = new ClipWorker(settings);
      }
    } finally {
      await worker.end();
    }
  });
  const ended = await Promise.allSettled(lanes);
  const broken = ended.find((lane) => lane.status === 'rejected');
  if (broken) throw broken.reason;
}

class ClipWorker {
  readonly #child: ChildProcess;
  #dead = false;
  #listener: ((reply: WorkerReply) => void) | null = null;
  /** A reply that came before it was asked for: the worker could not even start. */
  #early: WorkerReply | null = null;

  constructor(settings: WorkerSettings) {
    this.#child = forkModule(new URL('./clip-worker.js', import.meta.url), [JSON.stringify(settings)], {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => this.#settle(workerReplySchema.parse(message)));
    this.#child.on('error', (error) => this.#die(error.message));
    this.#child.on('exit', (code, signal) => this.#die(signal ? `killed by ${signal}` : `exit code ${code}`));
  }

  get dead(): boolean {
    return this.#dead;
  }

  run(clip: SourceClip): Promise<WorkerReply> {
    return new Promise((resolve) => {
      if (this.#early) resolve(this.#early);
      else {
        this.#listener = resolve;
        if (!this.#dead) this.#child.send(clip, (error) => error && this.#die(error.message));
      }
    });
  }

  /** Ends the worker and whatever it started; resolves when it is gone. */
  async end(): Promise<void> {
    this.#dead = true;
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself in this moment.
    }
    await gone;
  }

  #settle(reply: WorkerReply): void {
    if (this.#listener) this.#listener(reply);
    else this.#early ??= reply;
    this.#listener = null;
  }

  #die(why: string): void {
    if (this.#dead) return;
    this.#dead = true;
    const error = new MerError(
      'internal',
      `The process that worked on the clip ended: ${why}.`,
      'Try this clip alone.',
    );
    this.#settle({ kind: 'failed', error: error.toJSON() });
  }
}
