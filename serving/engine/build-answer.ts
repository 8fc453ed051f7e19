import type { Bundle } from '../../common/bundle.js';
import { EMOTIONS, MODALITIES, type Modality } from '../../common/labels.js';
import { argmax, softmax } from '../../common/metrics.js';
import { subsetName } from '../../common/subsets.js';
import { SPEECH_FRAMES } from '../../preprocessing/model-inputs.js';
import type { Answer, ModalityAnswer, Verdict } from '../answer.js';
import type { InferenceInfo, PreparedClip, ScoredClip } from './tasks.js';

/** Frames of the log-mel spectrogram in one second: 16 kHz in hops of 256 samples. */
const FRAMES_PER_SECOND = 62.5;

/** The answer to one clip. `totalSeconds` is the time from its arrival at the engine. */
export function buildAnswer(
  bundle: Bundle,
  info: InferenceInfo,
  prepared: PreparedClip,
  { scores, milliseconds }: ScoredClip,
  totalSeconds: number,
): Answer {
  const used = MODALITIES.filter((modality) => scores.branches[modality] !== undefined);
  const integrated = verdict(scores.fused[subsetName(used)]!);
  const modality = (name: Modality): ModalityAnswer => {
    const branch = scores.branches[name];
    if (branch !== undefined) return { status: 'used', ...verdict(branch.logits) };
    if (bundle.branches[name] === undefined) {
      return { status: 'missing', reason: `no_model: this bundle has no ${name} network` };
    }
    return prepared.missing[name] ?? { status: 'missing', reason: `this clip has no ${name}` };
  };
  const without: Answer['without'] = {};
  if (used.length > 1) {
    for (const name of used) without[name] = verdict(scores.fused[subsetName(used.filter((other) => other !== name))]!);
  }
  const emotions = used.map((name) => verdict(scores.branches[name]!.logits).emotion);
  const { decode, audio, faces } = prepared.timings;
  const warnings = [...prepared.warnings];
  const heard = Math.min(prepared.speechFrames, SPEECH_FRAMES) / FRAMES_PER_SECOND;
  const span = prepared.span.end - prepared.span.start;
  if (used.includes('speech') && prepared.speechFrames > SPEECH_FRAMES) {
    warnings.push(`Only the ${heard} s in the middle of the ${span.toFixed(1)} s of sound were heard.`);
  }
  return {
    ...integrated,
    confidence: Math.max(...Object.values(integrated.scores)),
    calibrated: false,
    disagree: new Set(emotions).size > 1,
    without,
    tta: 'none',
    modalities: { face: modality('face'), speech: modality('speech'), text: modality('text') },
    model: { name: bundle.name, version: bundle.version, device: info.device },
    seconds: {
      clip: prepared.duration,
      used: Math.min(prepared.duration, span, used.includes('speech') ? heard : Number.POSITIVE_INFINITY),
    },
    timings: {
      queued: Math.max(0, totalSeconds - (decode + audio + faces + milliseconds) / 1000),
      decode: decode / 1000,
      audio: audio / 1000,
      faces: faces / 1000,
      inference: milliseconds / 1000,
      total: totalSeconds,
    },
    ...(warnings.length > 0 && { warnings }),
  };
}

/** The emotion that 7 logits speak for, and the probability of each. */
function verdict(logits: readonly number[]): Verdict {
  const probabilities = softmax(logits);
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
