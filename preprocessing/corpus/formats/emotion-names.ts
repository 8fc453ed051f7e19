import { EMOTIONS, type Emotion, isEmotion } from '../../../common/labels.js';

/** What corpora call the seven classes, besides the codes. */
const NAMES: Record<Emotion, readonly string[]> = {
  hap: ['happy', 'happiness', 'joy', 'joyful'],
  ang: ['angry', 'anger'],
  dis: ['disgust', 'disgusted'],
  fea: ['fear', 'fearful', 'afraid'],
  sad: ['sadness'],
  neu: ['neutral', 'neutrality'],
  sur: ['surprise', 'surprised'],
};

const BY_NAME = new Map(EMOTIONS.flatMap((emotion) => NAMES[emotion].map((name) => [name, emotion] as const)));

/** For messages: what {@link parseEmotion} takes. */
export const EMOTION_NAMES_HELP = `${EMOTIONS.join(', ')}, or their English names such as happy or anger`;

/** A class by its code or its English name, in any case; null for anything else. */
export function parseEmotion(text: string): Emotion | null {
  const name = text.trim().toLowerCase();
  return isEmotion(name) ? name : (BY_NAME.get(name) ?? null);
}
