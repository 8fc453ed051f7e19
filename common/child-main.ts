import type { z } from 'zod';
import { type FromChild, toChildSchema } from './child-protocol.js';
import { asMerError } from './errors.js';

/** What a task knows of whoever asked for it. */
export interface TaskContext {
  /** Aborted when nobody waits for the result any more. It is answered all the same. */
  signal: AbortSignal;
  /** Tells the parent something on the way. */
  progress(value: unknown): void;
}

/** What a kind of child process does, once it is set up. */
export interface ChildWork<Request> {
  /** What the parent should know when the process is ready, such as the device that it runs on. */
  info: unknown;
  handle(request: Request, context: TaskContext): Promise<unknown>;
}

/**
 * The main loop of a child process: set up as the first message says, report ready, then answer one
 * message a task, several at a time where the parent sends several. When the parent goes away, however it ended, this process and all that it started (ffmpeg) are killed.
 */
export function runChild<Config, Request>(options: {
  configSchema: z.ZodType<Config>;
  requestSchema: z.ZodType<Request>;
  setUp(config: Config): Promise<ChildWork<Request>>;
}): void {
  let work: ChildWork<Request> | undefined;
  const running = new Map<number, AbortController>();

  const start = async (config: unknown): Promise<void> => {
    try {
      work = await options.setUp(options.configSchema.parse(config));
      send({ type: 'ready', info: work.info });
    } catch (error) {
      send({ type: 'failed', error: asMerError(error).toJSON() }, () => killGroup());
    }
  };

  const task = async (id: number, request: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    const context: TaskContext = {
      signal: controller.signal,
      progress: (progress) => send({ type: 'progress', id, progress }),
    };
    try {
      if (work === undefined) throw new Error('A task came before the process was set up.');
      send({ type: 'result', id, result: await work.handle(options.requestSchema.parse(request), context) });
    } catch (error) {
      send({ type: 'error', id, error: asMerError(error).toJSON() });
    } finally {
      running.delete(id);
    }
  };

  process.on('message', (raw) => {
    const message = toChildSchema.parse(raw);
    if (message.type === 'start') void start(message.config);
    else if (message.type === 'task') void task(message.id, message.request);
    else running.get(message.id)?.abort();
  });
  process.on('disconnect', killGroup);
  // The parent may have gone before this line.
  if (!process.connected) killGroup();
}

function send(message: FromChild, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
}

/** Ends this process and everything in its process group; the parent starts each child as the leader of its own. */
function killGroup(): void {
  process.kill(-process.pid, 'SIGKILL');
}
