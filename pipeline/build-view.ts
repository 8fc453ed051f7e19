import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { ProgressMessage } from '../common/progress.js';

/** Without a terminal a line on the progress of a stage is printed at most this often. */
const PLAIN_INTERVAL_MS = 10_000;

/** What is shown of a build while it runs, on stderr. */
export interface BuildView {
  /** A stage begins, or is found done. @param index from 0 */
  enter(index: number, stages: number, stage: string): void;
  progress(progress: ProgressMessage): void;
  line(text: string): void;
  stop(): void;
}

/**
 * One view of all stages: on a terminal a bar of the stages above one of the work in the present stage, with the lines
 * of the stages running above them; elsewhere plain lines.
 */
export function createBuildView(): BuildView {
  return process.stderr.isTTY ? terminalView() : plainView();
}

function terminalView(): BuildView {
  const bars = new MultiBar(
    {
      hideCursor: true,
      clearOnComplete: false,
      stream: process.stderr,
      format: '{title} {bar} {value}/{total} {note}',
    },
    Presets.shades_classic,
  );
  const all = bars.create(1, 0, { title: 'build', note: '' });
  let work: SingleBar | null = null;
  const endWork = () => {
    if (work) bars.remove(work);
    work = null;
  };
  return {
    enter(index, stages, stage) {
      endWork();
      all.setTotal(stages);
      all.update(index, { note: stage });
    },
    progress({ title, done, total, note }) {
      work ??= bars.create(total, done, { title, note });
      work.setTotal(total);
      work.update(done, { title: `  ${title}`, note });
    },
    line: (text) => void bars.log(`${text}\n`),
    stop() {
      endWork();
      bars.stop();
    },
  };
}

function plainView(): BuildView {
  let last = Date.now();
  let place = '';
  const line = (text: string) => process.stderr.write(`${text}\n`);
  return {
    enter(index, stages, stage) {
      place = `[${index + 1}/${stages}] ${stage}`;
      last = Date.now();
      line(place);
    },
    progress({ title, done, total, note }) {
      if (Date.now() - last < PLAIN_INTERVAL_MS) return;
      last = Date.now();
      line(`${place}: ${title} ${done}/${total} ${note}`.trimEnd());
    },
    line,
    stop() {},
  };
}
