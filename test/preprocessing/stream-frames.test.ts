import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMedia } from '../../preprocessing/media/decode.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { probeMedia } from '../../preprocessing/media/probe.js';
import { streamFrames } from '../../preprocessing/media/stream-frames.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, runFfmpeg } from './helpers.js';
import { decoders } from './running-decoders.js';

async function open(file: string, limits = DEFAULT_LIMITS) {
  const info = await probeMedia(file, limits);
  return { info, ...streamFrames(file, info.video!, info.demuxer, { limits, threads: 1 }) };
}

describe('streamed frames', () => {
  it('are all frames of a clip, with the pixels that decoding at once gives', async () => {
    const { info, rate, frames } = await open(goldenClip(4));
    const options = {
      framesPerSecond: 25,
      maxFrames: 1000,
      maxFramePixels: 1280 * 720,
      limits: DEFAULT_LIMITS,
      threads: 1,
    };
    const expected = (await decodeMedia(goldenClip(4), { ...info, audio: null }, options)).frames;
    let number = 0;
    for await (const { data, width, height } of frames) {
      expect([width, height]).toEqual([640, 360]);
      if (number % 20 === 0) expect(Buffer.compare(data, expected[number]!.data)).toBe(0);
      number += 1;
    }
    expect({ rate, number }).toEqual({ rate: 25, number: 125 });
  });

  it('begin with the first one again and again when the pictures begin late', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'late.mkv');
      const inputs = ['-i', goldenClip(4), '-itsoffset', '1', '-i', goldenClip(4)];
      await runFfmpeg(...inputs, '-map', '0:a', '-map', '1:v', '-c', 'copy', '-t', '2', file);
      const { frames } = await open(file);
      let first: Buffer | undefined;
      let same = 0;
      for await (const { data } of frames) {
        first ??= Buffer.from(data);
        if (Buffer.compare(first, data) !== 0) break;
        same += 1;
      }
      // A second of 25 frames, and the first one itself; the container moves it by a frame's time at most.
      expect(Math.abs(same - 26)).toBeLessThanOrEqual(1);
    });
  });

  it('end their decoder when nobody wants more of them', async () => {
    // Those of the tests before may still be about to end.
    await expect.poll(decoders, { timeout: 10_000 }).toEqual([]);
    const { frames } = await open(goldenClip(1));
    for await (const frame of frames) {
      expect(frame.width).toBe(1280);
      expect(await decoders()).toHaveLength(1);
      break;
    }
    await expect.poll(decoders, { timeout: 10_000 }).toEqual([]);
  });
});
