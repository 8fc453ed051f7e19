import type { Model } from '../../http/schemas.js';
import { showAnswer } from './answer-view.js';
import { Camera, whyNoCamera } from './camera.js';
import { announce, byId } from './dom.js';
import { showKeyFrames } from './key-frames.js';
import { loadModel, requireSmallEnough } from './model.js';
import { Player } from './player.js';
import { Progress } from './progress.js';
import { cancelJob, followJob, ServerError, submitJob } from './server.js';
import { showTimeline } from './timeline.js';
import { timelineWindows } from './timeline-windows.js';
import { appendWords, focusWords, forgetWords, offerWords } from './word-fields.js';

const VIEWS = ['start', 'camera', 'review', 'working', 'failed', 'result'] as const;
type View = (typeof VIEWS)[number];

const player = new Player();
const camera = new Camera((clip) => review(clip));
let clip: File | null = null;
let model: Model | null = null;
/** Ended when what is on the page makes way for something else. */
let view = new AbortController();

/** Shows one view and moves the focus to its heading, which screen readers then read. */
function show(name: View): AbortSignal {
  view.abort(new DOMException('The page shows something else.', 'AbortError'));
  view = new AbortController();
  for (const other of VIEWS) byId(other, HTMLElement).hidden = other !== name;
  byId('clip', HTMLDivElement).hidden = name === 'start' || name === 'camera';
  for (const part of ['timeline', 'key-frames', 'more']) byId(part, HTMLElement).hidden = name !== 'result';
  return view.signal;
}

function focusHeading(name: View): void {
  const heading = byId(`${name}-title`, HTMLHeadingElement);
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: 'nearest' });
}

function restart(): void {
  show('start');
  clip = null;
  player.unload();
  forgetWords();
  announce('');
  focusHeading('start');
}

function review(chosen: File): void {
  camera.close();
  show('review');
  clip = chosen;
  player.load(chosen);
  focusHeading('review');
}

function backToReview(): void {
  show('review');
  focusHeading('review');
}

function addWords(): void {
  show('review');
  focusWords();
}

async function openCamera(): Promise<void> {
  const signal = show('camera');
  focusHeading('camera');
  const hint = byId('record-hint', HTMLParagraphElement);
  hint.hidden = true;
  try {
    await camera.open();
    if (signal.aborted) camera.close();
    else byId('shutter', HTMLButtonElement).focus();
  } catch (error) {
    if (signal.aborted) return;
    restart();
    hint.textContent = error instanceof Error ? error.message : String(error);
    hint.hidden = false;
    announce(hint.textContent);
  }
}

async function analyse(): Promise<void> {
  if (clip === null) return;
  const signal = show('working');
  const progress = new Progress();
  focusHeading('working');
  let running: string | null = null;
  signal.addEventListener('abort', () => {
    if (running !== null) cancelJob(running).catch(() => {});
  });
  try {
    requireSmallEnough(clip, model);
    const form = new FormData();
    form.append('clip', clip, clip.name);
    const { window, hop } = timelineWindows(player.duration);
    form.append('window', String(window));
    form.append('hop', String(hop));
    appendWords(form);
    const { id } = await submitJob(form, (share) => progress.uploaded(share), signal);
    running = id;
    progress.show('queued');
    const answer = await followJob(id, (stage) => progress.show(stage), signal);
    running = null;
    const shown = show('result');
    showAnswer(answer, restart, model?.modalities.includes('text') ? addWords : null);
    showTimeline(answer, player, shown);
    showKeyFrames(answer, player, shown);
    focusHeading('result');
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

/** Errors that lie in the clip itself. */
const CLIP_FAULTS = new Set([
  ...['unsupported_media', 'empty_file', 'undecodable_media', 'truncated_media'],
  ...['too_large', 'nothing_to_score'],
]);

function fail(error: unknown): void {
  const told =
    error instanceof ServerError
      ? error
      : new ServerError('page', error instanceof Error ? error.message : String(error), 'Load the page again.');
  show('failed');
  byId('failed-title', HTMLHeadingElement).textContent = CLIP_FAULTS.has(told.code)
    ? 'This clip was refused'
    : 'That did not work';
  byId('failed-message', HTMLParagraphElement).textContent = told.message;
  byId('failed-remedy', HTMLParagraphElement).textContent = told.remedy;
  byId('failed-code', HTMLElement).textContent = told.code;
  announce(`${told.message} ${told.remedy}`);
  focusHeading('failed');
}

function listen(): void {
  const file = byId('file', HTMLInputElement);
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    // Emptied, so that the same file can be chosen again.
    file.value = '';
    if (chosen !== undefined) review(chosen);
  });
  const onClick = (id: string, act: () => void) => byId(id, HTMLButtonElement).addEventListener('click', act);
  onClick('record', () => void openCamera());
  onClick('leave-camera', () => {
    camera.close();
    restart();
  });
  onClick('analyse', () => void analyse());
  onClick('back', backToReview);
  onClick('cancel', () => {
    backToReview();
    announce('Cancelled.');
  });
  for (const button of document.querySelectorAll('[data-action="restart"]')) button.addEventListener('click', restart);
  listenForDrops();
}

/** A file may be dropped anywhere on the page. */
function listenForDrops(): void {
  const { classList } = document.body;
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    classList.add('dragging');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) classList.remove('dragging');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    classList.remove('dragging');
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped !== undefined) review(dropped);
  });
}

function offerCamera(): void {
  const why = whyNoCamera();
  byId('record', HTMLButtonElement).disabled = why !== null;
  const hint = byId('record-hint', HTMLParagraphElement);
  hint.textContent = why ?? '';
  hint.hidden = why === null;
}

listen();
offerCamera();
model = await loadModel();
if (model !== null) offerWords(model);
