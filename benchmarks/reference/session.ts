import { once } from 'node:events';
import readline from 'node:readline';
import { ensureReferenceEnvironment, referenceFailed, spawnReference } from './environment.js';

/** A reference script that stays: one line of JSON goes in, one line of JSON comes out. */
export class ReferenceSession {
  readonly #script: string;
  readonly #child: ReturnType<typeof spawnReference>;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<[number | null, NodeJS.Signals | null]>;

  private constructor(script: string, threads: number, args: readonly string[]) {
    this.#script = script;
    this.#child = spawnReference(script, [`${threads}`, ...args], threads);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => resolve([code, signal]));
    });
    // A write to a script that has gone fails; its end says so.
    this.#child.stdin.on('error', () => {});
    this.#lines = readline.createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @param script of benchmarks/reference/; its first argument is the number of threads, then come `args` */
  static async start(script: string, threads: number, args: readonly string[] = []): Promise<ReferenceSession> {
    await ensureReferenceEnvironment();
    return new ReferenceSession(script, threads, args);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws MerError internal when the script has ended */
  async execute(request: unknown): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.next();
  }

  /** The next line of its own accord. @throws MerError internal when the script has ended */
  async next(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done) throw referenceFailed(this.#script, ...(await this.#ended));
    return JSON.parse(line.value);
  }

  /** Ends the script and what it started. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
