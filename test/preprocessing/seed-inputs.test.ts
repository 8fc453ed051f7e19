import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ClipFeatures, CROP_SIZE, MEL_BANDS } from '../../preprocessing/features.js';
import { evaluationInputs, type InputSpec, SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import { SEED_FRAMES, SEED_WORDS, seedFrameRange, stridedIndices } from '../../preprocessing/seed-inputs.js';
import { goldenFile } from './helpers.js';

const speechSchema = z.object({ first_col: z.number(), last_col: z.number(), first_val: z.number() });
const textSchema = z.object({ shape: z.array(z.number()), first_row: z.number(), last_row: z.number() });
/** What the reference's data pipeline does of frames, spectrograms and sentences of several lengths. */
const golden = z
  .object({
    sample_eval: z.record(z.string(), z.array(z.number())),
    sample_short: z.object({ T: z.number(), n: z.number(), out_first_channel: z.array(z.number()) }),
    drop_end: z.record(z.string(), z.number()),
  })
  .loose()
  .parse(JSON.parse(fs.readFileSync(goldenFile('data_pipeline.json'), 'utf8')));

const SPEC: InputSpec = { compat: 'seed', faceSize: 56, wordDim: 3, maxWords: SEED_WORDS };
const CROP = CROP_SIZE * CROP_SIZE * 3;

/** A clip whose speech columns, crops and words say their number, from 1 on. */
function makeClip(speechFrames: number, crops: number, words: number): ClipFeatures {
  const face = new Uint8Array(crops * CROP);
  for (let i = 0; i < crops; i++) face.fill(i + 1, i * CROP, (i + 1) * CROP);
  return {
    speech: {
      status: 'used',
      data: Float32Array.from({ length: MEL_BANDS * speechFrames }, (_, i) => (i % speechFrames) + 1),
      frames: speechFrames,
    },
    face: { status: 'used', data: face, frames: crops, times: Array.from({ length: crops }, (_, i) => i) },
    text: {
      status: 'used',
      data: Float32Array.from({ length: words * 3 }, (_, i) => Math.floor(i / 3) + 1),
      words,
      dim: 3,
    },
    duration: 5,
    span: { start: 0, end: 5 },
  };
}

/** The numbers of the crops that a network sees, 0 for padding. */
function cropsSeen(clip: ClipFeatures, seedFrames?: number): number[] {
  const { face } = evaluationInputs(clip, SPEC, seedFrames);
  return Array.from({ length: face!.length }, (_, i) => face!.data[i * 56 * 56 * 3]!);
}

describe('the inputs of compat seed', () => {
  it.each(Object.entries(golden.sample_eval))('take the frames that the reference takes: %s', (name, expected) => {
    const [, count, wanted] = /^T(\d+)_n(\d+)$/.exec(name)!.map(Number);
    expect(stridedIndices(count!, wanted!)).toEqual(expected);
  });

  it.each(Object.entries(golden.drop_end))('leave out ten of %s frames at each end, but never all', (count, left) => {
    const { start, end } = seedFrameRange(Number(count));
    expect(end - start).toBe(left === 0 ? Number(count) : left);
    expect(start).toBe(left === 0 ? 0 : 10);
  });

  it('pad few frames on the left and count the padding as data', () => {
    const { T, n, out_first_channel: expected } = golden.sample_short;
    // The golden frames are numbered from 0, ours from 1, so that padding can be told from the first one.
    const seen = cropsSeen(makeClip(10, T, 1), n);
    expect(seen).toHaveLength(n);
    expect(seen.map((value) => Math.max(0, value - 1))).toEqual(expected);
    expect(seen.slice(0, n - T)).toEqual(new Array(n - T).fill(0));
  });

  it('are 16 frames in evaluation and 32 in a submission', () => {
    const clip = makeClip(10, 84, 1);
    expect(cropsSeen(clip)).toEqual(Array.from({ length: 16 }, (_, i) => 11 + 4 * i));
    expect(cropsSeen(clip, SEED_FRAMES.submission)).toEqual(Array.from({ length: 32 }, (_, i) => 11 + 2 * i));
  });

  it.each([1, 275, 399, 400, 401, 451])('centre %i speech frames in 400, all of which count', (frames) => {
    const expected = speechSchema.parse(golden[`speech_T${frames}`]);
    const { speech } = evaluationInputs(makeClip(frames, 1, 1), SPEC);
    const row = Array.from(speech!.data.subarray(0, SPEECH_FRAMES));
    expect(speech!.length).toBe(SPEECH_FRAMES);
    expect(row.findIndex((value) => value > 0)).toBe(expected.first_col);
    expect(row.findLastIndex((value) => value > 0)).toBe(expected.last_col);
    expect(row[expected.first_col]).toBe(expected.first_val);
  });

  it.each([1, 10, 11, 38])('centre %i words in 38, all of which count', (words) => {
    const expected = textSchema.parse(golden[`text_T${words}`]);
    const { text } = evaluationInputs(makeClip(1, 1, words), SPEC);
    const rows = Array.from({ length: text!.length }, (_, row) => text!.data[3 * row]!);
    expect(text!.length).toBe(expected.shape[0]);
    expect(rows.findIndex((value) => value > 0)).toBe(expected.first_row);
    expect(rows.findLastIndex((value) => value > 0)).toBe(expected.last_row);
  });

  it('keep the first 38 words of a sentence that would end the reference', () => {
    const { text } = evaluationInputs(makeClip(1, 1, 45), SPEC);
    expect(text).toMatchObject({ length: 38 });
    expect([text!.data[0], text!.data.at(-1)]).toEqual([1, 38]);
  });
});
