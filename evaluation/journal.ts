import fsp from 'node:fs/promises';
import { z } from 'zod';
import { EMOTIONS, type Emotion } from '../common/labels.js';

const entrySchema = z.object({ key: z.string(), emotion: z.enum(EMOTIONS) });

/**
 * What a long run has found so far, one line a clip, so that a run that was killed need not begin again. A line that
 * was cut off in the middle does not count.
 */
export class Journal {
  readonly #file: string;
  readonly #known: Map<string, Emotion>;

  private constructor(file: string, known: Map<string, Emotion>) {
    this.#file = file;
    this.#known = known;
  }

  static async open(file: string): Promise<Journal> {
    const known = new Map<string, Emotion>();
    const text = await fsp.readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const entry = entrySchema.safeParse(parse(line));
      if (entry.success) known.set(entry.data.key, entry.data.emotion);
    }
    // The next line begins on its own, also after one that was cut off.
    if (text !== '' && !text.endsWith('\n')) await fsp.appendFile(file, '\n');
    return new Journal(file, known);
  }

  /** @param key stands for everything that the result depends on */
  get(key: string): Emotion | undefined {
    return this.#known.get(key);
  }

  async add(key: string, emotion: Emotion): Promise<void> {
    this.#known.set(key, emotion);
    await fsp.appendFile(this.#file, `${JSON.stringify({ key, emotion })}\n`);
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
