import fsp from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClipSettings, preprocessClip } from '../../preprocessing/clip.js';
import type { FaceDetector } from '../../preprocessing/faces/face-detector.js';
import { DEFAULT_LIMITS } from '../../preprocessing/media/media-limits.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, runFfmpeg, SETTINGS, testDetector } from './helpers.js';

describe('media that cannot be used', () => {
  let detector: FaceDetector;
  beforeAll(async () => {
    detector = await testDetector();
  });
  afterAll(() => detector.dispose());

  /** Preprocesses a file that `make` writes. */
  function preprocessMade(make: (file: string) => Promise<unknown>, settings: Partial<ClipSettings> = {}) {
    return inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.mp4');
      await make(file);
      return preprocessClip({ clip: file }, { ...SETTINGS, ...settings }, detector);
    });
  }

  /** A clip whose index comes first, cut after a share of its bytes. */
  async function writeCut(file: string, share: number): Promise<void> {
    await runFfmpeg('-i', goldenClip(2), '-c', 'copy', '-movflags', '+faststart', '-f', 'mp4', file);
    const { size } = await fsp.stat(file);
    await fsp.truncate(file, Math.round(size * share));
  }

  it('is not_found when there is no file', async () => {
    const missing = preprocessClip({ clip: '/nowhere/clip.mp4' }, SETTINGS, detector);
    await expect(missing).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is empty_file when it has no bytes', async () => {
    await expect(preprocessMade((file) => fsp.writeFile(file, ''))).rejects.toMatchObject({ code: 'empty_file' });
  });

  it('is unsupported_media when it is text', async () => {
    const text = preprocessMade((file) => fsp.writeFile(file, 'no media at all'));
    await expect(text).rejects.toMatchObject({ code: 'unsupported_media' });
  });

  it('is undecodable_media when its index is cut off', async () => {
    const cut = preprocessMade(async (file) => {
      await runFfmpeg('-i', goldenClip(2), '-c', 'copy', '-f', 'mp4', file);
      await fsp.truncate(file, (await fsp.stat(file)).size / 2);
    });
    await expect(cut).rejects.toMatchObject({ code: 'undecodable_media' });
  });

  it('is undecodable_media when its samples are noise', async () => {
    const noise = preprocessMade(async (file) => {
      const bytes = await fsp.readFile(goldenClip(2));
      const start = bytes.indexOf('mdat', 0, 'latin1') + 4;
      for (let i = start; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 24;
      await fsp.writeFile(file, bytes);
    });
    await expect(noise).rejects.toMatchObject({ code: expect.stringMatching('undecodable_media|truncated_media') });
  });

  it('is truncated_media when less than half of the stated time is there', async () => {
    const cut = preprocessMade((file) => writeCut(file, 0.3));
    await expect(cut).rejects.toMatchObject({ code: 'truncated_media' });
  });

  it('is used with a warning when more than half of the stated time is there', async () => {
    const { warnings, speech, face } = await preprocessMade((file) => writeCut(file, 0.8));
    expect(warnings).toEqual([expect.stringMatching(/^only [34]\.\d of the stated 5\.0 s could be decoded$/)]);
    expect([speech.status, face.status]).toEqual(['used', 'used']);
  });

  it('is too_large when it is too long', async () => {
    const long = preprocessClip(
      { clip: goldenClip(2) },
      { ...SETTINGS, limits: { ...DEFAULT_LIMITS, maxSeconds: 4 } },
      detector,
    );
    await expect(long).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining('5.0 s') });
  });

  it('is too_large when its pictures are', async () => {
    const large = preprocessClip(
      { clip: goldenClip(2) },
      { ...SETTINGS, limits: { ...DEFAULT_LIMITS, maxPixels: 640 * 360 - 1 } },
      detector,
    );
    await expect(large).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining('640 x 360') });
  });

  it('is too_large when it has too many streams', async () => {
    const streams = preprocessMade((file) => {
      const maps = Array.from({ length: 17 }, () => ['-map', '0:a']).flat();
      return runFfmpeg('-t', '1', '-i', goldenClip(2), ...maps, '-c', 'copy', file);
    });
    await expect(streams).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining('17 streams') });
  });

  it('is timeout when ffmpeg takes too long', async () => {
    // No process starts and ends within a millisecond.
    const slow = preprocessClip(
      { clip: goldenClip(2) },
      { ...SETTINGS, limits: { ...DEFAULT_LIMITS, timeoutSeconds: 0.001 } },
      detector,
    );
    await expect(slow).rejects.toMatchObject({ code: 'timeout' });
  });

  it('is nothing_to_score when it is silent and black, and says both', async () => {
    const nothing = preprocessMade((file) => {
      const inputs = [
        '-f',
        'lavfi',
        '-i',
        'color=size=320x240:rate=25',
        '-f',
        'lavfi',
        '-i',
        'anullsrc=r=16000:cl=mono',
      ];
      return runFfmpeg(...inputs, '-t', '2', '-c:v', 'libx264', '-c:a', 'aac', file);
    });
    await expect(nothing).rejects.toMatchObject({
      code: 'nothing_to_score',
      message: expect.stringMatching(/the sound is silent; no face was found in \d+ frames looked at; no word vectors/),
    });
  });
});
