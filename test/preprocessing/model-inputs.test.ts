import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClipFeatures, CROP_SIZE, MEL_BANDS } from '../../preprocessing/features.js';
import {
  collate,
  evaluationInputs,
  fitSpeech,
  type InputSpec,
  SPEECH_FRAMES,
  shrinkFrames,
} from '../../preprocessing/model-inputs.js';

const SPEC: InputSpec = { compat: 'default', faceSize: 32, wordDim: 3, maxWords: 4 };
const CROP = CROP_SIZE * CROP_SIZE * 3;

/** A clip whose every value says where it stands. */
function makeClip(speechFrames: number, faces: number, words: number): ClipFeatures {
  return {
    speech: {
      status: 'used',
      data: Float32Array.from({ length: MEL_BANDS * speechFrames }, (_, i) => i),
      frames: speechFrames,
    },
    face: {
      status: 'used',
      data: Uint8Array.from({ length: faces * CROP }, (_, i) => Math.floor(i / CROP) + 1),
      frames: faces,
      times: Array.from({ length: faces }, (_, i) => i),
    },
    text: { status: 'used', data: Float32Array.from({ length: words * 3 }, (_, i) => i + 1), words, dim: 3 },
    duration: 5,
    span: { start: 0, end: 5 },
  };
}

const MISSING = { status: 'missing', reason: 'not there' } as const;

describe('model inputs', () => {
  it('have exactly 400 speech frames: zeros at the end of a short clip, the centre of a long one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), (frames) => {
        const { speech } = evaluationInputs(makeClip(frames, 1, 1), SPEC);
        const start = Math.max(0, Math.floor((frames - SPEECH_FRAMES) / 2));
        expect(speech!.length).toBe(Math.min(frames, SPEECH_FRAMES));
        expect(speech!.data.length).toBe(MEL_BANDS * SPEECH_FRAMES);
        for (const band of [0, 17, MEL_BANDS - 1]) {
          const row = speech!.data.subarray(band * SPEECH_FRAMES, (band + 1) * SPEECH_FRAMES);
          for (const [i, value] of row.entries())
            expect(value).toBe(i < speech!.length ? band * frames + start + i : 0);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('take a start beyond the end as the last possible one', () => {
    const { data } = fitSpeech(
      Float32Array.from({ length: MEL_BANDS * 500 }, (_, i) => i),
      500,
      1000,
    );
    expect(data[0]).toBe(100);
  });

  it('average crops down by the exact mean of each box, rounded half up', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 7, 28, 32, 56, 112, 224), fc.integer(), (size, seed) => {
        const crop = Uint8Array.from({ length: CROP }, (_, i) => (Math.imul(i + 1, seed | 1) >>> 13) & 255);
        const shrunk = shrinkFrames(crop, 1, size);
        const factor = CROP_SIZE / size;
        for (const [x, y, channel] of [
          [0, 0, 0],
          [size - 1, 0, 1],
          [0, size - 1, 2],
          [size >> 1, size >> 1, 0],
        ] as const) {
          let sum = 0;
          for (let dy = 0; dy < factor; dy++) {
            for (let dx = 0; dx < factor; dx++) {
              sum += crop[((y * factor + dy) * CROP_SIZE + x * factor + dx) * 3 + channel]!;
            }
          }
          expect(shrunk[(y * size + x) * 3 + channel]).toBe(Math.floor(sum / factor ** 2 + 0.5));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuse a face size that does not divide 224', () => {
    expect(() => shrinkFrames(new Uint8Array(CROP), 1, 100)).toThrow(/does not divide 224/);
  });

  it('keep the first words of a long sentence', () => {
    const { text } = evaluationInputs(makeClip(10, 1, 9), SPEC);
    expect(text).toEqual({ data: Float32Array.from({ length: 12 }, (_, i) => i + 1), length: 4 });
  });

  it('refuse words of another dimension', () => {
    expect(() => evaluationInputs(makeClip(10, 1, 1), { ...SPEC, wordDim: 200 })).toThrow(/3 dimensions/);
  });

  it('are null where a modality is missing', () => {
    const clip = { ...makeClip(10, 1, 1), speech: MISSING, text: MISSING };
    expect(evaluationInputs(clip, SPEC)).toMatchObject({ speech: null, text: null, face: { length: 1 } });
  });

  it('are padded at the end of a batch, with lengths, and zeros and presence 0 where missing', () => {
    const whole = makeClip(450, 3, 2);
    const inputs = [
      evaluationInputs(whole, SPEC),
      evaluationInputs({ ...whole, face: MISSING }, SPEC),
      evaluationInputs({ ...makeClip(20, 1, 3), speech: MISSING }, SPEC),
    ];
    const batch = collate(inputs, SPEC);
    expect(Array.from(batch.presence)).toEqual([1, 1, 1, 1, 0, 1, 0, 1, 1]);
    expect(Array.from(batch.speech.lengths)).toEqual([400, 400, 1]);
    expect(Array.from(batch.face.lengths)).toEqual([3, 1, 1]);
    expect(Array.from(batch.text.lengths)).toEqual([2, 2, 3]);
    expect([batch.clips, batch.face.frames, batch.text.words]).toEqual([3, 3, 3]);

    const frame = 32 * 32 * 3;
    const faces = Array.from({ length: 9 }, (_, i) => batch.face.data[i * frame]);
    expect(faces).toEqual([1, 2, 3, 0, 0, 0, 1, 0, 0]);
    expect(Array.from(batch.text.data.subarray(0, 9))).toEqual([1, 2, 3, 4, 5, 6, 0, 0, 0]);
    expect(batch.speech.data.subarray(2 * MEL_BANDS * SPEECH_FRAMES).every((value) => value === 0)).toBe(true);
    expect(batch.speech.data.subarray(0, MEL_BANDS * SPEECH_FRAMES)).toEqual(inputs[0]!.speech!.data);
  });

  it('still make a batch when a modality is missing in all clips', () => {
    const nothing = { speech: null, face: null, text: null };
    const { face, text } = collate([nothing], SPEC);
    expect([face.frames, text.words, face.data.length, text.data.length]).toEqual([1, 1, 32 * 32 * 3, 3]);
  });
});
