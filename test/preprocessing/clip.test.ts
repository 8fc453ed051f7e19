import fsp from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocessClip } from '../../preprocessing/clip.js';
import type { FaceDetector } from '../../preprocessing/faces/face-detector.js';
import { CROP_SIZE, type FaceFeatures, MEL_BANDS } from '../../preprocessing/features.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { goldenClip, runFfmpeg, SETTINGS, testDetector } from './helpers.js';

describe('a clip', () => {
  let detector: FaceDetector;
  beforeAll(async () => {
    detector = await testDetector();
  });
  afterAll(() => detector.dispose());

  /** Preprocesses what ffmpeg makes of the 360p golden clip. */
  function preprocessVariant(...args: string[]) {
    return inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.mp4');
      await runFfmpeg('-i', goldenClip(2), ...args, file);
      return preprocessClip({ clip: file }, SETTINGS, detector);
    });
  }

  function facesOf({ face }: { face: { status: string } }): FaceFeatures {
    if (face.status !== 'used') throw new Error(JSON.stringify(face));
    return face as FaceFeatures;
  }

  it.each([1, 2, 3] as const)('gives 32 crops of the subject over the trimmed span of clip %i', async (number) => {
    const { speech, face, text, span, duration, faceShare, warnings } = await preprocessClip(
      { clip: goldenClip(number) },
      SETTINGS,
      detector,
    );
    expect(speech).toMatchObject({ status: 'used', data: expect.any(Float32Array) });
    if (speech.status === 'used') expect(speech.data.length).toBe(MEL_BANDS * speech.frames);
    const { frames, times, data } = facesOf({ face });
    expect(frames).toBe(32);
    expect(data.length).toBe(32 * CROP_SIZE * CROP_SIZE * 3);
    expect(times.every((time, i) => time >= span.start && time < span.end && time > (times[i - 1] ?? -1))).toBe(true);
    expect({ text, duration, faceShare, warnings }).toEqual({
      text: { status: 'missing', reason: 'no word vectors were given' },
      duration: 5,
      faceShare: 1,
      warnings: [],
    });
  });

  it('leaves out the frames of clip 4 that have no face', async () => {
    const clip = await preprocessClip({ clip: goldenClip(4) }, SETTINGS, detector);
    // By MTCNN on every frame there is no face from frame 42 to 75 of 25 a second.
    const { times } = facesOf(clip);
    expect(times.filter((time) => time >= 42 / 25 && time < 76 / 25)).toEqual([]);
    expect(times.some((time) => time < 42 / 25) && times.some((time) => time >= 76 / 25)).toBe(true);
    expect(clip.faceShare).toBeCloseTo(times.length / 32);
  });

  it('gives the same features each time, while and after another one is preprocessed, too', async () => {
    const preprocess = (number: 2 | 3) => preprocessClip({ clip: goldenClip(number) }, SETTINGS, detector);
    const first = await preprocess(2);
    const [beside] = await Promise.all([preprocess(2), preprocess(3)]);
    for (const again of [beside, await preprocess(2)]) {
      expect(Buffer.compare(facesOf(first).data, facesOf(again).data)).toBe(0);
      expect(again.speech).toEqual(first.speech);
    }
  });

  it('keeps no more frames than asked for', async () => {
    const clip = await preprocessClip({ clip: goldenClip(2) }, { ...SETTINGS, maxFrames: 5 }, detector);
    expect(facesOf(clip).frames).toBe(5);
  });

  it('says when it has no sound, and takes frames of the whole of it', async () => {
    const clip = await preprocessVariant('-an', '-c', 'copy');
    expect(clip.speech).toEqual({ status: 'missing', reason: 'the clip has no sound' });
    expect(clip.span).toEqual({ start: 0, end: expect.closeTo(5, 1) });
    expect(facesOf(clip).times[0]).toBeLessThan(0.2);
  });

  it('says when its sound is silent, and takes frames of the whole of it', async () => {
    const clip = await preprocessVariant('-af', 'volume=0', '-c:v', 'copy');
    expect(clip.speech).toEqual({ status: 'missing', reason: 'the sound is silent' });
    expect(facesOf(clip).times[0]).toBeLessThan(0.2);
  });

  it('says when it has no pictures', async () => {
    const clip = await preprocessVariant('-vn', '-f', 'wav');
    expect(clip.face).toEqual({ status: 'missing', reason: 'the clip has no pictures' });
    expect(clip.speech.status).toBe('used');
  });

  it.each(['default', 'seed'] as const)('is only listened to when no faces are wanted, compat %s', async (compat) => {
    await inTemporaryFolder(async (folder) => {
      // Pictures that go on for long after the sound do not make it a clip cut short.
      const file = path.join(folder, 'short-sound.mp4');
      await runFfmpeg('-i', goldenClip(2), '-t', '1.5', '-i', goldenClip(2), '-map', '0:v', '-map', '1:a', file);
      const settings = { ...SETTINGS, compat };
      const heard = await preprocessClip({ clip: file }, { ...settings, faces: false }, detector);
      const { speech, face } = await preprocessClip({ clip: file }, settings, detector);
      expect(face.status).toBe('used');
      expect(heard).toMatchObject({
        ...{ speech, warnings: [] },
        face: { status: 'missing', reason: 'faces were not looked for' },
      });
    });
  });

  it.each(['default', 'seed'] as const)(
    'without sound still has its words when no faces are wanted, compat %s',
    async (compat) => {
      await inTemporaryFolder(async (folder) => {
        const [clip, words] = [path.join(folder, 'silent.mp4'), path.join(folder, 'words.json')];
        await runFfmpeg('-i', goldenClip(2), '-an', '-c', 'copy', clip);
        await fsp.writeFile(words, JSON.stringify([[0.5, 0.25]]));
        const found = await preprocessClip({ clip, words }, { ...SETTINGS, compat, faces: false }, detector);
        expect(found).toMatchObject({ text: { status: 'used' }, warnings: [] });
        expect(found.duration).toBeCloseTo(5, 1);
      });
    },
  );

  it('takes a cover picture for no video', async () => {
    const cover = path.join(path.dirname(goldenClip(2)), '..', 'mtcnn_00002_0.png');
    const clip = await preprocessVariant(
      ...['-i', cover, '-map', '0:a', '-map', '1:v', '-c:a', 'copy', '-c:v', 'png', '-disposition:v', 'attached_pic'],
    );
    expect(clip.face).toEqual({ status: 'missing', reason: 'the clip has no pictures' });
  });

  it('is turned upright when the file says so', async () => {
    const upright = await preprocessVariant('-c', 'copy');
    const turned = await inTemporaryFolder(async (folder) => {
      const [sideways, file] = [path.join(folder, 'sideways.mp4'), path.join(folder, 'clip.mp4')];
      await runFfmpeg('-i', goldenClip(2), '-vf', 'transpose=clock', '-c:a', 'copy', sideways);
      await runFfmpeg('-i', sideways, '-c', 'copy', '-metadata:s:v', 'rotate=90', file);
      return preprocessClip({ clip: file }, SETTINGS, detector);
    });
    expect(facesOf(turned).frames).toBe(facesOf(upright).frames);
  });

  it('is read though it does not state its duration', async () => {
    const clip = await inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'clip.webm');
      await runFfmpeg('-i', goldenClip(2), '-c', 'copy', '-f', 'matroska', '-live', '1', file);
      return preprocessClip({ clip: file }, SETTINGS, detector);
    });
    // Its pictures are taken to last until the next one would have been taken: 0.08 s.
    expect(Math.abs(clip.duration - 5)).toBeLessThan(0.1);
    expect(facesOf(clip).frames).toBe(32);
  });

  it('loses no faces when its pictures are larger than needed', async () => {
    const clip = await preprocessVariant('-t', '1', '-vf', 'scale=2560:1440', '-preset', 'ultrafast');
    expect(clip.faceShare).toBe(1);
  });

  it('starts its sound where the pictures start when the sound begins late', async () => {
    const clip = await preprocessVariant(
      '-itsoffset',
      '1',
      '-i',
      goldenClip(2),
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-c',
      'copy',
    );
    // The speech begins 0.464 s into the sound.
    expect(clip.span.start).toBeCloseTo(1.464, 1);
  });
});
