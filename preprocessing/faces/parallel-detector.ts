import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { HEAP_FOR_BUFFERS } from '../../common/child.js';
import { WorkerProcess } from '../../common/worker-process.js';
import type { Picture } from '../media/picture.js';
import type { DetectionNetOptions } from './detection-net.js';
import { type DetectorResult, detectorResultSchema } from './detector-protocol.js';
import { createFaceDetector, type Face, type FaceDetector, MIN_FACE } from './face-detector.js';

/** Each takes up to 100 MB; decoding and cropping have no work for more. */
const MAX_PROCESSES = 2;

/**
 * A detector of several frames at once: another process looks for faces beside this one, for the nets keep one core
 * busy and ONNX Runtime is not safe in several worker threads. The faces are the same as those of one process.
 *
 * @param threads cores that may be busy; with one there is no other process
 * @throws MerError missing_part when a net is not there
 */
export async function createParallelDetector(options: DetectionNetOptions, threads: number): Promise<FaceDetector> {
  const own = await createFaceDetector(options);
  const processes = Math.min(threads, MAX_PROCESSES);
  if (processes <= 1) return own;
  const helpers = await Promise.all(Array.from({ length: processes - 1 }, () => Helper.start(options)));
  return new ParallelDetector(own, helpers);
}

class ParallelDetector implements FaceDetector {
  readonly #own: FaceDetector;
  readonly #helpers: readonly Helper[];
  /** Whoever has no work; helpers are taken first, since work of one's own keeps this process from anything else. */
  readonly #idle: Pick<FaceDetector, 'detect'>[];
  readonly #waiting: (() => void)[] = [];

  constructor(own: FaceDetector, helpers: readonly Helper[]) {
    this.#own = own;
    this.#helpers = helpers;
    this.#idle = [own, ...helpers];
  }

  get processes(): number {
    return 1 + this.#helpers.length;
  }

  async detect(...request: Parameters<FaceDetector['detect']>): Promise<Face[]> {
    while (this.#idle.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const detector = this.#idle.pop()!;
    try {
      return await detector.detect(...request);
    } catch (error) {
      if (detector === this.#own) throw error;
      // The frame may be innocent of what happened to the helper.
      return await this.#own.detect(...request);
    } finally {
      if (detector === this.#own) this.#idle.unshift(detector);
      else if (!(detector instanceof Helper && detector.hasEnded)) this.#idle.push(detector);
      this.#waiting.shift()?.();
    }
  }

  refine(...args: Parameters<FaceDetector['refine']>): Promise<Face | null> {
    return this.#own.refine(...args);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#own.dispose(), ...this.#helpers.map((helper) => helper.dispose())]);
  }
}

/** A detector in a process of its own. Frames reach it through a file that no other process can open. */
class Helper {
  readonly #worker: WorkerProcess;
  readonly #frames: number;
  readonly #options: DetectionNetOptions;
  hasEnded = false;

  private constructor(worker: WorkerProcess, frames: number, options: DetectionNetOptions) {
    this.#worker = worker;
    this.#frames = frames;
    this.#options = options;
    void worker.ended.then(() => {
      this.hasEnded = true;
    });
  }

  static async start(options: DetectionNetOptions): Promise<Helper> {
    const file = path.join(os.tmpdir(), `mer-frames-${randomUUID()}`);
    const frames = fs.openSync(file, 'wx', 0o600);
    try {
      const { worker } = await WorkerProcess.start({
        name: 'face detection',
        module: new URL('./detector-child.js', import.meta.url),
        config: { directory: options.directory, frames: file },
        nodeFlags: HEAP_FOR_BUFFERS,
      });
      return new Helper(worker, frames, options);
    } catch (error) {
      fs.closeSync(frames);
      throw error;
    } finally {
      // Both have it open: it goes when they do, however they end.
      await fsp.rm(file, { force: true });
    }
  }

  async detect(
    { data, width, height, matrix = null }: Picture,
    minFace: number = MIN_FACE,
    enough = minFace,
  ): Promise<Face[]> {
    fs.writeSync(this.#frames, data, 0, data.length, 0);
    const answer: DetectorResult = detectorResultSchema.parse(
      await this.#worker.execute({ width, height, matrix, minFace, enough }),
    );
    for (const run of answer.runs) this.#options.onRun?.(run);
    this.#options.onDetection?.(answer.milliseconds);
    return answer.faces;
  }

  async dispose(): Promise<void> {
    await this.#worker.kill();
    fs.closeSync(this.#frames);
  }
}
