import type { Answer } from '../../answer.js';
import { byId, element } from './dom.js';
import { drawFrames, type Player } from './player.js';
import { percent, seconds } from './words.js';

/** Pixels of a drawn frame: twice its size on the page, for sharp screens. */
const [WIDTH, HEIGHT] = [256, 192];

/** The frames that the face network weighed most, drawn from the clip in the browser. A press shows one in the player. */
export function showKeyFrames(answer: Answer, player: Player, signal: AbortSignal): void {
  const box = byId('key-frames', HTMLElement);
  const keyFrames = answer.keyFrames ?? [];
  box.hidden = keyFrames.length === 0;
  if (box.hidden) return;
  const frames = keyFrames.map(({ time, share }) => {
    const canvas = element('canvas', { width: WIDTH, height: HEIGHT });
    const spoken = (text: string) => element('span', { className: 'visually-hidden' }, text);
    const caption = element(
      'span',
      { className: 'caption' },
      spoken('Show the frame at '),
      element('span', { className: 'time' }, seconds(time)),
      spoken(', '),
      element('span', {}, percent(share)),
      spoken(' of the attention'),
    );
    const button = element('button', { type: 'button', onclick: () => player.seek(time) }, canvas, caption);
    return { time, canvas, button };
  });
  box.replaceChildren(
    element('h2', { id: 'key-frames-title' }, 'Frames that counted most'),
    element('p', { className: 'quiet' }, 'The moment of each, and its share of the face network’s attention.'),
    element('ul', { className: 'key-frames' }, ...frames.map(({ button }) => element('li', {}, button))),
  );
  if (player.url === null) return;
  drawFrames(player.url, frames, signal).catch(() => {
    // A clip that this browser cannot play: the times are shown all the same.
    for (const { canvas } of frames) if (!signal.aborted) canvas.hidden = true;
  });
}
