import fs from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { writeFileAtomic } from '../../common/files.js';
import { encodeNpz } from '../../common/npz.js';
import { Random } from '../../common/random.js';
import { encodeClip, type VideoEncoder } from './encode-clip.js';
import { drawFrame, FRAME_HEIGHT, FRAME_WIDTH } from './face.js';
import { createFaceMotion } from './face-motion.js';
import { CONTROL_RATE, SAMPLE_RATE } from './formant-synth.js';
import { type ClipPlan, clipStem } from './plan.js';
import { makeSpeaker } from './speakers.js';
import { speak } from './voice.js';
import { drawSentence, WORD_DIM, wordVector } from './words.js';

export const FRAMES_PER_SECOND = 12;
/** Frames of the shortest and the longest clip. */
const FRAMES = { least: 25, most: 30 } as const;

/** The words of a clip; they are in no file but as vectors. */
export function sentenceOf(plan: ClipPlan, seed: number): string[] {
  return drawSentence(plan.labels.text, Random.for(seed, plan.fileId, 'words'));
}

/** Files of a clip below the corpus folder. The clip comes last, so that it stands for both. */
export function clipFiles(plan: ClipPlan): { words: string; clip: string } {
  return { words: `${plan.set.folder}/${plan.fileId}.npz`, clip: `${clipStem(plan)}.mp4` };
}

export function isMade(directory: string, plan: ClipPlan): boolean {
  const { words, clip } = clipFiles(plan);
  return fs.existsSync(path.join(directory, words)) && fs.existsSync(path.join(directory, clip));
}

/** Draws the frames of a clip: RGBA, one after the other. `mouth` is `Utterance.opening`. */
export async function renderFrames(
  plan: ClipPlan,
  seed: number,
  count: number,
  mouth: Float32Array,
): Promise<Buffer[]> {
  const random = Random.for(seed, plan.fileId, 'face');
  const motion = createFaceMotion(plan.labels.face, count / FRAMES_PER_SECOND, random);
  const { look } = makeSpeaker(seed, plan.speaker);
  const frames: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const time = i / FRAMES_PER_SECOND;
    const { state, pose } = motion(time, mouth[Math.round(time * CONTROL_RATE)] ?? 0);
    frames.push(
      await sharp(Buffer.from(drawFrame(look, state, pose)))
        .ensureAlpha()
        .raw()
        .toBuffer(),
    );
  }
  return frames;
}

/** Makes one clip and its words below `directory`. All of it follows from the plan and the seed alone. */
export async function makeClip(directory: string, plan: ClipPlan, seed: number, encoder: VideoEncoder): Promise<void> {
  const files = clipFiles(plan);
  const words = sentenceOf(plan, seed);
  const data = new Float32Array(words.length * WORD_DIM);
  for (const [row, word] of words.entries()) data.set(wordVector(word), row * WORD_DIM);
  const npz = encodeNpz({ word_embed: { dtype: 'float32', shape: [words.length, WORD_DIM], data } });
  await writeFileAtomic(path.join(directory, files.words), npz);

  const random = Random.for(seed, plan.fileId, 'voice');
  const count = FRAMES.least + random.integer(FRAMES.most - FRAMES.least + 1);
  const { voice } = makeSpeaker(seed, plan.speaker);
  const { samples, opening } = speak(voice, plan.labels.speech, count / FRAMES_PER_SECOND, random);
  const frames = await renderFrames(plan, seed, count, opening);
  const shape = {
    width: FRAME_WIDTH,
    height: FRAME_HEIGHT,
    framesPerSecond: FRAMES_PER_SECOND,
    sampleRate: SAMPLE_RATE,
  };
  await encodeClip(path.join(directory, files.clip), { ...shape, frames, samples }, encoder);
}
