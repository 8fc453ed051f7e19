import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import readline from 'node:readline';
import { z } from 'zod';
import { forkModule } from '../../common/child.js';
import { processTree } from '../process-tree.js';

const lineSchema = z.object({ level: z.number(), msg: z.string().optional() });
const readySchema = z.object({ msg: z.literal('ready'), url: z.string() });

export interface ServerOptions {
  bundleDir: string;
  /** Its TMPDIR: all of its temporary files lie there. */
  temporaryDir: string;
  /** Further flags of `mer serve`. */
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** How a server ended. */
export interface ServerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** `mer serve` as a process of its own, on a free port of the loopback address. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #temporaryDir: string;
  readonly #end: Promise<ServerEnd>;
  /** Lines of its log at level error or above. */
  readonly errors: string[] = [];
  /** What it wrote to stderr. */
  readonly said: string[] = [];
  /** Seconds from its start until it was ready. */
  startSeconds = 0;
  #url = '';

  private constructor({ bundleDir, temporaryDir, flags = [], env = {} }: ServerOptions) {
    this.#temporaryDir = temporaryDir;
    const args = ['serve', '--bundle', bundleDir, '--device', 'cpu', '--port', '0', ...flags];
    this.#child = forkModule(new URL('./mer-main.js', import.meta.url), args, {
      env: { ...process.env, TMPDIR: temporaryDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#end = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve({ code, signal })));
    readline.createInterface({ input: this.#child.stderr! }).on('line', (line) => this.said.push(line));
  }

  /** Starts one and waits until it is ready. @throws Error with what it said when it ends before */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await server.ready();
    return server;
  }

  /** Starts one that is not ready yet. */
  static spawn(options: ServerOptions): ServerProcess {
    return new ServerProcess(options);
  }

  /** Waits until it is ready, once. @throws Error with what it said when it ends before */
  async ready(): Promise<void> {
    const begin = performance.now();
    const ready = new Promise<void>((resolve) => {
      readline.createInterface({ input: this.#child.stdout! }).on('line', (line) => {
        if (this.#read(line)) resolve();
      });
    });
    const end = await Promise.race([ready, this.#end]);
    if (end) throw new Error(`mer serve ended before it was ready: ${this.said.join('\n')}`);
    this.startSeconds = (performance.now() - begin) / 1000;
  }

  /** Keeps what is wrong of a line of its log; true when it says that it is ready. */
  #read(line: string): boolean {
    const parsed: unknown = JSON.parse(line);
    if (lineSchema.parse(parsed).level >= 50) this.errors.push(line);
    const ready = readySchema.safeParse(parsed);
    if (ready.success) this.#url = ready.data.url;
    return ready.success;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it has ended. */
  get end(): Promise<ServerEnd> {
    return this.#end;
  }

  /** The processes of its engine. */
  get workers(): number[] {
    const [self, ...others] = processTree(this.pid);
    // The compiler that runs beside the sources is a child, too, by another name.
    return others.filter(({ parent, name }) => parent === this.pid && name === self?.name).map(({ pid }) => pid);
  }

  /** The ffmpeg and ffprobe processes that run for it now. */
  get decoders(): number[] {
    return processTree(this.pid)
      .filter(({ name }) => name.startsWith('ff'))
      .map(({ pid }) => pid);
  }

  /** What it holds of the machine now. */
  get usage(): Usage {
    const kept = [this.pid, ...this.workers];
    return {
      residentBytes: kept.reduce((sum, pid) => sum + residentBytes(pid), 0),
      descriptors: kept.reduce((sum, pid) => sum + descriptors(pid), 0),
      temporaryFiles: temporaryFiles(this.#temporaryDir).length,
    };
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ServerEnd> {
    this.#child.kill(signal);
    return this.#end;
  }
}

export interface Usage {
  /** Resident memory of the server and its workers. */
  residentBytes: number;
  /** Their open files, pipes and sockets. */
  descriptors: number;
  temporaryFiles: number;
}

function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function descriptors(pid: number): number {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Files of the server's under its temporary folder; compiled sources that tsx keeps there do not count. */
export function temporaryFiles(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !path.relative(directory, file).startsWith('tsx-') && !file.includes('node-compile-cache'));
}

/** Whether a process lives. One that has ended and that nobody has waited for yet does not. */
export function lives(pid: number): boolean {
  return fs.existsSync(`/proc/${pid}/exe`);
}
