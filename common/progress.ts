import { MultiBar, Presets } from 'cli-progress';

/** Progress of one piece of long work. */
export interface Progress {
  /** @param note a short word on the present state, such as `loss 1.23` */
  update(done: number, note?: string): void;
  stop(): void;
}

/** Without a terminal a line is printed at most this often, and one at the end, so that log files stay short. */
const PLAIN_INTERVAL_MS = 10_000;

/**
 * A progress bar on stderr, or plain lines now and then where stderr is no terminal.
 * @param closingLine false leaves out the plain line at the end: for work whose end another line tells
 */
export function createProgress(title: string, total: number, closingLine = true): Progress {
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
