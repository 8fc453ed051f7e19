import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import type { Modality } from '../../common/labels.js';
import { type ClipFeatures, CROP_SIZE, type FaceFeatures, type SpeechFeatures } from '../../preprocessing/features.js';
import { LONG_CLIP_SECONDS } from '../../preprocessing/modalities.js';
import { fitWords, type InputSpec, SPEECH_FRAMES, shrinkFrames } from '../../preprocessing/model-inputs.js';
import { seedFrameRange, stridedIndices } from '../../preprocessing/seed-inputs.js';
import type { TimelineOptions } from './predict-options.js';
import { clipInputsSchema, frameListSchema, NO_FRAME, speechViewSchema } from './scoring.js';

/** Frames of the log-mel spectrogram in one second: 16 kHz in hops of 256 samples. */
export const FRAMES_PER_SECOND = 62.5;
/** From the start of one window of a long clip to the start of the next, in seconds. */
const LONG_CLIP_HOP = 3.2;
/** Windows of one timeline, at most. */
export const MAX_TIMELINE_WINDOWS = 240;

/** A part of a clip that is scored on its own. Words are in every window. */
const windowSchema = z.object({
  /** Seconds of the clip. */
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  speech: speechViewSchema.nullable(),
  face: frameListSchema.nullable(),
});
export type Window = z.infer<typeof windowSchema>;

/** A clip's inputs, and the windows in which they are looked at. */
export const plannedClipSchema = z.object({
  inputs: clipInputsSchema,
  /** Seconds of each face frame of the inputs. */
  frameTimes: z.array(z.number()),
  /** Those that the answer is the average of: one, or several where the clip is longer than 6.4 s. */
  windows: z.array(windowSchema).min(1),
  /** Those of the timeline that was asked for. */
  timeline: z.array(windowSchema).nullable(),
});
export type PlannedClip = z.infer<typeof plannedClipSchema>;

/** What the windows depend on besides the clip. */
export interface PlanOptions {
  spec: InputSpec & { maxFrames: number };
  /** What the bundle has networks for; the rest of the clip is left out. */
  modalities: readonly Modality[];
  /** Face frames that a network of compat seed is shown. */
  seedFrames: number;
  timeline?: TimelineOptions;
}

/**
 * Chooses what the networks see of a clip.
 *
 * Compat default: a clip whose span is at most 6.4 s long is one window with all of its face frames. A longer one has
 * windows of 6.4 s every 3.2 s, the last of which ends with the span; each has its part of the spectrogram and the face
 * frames in it, at most `maxFrames` moments, evenly chosen. Compat seed: one window, the centre of the spectrogram and
 * `seedFrames` face frames at even strides, with frames of zeros before them where there are fewer.
 *
 * Timeline: windows of the length and hop that are asked for over the same span. In compat seed each has at most
 * `seedFrames` of its face frames and is filled with zeros like the whole clip.
 *
 * @throws MerError bad_words when the word vectors are not of `spec.wordDim`; bad_field for a timeline of more than 240
 *   windows
 */
export function planClip(features: ClipFeatures, options: PlanOptions): PlannedClip {
  const { spec, timeline } = options;
  const clip: Perceived = {
    span: features.span,
    speech: features.speech.status === 'used' && options.modalities.includes('speech') ? features.speech : null,
    face: features.face.status === 'used' && options.modalities.includes('face') ? features.face : null,
  };
  const windows =
    spec.compat === 'seed'
      ? [seedWindow(clip, options.seedFrames)]
      : windowsOf(clip.span, LONG_CLIP_SECONDS, LONG_CLIP_HOP).map((part) => windowAt(clip, part, options));
  const timelineWindows = timeline
    ? timelineOf(clip.span, timeline).map((part) => windowAt(clip, part, options))
    : null;
  const frames = framesOf([...windows, ...(timelineWindows ?? [])]);
  const position = new Map(frames.map((frame, index) => [frame, index]));
  const place = (window: Window): Window => ({
    ...window,
    face: window.face?.map((frame) => position.get(frame) ?? NO_FRAME) ?? null,
  });
  const { speech, face } = clip;
  return {
    inputs: {
      speech: speech && { data: speech.data, length: speech.frames },
      face: face && frames.length > 0 ? takeFrames(face, frames, spec.faceSize) : null,
      text: textOf(features, options),
    },
    frameTimes: face ? frames.map((frame) => face.times[frame]!) : [],
    windows: windows.map(place),
    timeline: timelineWindows?.map(place) ?? null,
  };
}

/** Seconds of a clip. */
interface Span {
  start: number;
  end: number;
}

/** What the networks of a bundle hear and see of a clip. */
interface Perceived {
  span: Span;
  speech: SpeechFeatures | null;
  face: FaceFeatures | null;
}

/** Windows of a span, the last of which ends with it; the span itself when it is not longer than one. */
export function windowsOf({ start, end }: Span, length: number, hop: number): Span[] {
  if (end - start <= length) return [{ start, end }];
  const count = 1 + Math.ceil((end - start - length) / hop);
  return Array.from({ length: count }, (_, i) => {
    const from = Math.min(start + i * hop, end - length);
    return { start: from, end: from + length };
  });
}

function timelineOf(span: Span, { window, hop }: TimelineOptions): Span[] {
  const parts = windowsOf(span, window, hop);
  if (parts.length <= MAX_TIMELINE_WINDOWS) return parts;
  throw new MerError(
    'bad_field',
    `A hop of ${hop} s makes ${parts.length} windows of this clip; ${MAX_TIMELINE_WINDOWS} are allowed.`,
    'Choose a longer hop.',
  );
}

/** What a window has of the spectrogram and of the faces. */
function windowAt({ span, speech, face }: Perceived, part: Span, options: PlanOptions): Window {
  return { ...part, speech: speech && speechAt(speech, span, part), face: face && facesAt(face, span, part, options) };
}

function speechAt({ frames }: SpeechFeatures, span: Span, part: Span): Window['speech'] {
  const wanted = Math.round((part.end - part.start) * FRAMES_PER_SECOND);
  return {
    start: Math.round((part.start - span.start) * FRAMES_PER_SECOND),
    frames: Math.max(1, Math.min(wanted, frames, SPEECH_FRAMES)),
  };
}

/** A frame that was taken from beside the span, since there was none in it, counts as at its nearer end. */
function facesAt({ times }: FaceFeatures, span: Span, part: Span, options: PlanOptions): Window['face'] {
  const last = part.end > span.end - 1e-9;
  const inside = [...times.keys()].filter((frame) => {
    const time = Math.min(Math.max(times[frame]!, span.start), span.end);
    return time >= part.start && (time < part.end || last);
  });
  if (inside.length === 0) return null;
  const { spec, seedFrames } = options;
  if (spec.compat === 'seed')
    return padded(
      stridedIndices(inside.length, seedFrames).map((i) => inside[i]!),
      seedFrames,
    );
  const whole = part.start <= span.start && last;
  return whole ? inside : ofMoments(inside, times, spec.maxFrames);
}

/** The frames of at most so many evenly chosen moments; a moment has several where it shows several faces. */
function ofMoments(frames: readonly number[], times: readonly number[], most: number): number[] {
  const moments = [...new Set(frames.map((frame) => times[frame]!))];
  const kept = Math.min(most, moments.length);
  const chosen = new Set(
    Array.from({ length: kept }, (_, i) => moments[Math.floor(((i + 0.5) * moments.length) / kept)]!),
  );
  return frames.filter((frame) => chosen.has(times[frame]!));
}

/** The window of compat seed: the centre of the spectrogram, and face frames at even strides without the ends. */
function seedWindow({ span, speech, face }: Perceived, seedFrames: number): Window {
  const frames = speech ? Math.min(speech.frames, SPEECH_FRAMES) : 0;
  const start = speech ? Math.floor((speech.frames - frames) / 2) : 0;
  const heard = {
    start: span.start + start / FRAMES_PER_SECOND,
    end: span.start + (start + frames) / FRAMES_PER_SECOND,
  };
  const range = face && seedFrameRange(face.frames);
  return {
    ...(speech && speech.frames > SPEECH_FRAMES ? heard : span),
    speech: speech && { start, frames },
    face:
      range &&
      padded(
        stridedIndices(range.end - range.start, seedFrames).map((index) => range.start + index),
        seedFrames,
      ),
  };
}

/** Frames of zeros before the frames, as many as are missing of `wanted`. */
function padded(frames: readonly number[], wanted: number): number[] {
  return [...new Array<number>(wanted - frames.length).fill(NO_FRAME), ...frames];
}

/** All face frames that any window shows, in order. */
function framesOf(windows: readonly Window[]): number[] {
  const shown = new Set(windows.flatMap(({ face }) => face ?? []));
  shown.delete(NO_FRAME);
  return [...shown].sort((a, b) => a - b);
}

/** The chosen crops at the size of the network's input. */
function takeFrames(
  { data, frames }: FaceFeatures,
  chosen: readonly number[],
  size: number,
): PlannedClip['inputs']['face'] {
  if (chosen.length === frames) return { data: shrinkFrames(data, frames, size), length: frames };
  const bytes = CROP_SIZE * CROP_SIZE * 3;
  const taken = new Uint8Array(chosen.length * bytes);
  for (const [index, frame] of chosen.entries()) {
    taken.set(data.subarray(frame * bytes, (frame + 1) * bytes), index * bytes);
  }
  return { data: shrinkFrames(taken, chosen.length, size), length: chosen.length };
}

function textOf({ text }: ClipFeatures, { spec, modalities }: PlanOptions): PlannedClip['inputs']['text'] {
  if (text.status !== 'used' || !modalities.includes('text')) return null;
  if (text.dim !== spec.wordDim) {
    throw new MerError(
      'bad_words',
      `The word vectors have ${text.dim} dimensions; the model takes ${spec.wordDim}.`,
      'Give word vectors of the kind that the model was trained on.',
    );
  }
  return fitWords(text.data, text.words, text.dim, spec.maxWords, spec.compat);
}
