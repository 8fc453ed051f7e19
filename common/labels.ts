/** The seven classes of the QIA2020/MERC2020 corpora, in the only order used anywhere in code and outputs. */
export const EMOTIONS = ['hap', 'ang', 'dis', 'fea', 'sad', 'neu', 'sur'] as const;

export type Emotion = (typeof EMOTIONS)[number];

export const EMOTION_COUNT = EMOTIONS.length;

/** The three branches of the multimodal model, in the order of the fusion's inputs and of the presence mask. */
export const MODALITIES = ['speech', 'face', 'text'] as const;

export type Modality = (typeof MODALITIES)[number];

export function isEmotion(value: string): value is Emotion {
  return (EMOTIONS as readonly string[]).includes(value);
}

/** Index 0..6 of an emotion in {@link EMOTIONS}. */
export function emotionIndex(emotion: Emotion): number {
  return EMOTIONS.indexOf(emotion);
}
