import type { Bundle } from '../../common/bundle.js';
import { EMOTIONS, MODALITIES, type Modality } from '../../common/labels.js';
import { argmax } from '../../common/metrics.js';
import { subsetName } from '../../common/subsets.js';
import type { Answer, ModalityAnswer, TtaMode, Verdict } from '../answer.js';
import type { ClipScores } from './clip-scores.js';
import type { PreparedClip } from './tasks.js';

/** What an answer says besides what the clip's scores say. */
export interface AnswerContext {
  bundle: Bundle;
  device: string;
  tta: TtaMode;
  prepared: PreparedClip;
  /** The windows that were scored. */
  windows: readonly { start: number; end: number }[];
  /** Seconds of the stages after preprocessing. */
  timings: Pick<Answer['timings'], 'queued' | 'inference' | 'total'>;
}

/** The answer to one clip. */
export function buildAnswer(
  clip: ClipScores,
  { bundle, device, tta, prepared, windows, ...context }: AnswerContext,
): Answer {
  const used = MODALITIES.filter((modality) => clip.modalities[modality] !== undefined);
  const modality = (name: Modality): ModalityAnswer => {
    const scores = clip.modalities[name];
    if (scores !== undefined) return { status: 'used', ...verdict(scores) };
    if (bundle.branches[name] === undefined) {
      return { status: 'missing', reason: `no_model: this bundle has no ${name} network` };
    }
    return prepared.missing[name] ?? { status: 'missing', reason: `this clip has no ${name}` };
  };
  const integrated = verdict(clip.scores);
  const { decode, audio, faces } = prepared.timings;
  const secondsUsed = unionLength(windows);
  const { duration, span, warnings } = prepared;
  const whole = span.end - span.start;
  const unheard =
    secondsUsed < whole - 0.1 ? [`Only ${seconds(secondsUsed)} of the clip's ${seconds(whole)} were used.`] : [];
  const remarks = [...warnings, ...unheard];
  return {
    ...integrated,
    confidence: integrated.scores[integrated.emotion],
    calibrated: clip.calibrated,
    modalities: { face: modality('face'), speech: modality('speech'), text: modality('text') },
    disagree: new Set(used.map((name) => verdict(clip.modalities[name]!).emotion)).size > 1,
    without: withoutEach(clip, used),
    ...(clip.keyFrames && { keyFrames: clip.keyFrames }),
    ...(clip.timeline && {
      timeline: clip.timeline.map(({ start, end, scores, modalities }) => ({
        ...{ start, end },
        ...verdict(scores),
        modalities: verdicts(modalities),
      })),
    }),
    tta,
    model: { name: bundle.name, version: bundle.version, device },
    seconds: { clip: duration, used: Math.min(duration, secondsUsed) },
    timings: { decode: decode / 1000, audio: audio / 1000, faces: faces / 1000, ...context.timings },
    ...(remarks.length > 0 && { warnings: remarks }),
  };
}

/** The emotion that 7 probabilities speak for, and the probability of each. */
export function verdict(probabilities: readonly number[]): Verdict {
  const score = (emotion: Answer['emotion']) => probabilities[EMOTIONS.indexOf(emotion)]!;
  return {
    emotion: EMOTIONS[argmax(probabilities)]!,
    scores: {
      hap: score('hap'),
      ang: score('ang'),
      dis: score('dis'),
      fea: score('fea'),
      sad: score('sad'),
      neu: score('neu'),
      sur: score('sur'),
    },
  };
}

function verdicts(scores: Partial<Record<Modality, number[]>>): Answer['without'] {
  const { face, speech, text } = scores;
  return {
    ...(face && { face: verdict(face) }),
    ...(speech && { speech: verdict(speech) }),
    ...(text && { text: verdict(text) }),
  };
}

/** The fusion of all the modalities but one, for each that was used. */
function withoutEach({ subsets }: ClipScores, used: readonly Modality[]): Answer['without'] {
  const left = used.map((name) => [name, subsets[subsetName(used.filter((other) => other !== name))]] as const);
  return verdicts(Object.fromEntries(left.filter(([, scores]) => scores !== undefined)));
}

/** Seconds that windows, in order of their starts, cover together. */
function unionLength(windows: readonly { start: number; end: number }[]): number {
  let [sum, covered] = [0, Number.NEGATIVE_INFINITY];
  for (const { start, end } of windows) {
    sum += Math.max(0, end - Math.max(start, covered));
    covered = Math.max(covered, end);
  }
  return sum;
}

const seconds = (value: number): string => `${value.toFixed(1)} s`;
