import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson, writeJsonAtomic } from '../common/files.js';

/** In the work folder of a build. */
const STATE_FILE = 'build.json';

const stageSchema = z.object({
  /** Hash of all that the stage depends on. */
  inputs: z.string(),
  done: z.boolean(),
  /** Of the runs that brought it to its end. */
  seconds: z.number(),
});

const stateSchema = z.object({ format: z.literal(1), stages: z.record(z.string(), stageSchema) });

/** What an earlier run of a build has begun and done. */
export class BuildState {
  readonly #file: string;
  readonly #stages: z.infer<typeof stateSchema>['stages'];

  private constructor(file: string, stages: z.infer<typeof stateSchema>['stages']) {
    this.#file = file;
    this.#stages = stages;
  }

  /** @throws MerError bad_file when the file there is damaged */
  static async open(work: string): Promise<BuildState> {
    const file = path.join(work, STATE_FILE);
    const exists = await fsp.stat(file).catch(() => null);
    return new BuildState(file, exists ? (await readJson(file, stateSchema)).stages : {});
  }

  /** Whether the stage ended, or was begun, on just these inputs; null when it was not. */
  of(stage: string, inputs: string): { done: boolean; seconds: number } | null {
    const known = this.#stages[stage];
    return known?.inputs === inputs ? known : null;
  }

  async note(stage: string, inputs: string, done: boolean, seconds: number): Promise<void> {
    this.#stages[stage] = { inputs, done, seconds };
    await writeJsonAtomic(this.#file, { format: 1, stages: this.#stages });
  }
}
