import type { Answer } from '../../answer.js';
import { byId, element, styled } from './dom.js';
import { EMOTION_NAMES, type Emotion, MODALITIES, MODALITY_NAMES, type Scores } from './emotions.js';
import type { Player } from './player.js';
import { percent, seconds } from './words.js';

interface Part {
  emotion: Emotion;
  scores: Scores;
}

/** What one window stands for: windows overlap, so each is shown around its middle, up to halfway to its neighbours. */
interface Segment {
  from: number;
  to: number;
  integrated: Part;
  modalities: NonNullable<Answer['timeline']>[number]['modalities'];
}

function segmentsOf(timeline: NonNullable<Answer['timeline']>, length: number): Segment[] {
  const middles = timeline.map(({ start, end }) => (start + end) / 2);
  return timeline.map(({ emotion, scores, modalities }, index) => ({
    from: index === 0 ? 0 : (middles[index - 1]! + middles[index]!) / 2,
    to: index === timeline.length - 1 ? length : (middles[index]! + middles[index + 1]!) / 2,
    integrated: { emotion, scores },
    modalities,
  }));
}

/** The emotion over time under the player, with a cursor that follows playback and can be moved. */
export function showTimeline(answer: Answer, player: Player, signal: AbortSignal): void {
  const box = byId('timeline', HTMLDivElement);
  const { timeline = [] } = answer;
  box.hidden = timeline.length === 0;
  if (box.hidden) return;
  const length = Math.max(answer.seconds.clip, ...timeline.map(({ end }) => end));
  const segments = segmentsOf(timeline, length);
  const readout = element('p', { className: 'quiet', id: 'moment' });
  const seek = element('input', {
    type: 'range',
    className: 'seek',
    min: '0',
    max: String(length),
    step: '0.1',
    ariaLabel: 'Moment of the clip',
    oninput: () => player.seek(seek.valueAsNumber),
  });
  const cursor = element('div', { className: 'cursor' });
  const lanes = [
    ...lane('All', 'integrated', segments, length, ({ integrated }) => integrated, player),
    ...MODALITIES.filter((modality) => segments.some((segment) => segment.modalities[modality])).flatMap((modality) =>
      lane(MODALITY_NAMES[modality], modality, segments, length, (segment) => segment.modalities[modality], player),
    ),
  ];
  box.replaceChildren(
    element(
      'section',
      { className: 'timeline' },
      element('div', { className: 'heading' }, element('h3', {}, 'Over time'), readout),
      element(
        'div',
        { className: 'lanes' },
        ...lanes,
        element('span', { className: 'lane-name', ariaHidden: 'true' }, seconds(length)),
        seek,
        element('div', { className: 'cursor-field', ariaHidden: 'true' }, cursor),
      ),
      element('details', {}, element('summary', {}, 'As a table'), table(timeline)),
    ),
  );
  player.follow((time) => {
    const at = Math.min(time, length);
    const segment = segments.find(({ to }) => at < to) ?? segments.at(-1)!;
    const { emotion, scores } = segment.integrated;
    const moment = `${seconds(at)}: ${EMOTION_NAMES[emotion]}, ${percent(scores[emotion])}`;
    styled(cursor, { '--at': at / length });
    seek.value = String(at);
    seek.setAttribute('aria-valuetext', moment);
    readout.textContent = moment;
  }, signal);
}

/**
 * One row: its name, a segment a window, the paler the less sure, and the emotion's name once for all neighbours that
 * share it. A click goes to that moment; the slider does the same from the keyboard.
 */
function lane(
  name: string,
  kind: string,
  segments: readonly Segment[],
  length: number,
  part: (segment: Segment) => Part | undefined,
  player: Player,
): HTMLElement[] {
  const row = element('div', { className: `lane ${kind}`, ariaHidden: 'true' });
  const place = (piece: HTMLElement, from: number, to: number) =>
    styled(piece, { '--from': from / length, '--to': to / length });
  let run: { emotion: Emotion; from: number; label: HTMLElement } | undefined;
  for (const segment of segments) {
    const { from, to } = segment;
    const shown = part(segment);
    if (shown === undefined) {
      run = undefined;
      continue;
    }
    const { emotion, scores } = shown;
    const title = `${seconds(from)} to ${seconds(to)}: ${EMOTION_NAMES[emotion]}, ${percent(scores[emotion])}`;
    const piece = element('div', { className: `segment ${emotion}`, title });
    row.append(styled(place(piece, from, to), { '--share': scores[emotion] }));
    if (run?.emotion !== emotion) run = { emotion, from, label: runLabel(emotion) };
    // Moved behind the latest segment, and so on top of it.
    row.append(place(run.label, run.from, to));
  }
  row.addEventListener('click', (event) => {
    const { left, width } = row.getBoundingClientRect();
    player.seek(((event.clientX - left) / width) * length);
  });
  return [element('span', { className: 'lane-name', ariaHidden: 'true' }, name), row];
}

/** The whole name where it fits, else the three letters of the class. */
function runLabel(emotion: Emotion): HTMLElement {
  return element(
    'div',
    { className: 'run' },
    element('span', { className: 'word' }, EMOTION_NAMES[emotion]),
    element('span', { className: 'letters' }, emotion),
  );
}

function table(timeline: NonNullable<Answer['timeline']>): HTMLElement {
  const cell = (part: Part | undefined) =>
    element(
      'td',
      {},
      part === undefined ? '–' : `${EMOTION_NAMES[part.emotion]}, ${percent(part.scores[part.emotion])}`,
    );
  const head = ['Seconds', 'All', ...MODALITIES.map((modality) => MODALITY_NAMES[modality])];
  const rows = timeline.map((entry) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, `${entry.start.toFixed(1)} to ${entry.end.toFixed(1)}`),
      cell(entry),
      ...MODALITIES.map((modality) => cell(entry.modalities[modality])),
    ),
  );
  return element(
    'div',
    { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'The emotion over time' },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text)))),
      element('tbody', {}, ...rows),
    ),
  );
}
