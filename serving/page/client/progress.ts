import { announce, byId, element } from './dom.js';
import type { Stage } from './server.js';
import { percent } from './words.js';

type Step = 'upload' | Stage;

const STEP_NAMES: Record<Step, string> = {
  upload: 'Sending the clip',
  queued: 'Waiting for a free place',
  decode: 'Reading pictures and sound',
  audio: 'Listening to the voice',
  faces: 'Looking for the face',
  inference: 'Reading the emotion',
};
const STEPS = Object.keys(STEP_NAMES) as Step[];

/** The stages of the work as a list, of which one is under way. */
export class Progress {
  readonly #items = new Map<Step, HTMLLIElement>();
  readonly #bar = element('progress', { max: 1, value: 0, ariaLabel: 'Sent' });
  readonly #share = element('span', {}, '');

  constructor() {
    const items = STEPS.map((step) => {
      const mark = element('span', { className: 'mark', ariaHidden: 'true' });
      const extra = step === 'upload' ? [this.#share, this.#bar] : [];
      const item = element('li', {}, mark, element('span', {}, STEP_NAMES[step]), ...extra);
      this.#items.set(step, item);
      return item;
    });
    byId('steps', HTMLOListElement).replaceChildren(...items);
    this.show('upload');
  }

  uploaded(share: number): void {
    this.#bar.value = share;
    this.#share.textContent = percent(share);
    if (share >= 1) this.#bar.hidden = true;
  }

  /** Stages may be passed over; all before `step` count as done. */
  show(step: Step): void {
    const at = STEPS.indexOf(step);
    for (const [index, name] of STEPS.entries()) {
      const item = this.#items.get(name)!;
      item.dataset.state = index < at ? 'done' : index === at ? 'now' : 'later';
      item.ariaCurrent = index === at ? 'step' : null;
      item.querySelector('.mark')!.textContent = index < at ? '✓' : '';
    }
    if (step !== 'upload') this.uploaded(1);
    announce(STEP_NAMES[step]);
  }
}
