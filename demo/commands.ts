import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { PROJECT_ROOT } from '../common/paths.js';

/** The compiled command line: the demo runs what a user would type. */
const MER = path.join(PROJECT_ROOT, 'bin', 'mer.mjs');

/** How long the server may take to say where it listens. */
const START_SECONDS = 120;

function shown(args: readonly string[]): string {
  return `mer ${args.join(' ')}`;
}

/** Runs one `mer` command to its end; its progress goes to this process's stderr and its results to stdout. */
export function runMer(args: readonly string[]): Promise<void> {
  process.stdout.write(`$ ${shown(args)}\n`);
  const child = spawn(process.execPath, [MER, ...args], { stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      if (code === 0) resolve();
      else
        reject(new MerError('internal', `\`${shown(args)}\` ended with ${signal ?? code}.`, 'Its message is above.'));
    });
  });
}

export interface RunningServer {
  url: string;
  /** Stops it as an operator would. @throws MerError internal when it does not exit with 0 */
  stop(): Promise<void>;
}

/** Starts `mer serve` and waits until it says that it is ready. */
export async function startServer(args: readonly string[]): Promise<RunningServer> {
  process.stdout.write(`$ ${shown(args)}\n`);
  const child = spawn(process.execPath, [MER, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  // If the demo ends in any other way, its server ends with it.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = await listeningUrl(child, exited);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      const code = await exited;
      process.off('exit', kill);
      if (code !== 0) throw new MerError('internal', `The server ended with ${code}.`, 'Run `mer serve` by hand.');
    },
  };
}

async function listeningUrl(child: ChildProcess, exited: Promise<number | null>): Promise<string> {
  let output = '';
  const found = new Promise<string>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const url = /Serving .* at (http:\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), START_SECONDS * 1000).unref());
  const first = await Promise.race([found, exited, late]);
  if (typeof first === 'string') return first;
  child.kill('SIGKILL');
  throw new MerError('internal', `The server did not start: ${output.trim()}`, 'Run `mer serve` by hand.');
}
