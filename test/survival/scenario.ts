import { z } from 'zod';
import { type HttpClient, NoAnswer, type Reply, type Upload } from '../../benchmarks/load/http-client.js';
import { ServerProcess } from '../../benchmarks/load/server-process.js';

/** What every scenario finds ready. */
export interface Ground {
  /** The tiny bundle, or another one. */
  bundleDir: string;
  /** Empty and private: the temporary folder of the scenario's servers. */
  folder: string;
  /** One second of a speaking face, and half a second of its sound alone. */
  face: Buffer;
  sound: Buffer;
  /** The sizes that the promises name; else those of a quick check. */
  full: boolean;
  seed: number;
  note(line: string): void;
}

/** One promise of a scenario, and what came of it. */
export interface Check {
  promise: string;
  /** What was counted or measured. */
  found: string;
  kept: boolean;
}

export interface Scenario {
  name: string;
  /** One line for the report. */
  about: string;
  run(ground: Ground): Promise<Check[]>;
}

/** A promise about a figure that may not be above a limit. */
export function atMost(promise: string, figure: number, limit: number, unit = ''): Check {
  const rounded = Number.isInteger(figure) ? String(figure) : figure.toFixed(3);
  return { promise, found: `${rounded}${unit && ` ${unit}`}`, kept: figure <= limit };
}

/** A promise that something did not happen. `cases` are the times that it did, of which a few are named. */
export function never(promise: string, cases: readonly string[], among: string): Check {
  const named = cases.slice(0, 5).join('; ');
  return {
    promise,
    found: cases.length === 0 ? `none in ${among}` : `${cases.length} in ${among}: ${named}`,
    kept: cases.length === 0,
  };
}

export function startServer(ground: Ground, flags: readonly string[] = []): Promise<ServerProcess> {
  return ServerProcess.start({ bundleDir: ground.bundleDir, temporaryDir: ground.folder, flags });
}

/** Sends a clip; null when the connection gave no answer. */
export async function predict(client: HttpClient, upload: Upload): Promise<Reply | null> {
  try {
    return await client.call({ method: 'POST', path: '/v1/predict', upload });
  } catch (error) {
    if (error instanceof NoAnswer) return null;
    throw error;
  }
}

/** A clip alone and in a batch of several: the order of float32 sums. */
const SAME_SCORE = 1e-5;

/** An answer but for its times; a word for none. */
export type Verdict = Record<string, unknown> | string;

/** What an answer says but for its times. */
export function verdictOf(reply: Reply | null): Verdict {
  if (reply?.status !== 200) return `no answer (${reply?.status ?? 'no connection'})`;
  const { timings: _, ...verdict } = z.record(z.string(), z.unknown()).parse(JSON.parse(reply.body.toString()));
  return verdict;
}

/** How an answer differs from another one of the same clip; empty when it does not, nor is missing. */
export function difference(found: unknown, expected: unknown, where = 'answer'): string[] {
  if (typeof expected === 'number' && typeof found === 'number') {
    return Math.abs(found - expected) <= SAME_SCORE ? [] : [`${where}: ${found} instead of ${expected}`];
  }
  if (isRecord(expected) && isRecord(found)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(found)]);
    return [...keys].flatMap((key) => difference(found[key], expected[key], `${where}.${key}`));
  }
  return found === expected ? [] : [`${where}: ${String(found)} instead of ${String(expected)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Waits for what must come by itself; false when it has not within `seconds`. */
export async function within(seconds: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return condition();
}
