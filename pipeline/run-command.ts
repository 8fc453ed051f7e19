import { z } from 'zod';
import { forkModule } from '../common/child.js';
import { errorFromJSON, MerError } from '../common/errors.js';
import { PROGRESS_TO_PARENT, type ProgressMessage, progressMessageSchema } from '../common/progress.js';

const messageSchema = z.discriminatedUnion('type', [
  progressMessageSchema,
  z.object({
    type: z.literal('error'),
    error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }),
  }),
]);

export interface CommandEvents {
  onProgress(progress: ProgressMessage): void;
  /** A line of its stdout or stderr. */
  onLine(line: string, stream: 'stdout' | 'stderr'): void;
}

/**
 * Runs a `mer` command to its end in a process of its own, which ends with this one. Ctrl-C and SIGTERM are passed on,
 * so that the command can save what it has.
 *
 * @throws MerError the command's own; interrupted when a signal ended it
 */
export async function runCommand(args: readonly string[], { onProgress, onLine }: CommandEvents): Promise<void> {
  const child = forkModule(new URL('../cli/process.js', import.meta.url), args, {
    // A process group of its own: a Ctrl-C in the terminal reaches it once, through this process.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, [PROGRESS_TO_PARENT]: '1' },
  });
  let failure: MerError | null = null;
  child.on('message', (raw) => {
    const message = messageSchema.parse(raw);
    if (message.type === 'progress') onProgress(message);
    else failure = errorFromJSON(message.error);
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]!.setEncoding('utf8');
    let rest = '';
    child[stream]!.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) onLine(line, stream);
    });
    child[stream]!.on('end', () => rest && onLine(rest, stream));
  }
  let interrupted = false;
  const forward = (signal: NodeJS.Signals) => {
    interrupted = true;
    child.kill(signal);
  };
  process.on('SIGINT', forward).on('SIGTERM', forward);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      // `close` comes after the last line and message.
      child.once('close', (...end) => resolve(end));
    });
    if (interrupted && (code !== 0 || failure !== null)) throw interruption();
    if (failure !== null) throw failure;
    if (code === 0) return;
    throw new MerError('internal', `\`mer ${args[0]}\` ended with ${signal ?? code}.`, 'Its last lines say why.');
  } finally {
    process.off('SIGINT', forward).off('SIGTERM', forward);
  }
}

function interruption(): MerError {
  return new MerError('interrupted', 'Interrupted; what was done is kept.', 'Run the same command again to go on.');
}
