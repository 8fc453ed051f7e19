import { MultiBar, Presets } from 'cli-progress';
import { z } from 'zod';

/** Progress of one piece of long work. */
export interface Progress {
  /** @param note a short word on the present state, such as `loss 1.23` */
  update(done: number, note?: string): void;
  stop(): void;
}

/** Set in the environment of a command that runs for another one, which shows its progress: it is sent there. */
export const PROGRESS_TO_PARENT = 'MER_PROGRESS_TO_PARENT';

/** What is sent: the state of the piece of work of this title. */
export const progressMessageSchema = z.object({
  type: z.literal('progress'),
  title: z.string(),
  done: z.number(),
  total: z.number(),
  note: z.string(),
});

export type ProgressMessage = z.infer<typeof progressMessageSchema>;

/** Messages to a parent are no more frequent than a person can see; the last state always arrives. */
const SENDING_INTERVAL_MS = 100;

/** Without a terminal a line is printed at most this often, and one at the end, so that log files stay short. */
const PLAIN_INTERVAL_MS = 10_000;

/**
 * A progress bar on stderr, or plain lines now and then where stderr is no terminal.
 * @param closingLine false leaves out the plain line at the end: for work whose end another line tells
 */
export function createProgress(title: string, total: number, closingLine = true): Progress {
  if (process.env[PROGRESS_TO_PARENT] !== undefined && process.send) return progressToParent(title, total);
  if (process.stderr.isTTY) {
    const bars = new MultiBar(
      {
        format: `${title} {bar} {value}/{total} {note} (eta {eta_formatted})`,
        hideCursor: true,
        clearOnComplete: false,
        stream: process.stderr,
      },
      Presets.shades_classic,
    );
    const bar = bars.create(total, 0, { note: '' });
    return { update: (done, note = '') => bar.update(done, { note }), stop: () => bars.stop() };
  }
  let last = Date.now();
  return {
    update(done, note = '') {
      const closes = closingLine && done >= total;
      if (Date.now() - last < PLAIN_INTERVAL_MS && !closes) return;
      last = Date.now();
      process.stderr.write(`${title} ${done}/${total} ${note}\n`);
    },
    stop() {},
  };
}

function progressToParent(title: string, total: number): Progress {
  let last = 0;
  return {
    update(done, note = '') {
      if (Date.now() - last < SENDING_INTERVAL_MS && done < total) return;
      last = Date.now();
      process.send?.({ type: 'progress', title, done, total, note } satisfies ProgressMessage);
    },
    stop() {},
  };
}
