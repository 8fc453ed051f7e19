import fsp from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DecodeOptions } from '../../preprocessing/media/decode.js';
import { decodeEarly } from '../../preprocessing/media/decode-early.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { guessMp4Info } from '../../preprocessing/media/mp4-header.js';
import { type MediaInfo, probeMedia } from '../../preprocessing/media/probe.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, runFfmpeg } from './helpers.js';
import { decoders } from './running-decoders.js';

const OPTIONS: DecodeOptions = {
  framesPerSecond: 5,
  maxFrames: 50,
  maxFramePixels: 640 * 360,
  limits: DEFAULT_LIMITS,
  threads: 1,
};

/** The second golden clip with other bytes in place of some, under a name of its own. */
async function withBytes<T>(change: (clip: Buffer) => void, use: (file: string) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (folder) => {
    const clip = await fsp.readFile(goldenClip(2));
    change(clip);
    const file = path.join(folder, 'clip.mp4');
    await fsp.writeFile(file, clip);
    return use(file);
  });
}

/** The width that the track's description states; the pictures themselves are of 640 pixels. */
function stateWidth(clip: Buffer, width: number): void {
  clip.writeUInt16BE(width, clip.indexOf('avc1', clip.indexOf('stsd', 0, 'latin1'), 'latin1') + 28);
}

describe('the guess from an MP4 header', () => {
  /** All but the rate of frames, which the header does not hold. */
  const withoutRate = (info: MediaInfo) => ({ ...info, video: info.video && { ...info.video, fps: null } });

  it.each([1, 2, 3, 4] as const)('is what ffprobe says of golden clip %i', async (number) => {
    const file = goldenClip(number);
    expect(await guessMp4Info(file)).toEqual(withoutRate(await probeMedia(file, DEFAULT_LIMITS)));
  });

  it.each([
    ['cut at its end', ['-c', 'copy', '-t', '2']],
    ['with its description in front', ['-c', 'copy', '-movflags', 'faststart']],
    ['without pictures', ['-vn', '-c', 'copy']],
    ['without sound', ['-an', '-c', 'copy']],
  ])('is what ffprobe says of a clip %s', async (_, args) => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.mp4');
      await runFfmpeg('-i', goldenClip(2), ...args, file);
      expect(await guessMp4Info(file)).toEqual(withoutRate(await probeMedia(file, DEFAULT_LIMITS)));
    });
  });

  it('is none for a fragmented file, a cut one, and one of zeros', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.mp4');
      await runFfmpeg('-i', goldenClip(2), '-c', 'copy', '-movflags', 'frag_keyframe+empty_moov', file);
      expect(await guessMp4Info(file)).toBeNull();
      await fsp.writeFile(file, (await fsp.readFile(goldenClip(2))).subarray(0, 1000));
      expect(await guessMp4Info(file)).toBeNull();
      await fsp.writeFile(file, Buffer.alloc(64));
      expect(await guessMp4Info(file)).toBeNull();
    });
  });

  it('never fails, whatever sizes the boxes state', async () => {
    const moov = (await fsp.readFile(goldenClip(2))).lastIndexOf('moov', undefined, 'latin1');
    for (let offset = 0; offset < 600; offset += 7) {
      await withBytes(
        (clip) => clip.writeUInt32BE(0xffffffff, moov + offset),
        (file) => expect(guessMp4Info(file)).resolves.toSatisfy((info) => info === null || typeof info === 'object'),
      );
    }
  });
});

describe('decoding that starts before the probe has ended', () => {
  it('gives what the probed facts ask for, though the header lies', async () => {
    const { info, decoding } = await decodeEarly(goldenClip(2), DEFAULT_LIMITS, (info) => ({ info, options: OPTIONS }));
    const expected = await decoding.finish(info);
    const frames = await withBytes(
      (clip) => stateWidth(clip, 4000),
      async (file) => {
        expect((await guessMp4Info(file))?.video?.width).toBe(4000);
        const lying = await decodeEarly(file, DEFAULT_LIMITS, (info) => ({ info, options: OPTIONS }));
        return (await lying.decoding.finish(lying.info)).frames;
      },
    );
    expect(frames.map(({ time }) => time)).toEqual(expected.frames.map(({ time }) => time));
    for (const [i, { data }] of frames.entries()) expect(Buffer.compare(data, expected.frames[i]!.data)).toBe(0);
  });

  it('ends with the refusal of a clip that the probe refuses', async () => {
    const limits = { ...DEFAULT_LIMITS, maxSeconds: 2 };
    const refused = decodeEarly(goldenClip(1), limits, (info) => ({ info, options: OPTIONS }));
    await expect(refused).rejects.toMatchObject({ code: 'too_large' });
    await expect.poll(decoders, { timeout: 10_000 }).toEqual([]);
  });

  it('leaves no open pipe behind when it is ended before its output is read', async () => {
    const open = async () => (await fsp.readdir('/proc/self/fd')).length;
    const before = await open();
    for (let i = 0; i < 3; i++) {
      const { decoding } = await decodeEarly(goldenClip(1), DEFAULT_LIMITS, (info) => ({ info, options: OPTIONS }));
      decoding.kill();
    }
    await expect.poll(open, { timeout: 10_000 }).toBeLessThanOrEqual(before);
  });
});
