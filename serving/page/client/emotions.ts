import type { Answer } from '../../answer.js';
import { svg } from './dom.js';

export type Emotion = Answer['emotion'];
export type Scores = Answer['scores'];
export type Modality = keyof Answer['modalities'];

export const EMOTION_NAMES: Record<Emotion, string> = {
  hap: 'Happy',
  ang: 'Angry',
  dis: 'Disgusted',
  fea: 'Fearful',
  sad: 'Sad',
  neu: 'Neutral',
  sur: 'Surprised',
};

export const MODALITY_NAMES: Record<Modality, string> = { face: 'Face', speech: 'Voice', text: 'Words' };

/** In the order in which the page shows them. */
export const MODALITIES: readonly Modality[] = ['face', 'speech', 'text'];

/** The scores in the order of the classes, which is the order of the answer's keys. */
export function scoreEntries(scores: Scores): [Emotion, number][] {
  return (Object.keys(EMOTION_NAMES) as Emotion[]).map((emotion) => [emotion, scores[emotion]]);
}

/** Lines of each face in a box of 48 x 48. Eyes are circles where no line is drawn for them. */
const FACES: Record<Emotion, { lines: string; eyes?: number; mouth?: [number, number] }> = {
  hap: { lines: 'M13 21q4-5 8 0M27 21q4-5 8 0M14 29q10 11 20 0' },
  ang: { lines: 'M12 14l9 4M36 14l-9 4M16 35q8-7 16 0', eyes: 2.4 },
  dis: { lines: 'M12 16l9 1M36 15l-9 2M13 21h8M27 21h8M15 33q4.5-5 9 0t9 0' },
  fea: { lines: 'M12 17l8-4M36 17l-8-4M15 35l4.5-4 4.5 4 4.5-4 4.5 4', eyes: 3.2 },
  sad: { lines: 'M12 18l8-4M36 18l-8-4M16 35q8-7 16 0M34 26q3 4 0 5.5q-3-1.500 0-5.500', eyes: 2.2 },
  neu: { lines: 'M16 32h16', eyes: 2.6 },
  sur: { lines: 'M12 14q4-4 9-1M36 14q-4-4-9-1', eyes: 2.8, mouth: [4.5, 5.5] },
};

/** A small drawn face. It stands beside the emotion's name and is hidden from screen readers. */
export function faceIcon(emotion: Emotion): SVGElement {
  const { lines, eyes, mouth } = FACES[emotion];
  const eye = (x: number, radius: number) => svg('circle', { class: 'eye', cx: `${x}`, cy: '22', r: `${radius}` });
  return svg(
    'svg',
    { class: `face-icon ${emotion}`, viewBox: '0 0 48 48', 'aria-hidden': 'true' },
    svg('circle', { class: 'disc', cx: '24', cy: '24', r: '21.5' }),
    svg('path', { d: lines }),
    ...(eyes === undefined ? [] : [eye(17, eyes), eye(31, eyes)]),
    ...(mouth === undefined ? [] : [svg('ellipse', { cx: '24', cy: '33', rx: `${mouth[0]}`, ry: `${mouth[1]}` })]),
  );
}
