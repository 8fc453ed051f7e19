import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMedia } from '../../preprocessing/media/decode.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { type PixelRectangle, toPicture, YUV_MATRICES } from '../../preprocessing/media/picture.js';
import { probeMedia } from '../../preprocessing/media/probe.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, rgbOf, runFfmpeg } from './helpers.js';

const SPACES = { bt601: 'smpte170m', bt709: 'bt709' };

/** Noise of all levels, as planes and as ffmpeg's RGB. */
async function noise(width: number, height: number, matrix: keyof typeof SPACES) {
  const source = `color=gray:size=${width}x${height}:rate=1,format=yuv420p,noise=all_seed=1:alls=100`;
  // The last filter holds ffmpeg from converting before the colours are stated.
  const tags = `setparams=colorspace=${SPACES[matrix]}:range=tv,format=yuv420p`;
  const input = ['-f', 'lavfi', '-i', source, '-vf', tags, '-frames:v', '1'];
  const output = ['-sws_flags', 'bicubic', '-f', 'rawvideo', '-pix_fmt'];
  const planes = await runFfmpeg(...input, ...output, 'yuv420p', '-');
  const rgb = await runFfmpeg(...input, ...output, 'rgb24', '-');
  return { picture: toPicture(planes, { width, height }, matrix)!, rgb };
}

/** A region cut out of RGB that is `width` wide. */
function cutOut(rgb: Uint8Array, width: number, { left, top, right, bottom }: PixelRectangle): Buffer {
  const rows = Array.from({ length: bottom - top }, (_, y) => {
    const start = (top + y) * width;
    return rgb.subarray((start + left) * 3, (start + right) * 3);
  });
  return Buffer.concat(rows);
}

const REGIONS: PixelRectangle[] = [
  { left: 0, top: 0, right: 1, bottom: 1 },
  { left: 63, top: 47, right: 64, bottom: 48 },
  { left: 7, top: 5, right: 20, bottom: 9 },
  { left: 8, top: 6, right: 21, bottom: 48 },
];

describe('a picture that came as planes', () => {
  // ffmpeg converts otherwise where it has no SSE: a level or two apart.
  it.runIf(process.arch === 'x64').each(
    YUV_MATRICES.flatMap((matrix) => [
      { matrix, width: 1280, height: 720 },
      { matrix, width: 426, height: 242 },
      { matrix, width: 34, height: 18 },
    ]),
  )('is read as the very bytes of RGB that ffmpeg makes: $matrix, $width x $height', async (shape) => {
    const { width, height, matrix } = shape;
    const { picture, rgb } = await noise(width, height, matrix);
    expect(Buffer.compare(rgbOf(picture), rgb)).toBe(0);
  });

  it('is read in parts, from any pixel on, as it is read whole', async () => {
    const { picture } = await noise(64, 48, 'bt709');
    const whole = rgbOf(picture);
    for (const region of REGIONS) {
      expect(Buffer.compare(rgbOf(picture, region), cutOut(whole, 64, region))).toBe(0);
    }
  });

  // ffmpeg scales and converts in one step there, which smooths the colours: measured 0.97 levels.
  it('is as good as RGB when it was scaled down', async () => {
    const clip = goldenClip(2);
    const info = await probeMedia(clip, DEFAULT_LIMITS);
    const options = { framesPerSecond: 1, maxFrames: 1, maxFramePixels: 322 * 182, limits: DEFAULT_LIMITS, threads: 1 };
    const { frames } = await decodeMedia(clip, { ...info, audio: null }, options);
    const { width, height, matrix } = frames[0]!;
    expect({ width, height, matrix }).toEqual({ width: 322, height: 180, matrix: 'bt601' });
    const output = [
      '-vf',
      `scale=${width}:${height}`,
      '-sws_flags',
      'bicubic',
      '-pix_fmt',
      'rgb24',
      '-f',
      'rawvideo',
      '-',
    ];
    const rgb = await runFfmpeg('-i', clip, '-frames:v', '1', ...output);
    const data = rgbOf(frames[0]!);
    const mean = rgb.reduce((sum, value, i) => sum + Math.abs(value - data[i]!), 0) / rgb.length;
    expect(mean).toBeLessThan(1.5);
  });

  it('is none when bytes of it are missing', () => {
    expect(toPicture(new Uint8Array(6 * 4 * 1.5), { width: 6, height: 4 }, 'bt601')).not.toBeNull();
    expect(toPicture(new Uint8Array(6 * 4 * 1.5 - 1), { width: 6, height: 4 }, 'bt601')).toBeNull();
  });

  it.each([
    ['of no stated colours', 'yuv420p', [], '64x48', 'bt601'],
    ['of high definition', 'yuv420p', ['-colorspace', 'bt709'], '64x48', 'bt709'],
    ['of the full range', 'yuv420p', ['-color_range', 'pc'], '64x48', null],
    ['of another matrix', 'yuv420p', ['-colorspace', 'bt2020nc'], '64x48', null],
    ['of whole colours', 'yuv444p', [], '64x48', null],
    ['of 10 bits', 'yuv420p10le', [], '64x48', null],
    ['of an odd side', 'yuv444p', [], '63x48', null],
  ])('comes so only where RGB can be made of it exactly: a clip %s', async (_, format, options, size, matrix) => {
    await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.mkv');
      const input = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=5:duration=0.4`];
      await runFfmpeg(...input, '-c:v', 'ffv1', '-pix_fmt', format, ...options, file);
      expect((await probeMedia(file, DEFAULT_LIMITS)).video?.matrix).toBe(matrix);
    });
  });
});

describe('a picture that came as RGB', () => {
  it.each([...REGIONS, { left: 0, top: 0, right: 65, bottom: 49 }])('is read in parts as it stands: %o', (region) => {
    const data = Uint8Array.from({ length: 65 * 49 * 3 }, (_, i) => (i * 7919) % 251);
    const part = rgbOf({ data, width: 65, height: 49 }, region);
    expect(Buffer.compare(part, cutOut(data, 65, region))).toBe(0);
  });
});
