import type { Answer } from '../../answer.js';
import { announce, byId, element, styled } from './dom.js';
import {
  EMOTION_NAMES,
  faceIcon,
  MODALITIES,
  MODALITY_NAMES,
  type Modality,
  type Scores,
  scoreEntries,
} from './emotions.js';
import { percent, seconds, sentence } from './words.js';

/**
 * The answer beside the player, and a card for each modality below.
 * @param onRestart takes another clip
 * @param onAddWords takes words for this one; null where the model knows none
 */
export function showAnswer(answer: Answer, onRestart: () => void, onAddWords: (() => void) | null): void {
  const { emotion, confidence, scores, disagree } = answer;
  const name = EMOTION_NAMES[emotion];
  byId('result', HTMLElement).replaceChildren(
    element(
      'div',
      { className: 'verdict' },
      faceIcon(emotion),
      element(
        'div',
        {},
        element('h1', { id: 'result-title', tabIndex: -1 }, name),
        element('p', { className: 'quiet' }, `${percent(confidence)} · ${basis(answer)}`),
      ),
    ),
    bars(scores, 'All together'),
    ...(disagree ? [element('p', { className: 'notice' }, disagreement(answer))] : []),
    ...(answer.warnings ?? []).map((warning) => element('p', { className: 'notice' }, sentence(warning))),
    element(
      'div',
      { className: 'actions' },
      element('button', { type: 'button', className: 'button primary', onclick: onRestart }, 'Take another clip'),
      element('button', { type: 'button', className: 'button', onclick: () => save(answer) }, 'Save the answer'),
    ),
  );
  byId('more', HTMLDivElement).replaceChildren(
    element(
      'div',
      { className: 'modalities' },
      ...MODALITIES.map((modality) => modalityCard(answer, modality, onAddWords)),
    ),
    details(answer),
  );
  announce(`${name}, ${percent(confidence)}. ${spokenSummary(answer)}`);
}

function usedModalities({ modalities }: Answer): Modality[] {
  return MODALITIES.filter((modality) => modalities[modality].status === 'used');
}

function basis(answer: Answer): string {
  const names = usedModalities(answer).map((modality) => MODALITY_NAMES[modality].toLowerCase());
  return `from ${names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : `${names[0]} alone`}`;
}

function readings({ modalities }: Answer): string[] {
  return MODALITIES.flatMap((modality) => {
    const part = modalities[modality];
    return part.status === 'used'
      ? [`${MODALITY_NAMES[modality].toLowerCase()} ${EMOTION_NAMES[part.emotion].toLowerCase()}`]
      : [];
  });
}

function disagreement(answer: Answer): string {
  return `They do not agree: ${readings(answer).join(', ')}.`;
}

function spokenSummary(answer: Answer): string {
  return MODALITIES.map((modality) => {
    const part = answer.modalities[modality];
    const said = part.status === 'used' ? EMOTION_NAMES[part.emotion] : `not used, ${part.reason}`;
    return `${MODALITY_NAMES[modality]}: ${said}.`;
  }).join(' ');
}

/** One bar a class, always in the same order, so that lists can be compared. The highest is marked in bold. */
function bars(scores: Scores, label: string): HTMLElement {
  const entries = scoreEntries(scores);
  const top = Math.max(...entries.map(([, score]) => score));
  return element(
    'ul',
    { className: 'bars', ariaLabel: `Scores: ${label}` },
    ...entries.map(([emotion, score]) =>
      element(
        'li',
        { className: score === top ? `${emotion} top-score` : emotion },
        element('span', {}, EMOTION_NAMES[emotion]),
        element('span', { className: 'track' }, styled(element('span', { className: 'fill' }), { '--share': score })),
        element('span', { className: 'share' }, percent(score)),
      ),
    ),
  );
}

function modalityCard(answer: Answer, modality: Modality, onAddWords: (() => void) | null): HTMLElement {
  const part = answer.modalities[modality];
  const title = element('h2', {}, MODALITY_NAMES[modality]);
  if (part.status !== 'used') {
    const badge = part.status === 'missing' ? 'Not there' : 'Failed';
    return element(
      'section',
      { className: 'card modality unused' },
      element('header', {}, title, element('span', { className: 'badge' }, badge)),
      // The code before the reason, as in `no_model: …`, is for programs.
      element('p', {}, sentence(part.reason.replace(/^[a-z_]+: /, ''))),
      element('p', { className: 'quiet' }, 'The answer does without.'),
      modality === 'text' && onAddWords !== null
        ? element('button', { type: 'button', className: 'button', onclick: onAddWords }, 'Add the words')
        : null,
    );
  }
  return element(
    'section',
    { className: 'card modality' },
    element(
      'header',
      {},
      title,
      element('p', { className: 'reading' }, faceIcon(part.emotion), EMOTION_NAMES[part.emotion]),
    ),
    bars(part.scores, MODALITY_NAMES[modality]),
    without(answer, modality),
  );
}

function without(answer: Answer, modality: Modality): HTMLElement | null {
  const rest = answer.without[modality];
  if (rest === undefined) return null;
  const name = EMOTION_NAMES[rest.emotion].toLowerCase();
  const share = percent(rest.scores[rest.emotion]);
  const stays = rest.emotion === answer.emotion;
  return element(
    'p',
    { className: 'without' },
    `Without the ${MODALITY_NAMES[modality].toLowerCase()} the answer ${stays ? 'stays' : 'would be'} `,
    element('strong', {}, name),
    ` (${share}).`,
  );
}

const STAGE_NAMES: Record<keyof Answer['timings'], string> = {
  queued: 'Waiting',
  decode: 'Reading the clip',
  audio: 'Voice',
  faces: 'Faces',
  inference: 'Networks',
  total: 'In all',
};

function details(answer: Answer): HTMLElement {
  const { model, timings, calibrated } = answer;
  const facts = [
    ['Model', `${model.name} ${model.version}`],
    ['Runs on', model.device],
    ['Clip', seconds(answer.seconds.clip)],
    ['Used', seconds(answer.seconds.used)],
    ['Scores', calibrated ? 'calibrated on validation clips' : 'not calibrated'],
    ...Object.entries(STAGE_NAMES).map(([stage, name]) => [
      name,
      `${timings[stage as keyof Answer['timings']].toFixed(2)} s`,
    ]),
  ] as const;
  return element(
    'details',
    { className: 'card details' },
    element('summary', {}, 'About this answer'),
    element(
      'dl',
      {},
      ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name!), element('dd', {}, value!))),
    ),
  );
}

/** Hands the answer out as a JSON file. */
function save(answer: Answer): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(answer, null, 2)], { type: 'application/json' }));
  element('a', { href: url, download: 'answer.json' }).click();
  URL.revokeObjectURL(url);
}
