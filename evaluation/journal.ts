import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { EMOTION_COUNT } from '../common/labels.js';

const entrySchema = z.object({ key: z.string(), probabilities: z.array(z.number()).length(EMOTION_COUNT) });

/**
 * What a long run has found so far, one line a clip, so that a run that was killed need not begin again. A line that
 * was cut off in the middle does not count.
 */
export class Journal {
  readonly #file: string;
  readonly #known: Map<string, readonly number[]>;

  private constructor(file: string, known: Map<string, readonly number[]>) {
    this.#file = file;
    this.#known = known;
  }

  static async open(file: string): Promise<Journal> {
    await fsp.mkdir(path.dirname(file), { recursive: true });
    const known = new Map<string, readonly number[]>();
    const text = await fsp.readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const entry = entrySchema.safeParse(parse(line));
      if (entry.success) known.set(entry.data.key, entry.data.probabilities);
    }
    // The next line begins on its own, also after one that was cut off.
    if (text !== '' && !text.endsWith('\n')) await fsp.appendFile(file, '\n');
    return new Journal(file, known);
  }

  /** @param key stands for everything that the result depends on */
  get(key: string): readonly number[] | undefined {
    return this.#known.get(key);
  }

  /** Numbers survive the file to the last bit. */
  async add(key: string, probabilities: readonly number[]): Promise<void> {
    this.#known.set(key, probabilities);
    await fsp.appendFile(this.#file, `${JSON.stringify({ key, probabilities })}\n`);
  }

  /** Removes the file: the run is whole. */
  async remove(): Promise<void> {
    await fsp.rm(this.#file, { force: true });
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
