import fsp from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MTCNN_DIR } from '../../common/paths.js';
import type { NetRun } from '../../preprocessing/faces/detection-net.js';
import type { FaceDetector } from '../../preprocessing/faces/face-detector.js';
import { createParallelDetector } from '../../preprocessing/faces/parallel-detector.js';
import { decodeMedia, type VideoFrame } from '../../preprocessing/media/decode.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { probeMedia } from '../../preprocessing/media/probe.js';
import { goldenClip, testDetector } from './helpers.js';

/** The other processes that have been started by this one and run Node. */
async function helpers(): Promise<number[]> {
  const children = await fsp.readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  const lines = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map(async (pid) => ({ pid, line: await fsp.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })),
  );
  return lines.filter(({ line }) => line.includes('detector-child')).map(({ pid }) => Number(pid));
}

describe('a detector of two processes', () => {
  const runs: NetRun[] = [];
  let alone: FaceDetector;
  let both: FaceDetector;
  let frames: VideoFrame[];
  beforeAll(async () => {
    alone = await testDetector();
    both = await createParallelDetector({ directory: MTCNN_DIR, onRun: (run) => runs.push(run) }, 2);
    const info = await probeMedia(goldenClip(3), DEFAULT_LIMITS);
    const options = { framesPerSecond: 2, maxFrames: 6, maxFramePixels: 640 * 360, limits: DEFAULT_LIMITS, threads: 1 };
    ({ frames } = await decodeMedia(goldenClip(3), info, options));
  });
  afterAll(() => Promise.all([alone.dispose(), both.dispose()]));

  it('finds in each of several frames at once the faces that one process finds', async () => {
    const found = await Promise.all(frames.map((frame) => both.detect(frame)));
    for (const [i, frame] of frames.entries()) expect(found[i]).toEqual(await alone.detect(frame));
  });

  it('tells of all runs of its nets, wherever they ran', async () => {
    const counted: NetRun[] = [];
    const single = await createParallelDetector({ directory: MTCNN_DIR, onRun: (run) => counted.push(run) }, 1);
    runs.length = 0;
    await Promise.all(frames.slice(0, 2).map((frame) => both.detect(frame)));
    for (const frame of frames.slice(0, 2)) await single.detect(frame);
    await single.dispose();
    const shapes = (list: NetRun[]) => list.map(({ net, shape }) => `${net} ${shape.join()}`).sort();
    expect(shapes(runs)).toEqual(shapes(counted));
  });

  it('goes on alone when the other process dies', async () => {
    const [helper] = await helpers();
    const found = Promise.all(frames.slice(0, 3).map((frame) => both.detect(frame)));
    process.kill(helper!, 'SIGKILL');
    for (const [i, faces] of (await found).entries()) expect(faces).toEqual(await alone.detect(frames[i]!));
    expect(await both.detect(frames[0]!)).toEqual(await alone.detect(frames[0]!));
  });
});
