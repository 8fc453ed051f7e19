import { MultiBar, Presets } from 'cli-progress';
import type { ProgressMessage } from '../common/progress.js';

/** Without a terminal a line on the progress of a stage is printed at most this often. */
const PLAIN_INTERVAL_MS = 10_000;

/** Titles of work that is a stage of its own. */
const WHOLE_STAGES = ['preprocess', 'export'];

/** What is shown of a build while it runs, on stderr. */
export interface BuildView {
  /** A stage begins, or is found done. @param index from 0 */
  enter(index: number, stages: number, stage: string): void;
  progress(progress: ProgressMessage): void;
  line(text: string): void;
  stop(): void;
}

/**
 * One view of all stages: on a terminal a bar over all of them, which says what the present one does, with the lines of
 * the stages running above it; elsewhere plain lines.
 */
export function createBuildView(): BuildView {
  return process.stderr.isTTY ? terminalView() : plainView();
}

function terminalView(): BuildView {
  const bars = new MultiBar(
    { hideCursor: true, clearOnComplete: true, stream: process.stderr, format: '{bar} {place} {work}' },
    Presets.shades_classic,
  );
  const bar = bars.create(1, 0, { place: '', work: '' });
  let [stage, part] = [0, 0];
  return {
    enter(index, stages, name) {
      [stage, part] = [index, 0];
      bars.log(`[${index + 1}/${stages}] ${name}\n`);
      bar.setTotal(stages);
      bar.update(index, { place: `[${index + 1}/${stages}] ${name}`, work: '' });
    },
    progress(progress) {
      part = partDone(progress) ?? part;
      bar.update(stage + part, { work: state(progress) });
    },
    line: (text) => void bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}

/** What a stage does now; work that is called as the stage is tells only how much of it is done. */
function state({ title, done, total, note }: ProgressMessage): string {
  return [...(WHOLE_STAGES.includes(title) ? [] : [title]), `${done}/${total}`, note].join(' ').trimEnd();
}

/** How much of a stage is done, in [0, 1]; null where its present work does not tell. */
function partDone({ title, done, total }: ProgressMessage): number | null {
  if (title === 'validation') return null;
  const epoch = /^epoch (\d+)\/(\d+)$/.exec(title);
  return epoch ? (Number(epoch[1]) - 1 + done / total) / Number(epoch[2]) : done / total;
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
    progress(progress) {
      if (Date.now() - last < PLAIN_INTERVAL_MS) return;
      last = Date.now();
      line(`${place}: ${state(progress)}`);
    },
    line,
    stop() {},
  };
}
