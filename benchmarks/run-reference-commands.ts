import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from '../common/paths.js';
import { formatTable } from '../common/table.js';
import { referenceCommands } from './reference-commands.js';

/**
 * Really runs the four commands of the reference behind `mer`, with nothing changed but `--n_epoch`, on a demo corpus
 * in MERC layout with at least 64 training clips, and says what time and memory each took:
 *
 *     npm run build && npx tsx benchmarks/run-reference-commands.ts --folder /tmp/reference-commands
 *
 * Exits with 1 when a command fails or one takes more than 20 GiB.
 */

const MER = path.join(PROJECT_ROOT, 'bin', 'mer.mjs');

/** 69 clips to train on and 33 to validate with. */
const CLIPS = 110;
const MEMORY_LIMIT = 20 * 2 ** 30;
const LOOK_INTERVAL_MS = 250;

interface Measured {
  code: number | null;
  seconds: number;
  /** Most memory that the process has held, in bytes. */
  peak: number;
}

/** Runs `mer` in `folder`, where features and logs lie by default. */
function mer(args: readonly string[], folder: string): Promise<Measured> {
  process.stdout.write(`$ mer ${args.join(' ')}\n`);
  const started = Date.now();
  const child = spawn(process.execPath, [MER, ...args], { cwd: folder, stdio: 'inherit' });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid));
  }, LOOK_INTERVAL_MS);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      clearInterval(timer);
      resolve({ code, seconds: (Date.now() - started) / 1000, peak });
    });
  });
}

/** The high-water mark of a process's memory; 0 when it has gone. */
function peakOf(pid: number | undefined): number {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    epochs: { type: 'string', default: '1' },
  },
});
if (values.folder === undefined) throw new Error('Name a folder for corpus, features and runs with --folder.');
const folder = path.resolve(values.folder);
fs.mkdirSync(folder, { recursive: true });

for (const args of [
  ['demo-data', '--out', '.', '--clips', String(CLIPS)],
  ['preprocess', '--corpus', '.', '--features', 'features'],
]) {
  const { code } = await mer(args, folder);
  if (code !== 0) process.exit(1);
}
const rows: string[][] = [];
for (const args of referenceCommands('logs')) {
  const [mode = '', run = ''] = [args[2], args[4]];
  // A run of an earlier start is done again: what is asked for is a run of each.
  fs.rmSync(path.join(folder, 'logs', mode, run), { recursive: true, force: true });
  const { code, seconds, peak } = await mer([...args, '--n_epoch', values.epochs], folder);
  rows.push([mode, run, String(code), seconds.toFixed(0), (peak / 2 ** 30).toFixed(1)]);
  if (code !== 0 || peak > MEMORY_LIMIT) process.exitCode = 1;
}
process.stdout.write(`\n${formatTable(['mode', 'run', 'exit code', 'seconds', 'peak GiB'], rows)}\n`);
