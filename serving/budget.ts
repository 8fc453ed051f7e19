import { MerError } from '../common/errors.js';

/** A part of a budget that somebody holds. */
export interface Share {
  /** Gives back what is held beyond `amount`, or takes more whatever the limit: it is there already. */
  resize(amount: number): void;
  /** Gives all back; a second call does nothing. */
  release(): void;
}

/** Something of which there is only so much: places of uploads, places in the queue, bytes on disk. */
export class Budget {
  readonly #what: string;
  readonly #limit: number;
  #used = 0;

  /** @param what names what there are too many of, in the message to those who are refused */
  constructor(what: string, limit: number) {
    this.#what = what;
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** @throws MerError overloaded when there is not enough left */
  take(amount = 1): Share {
    if (this.#used + amount > this.#limit) {
      throw new MerError('overloaded', `The server is busy: ${this.#what}.`, 'Send the clip again in a while.');
    }
    return this.hold(amount);
  }

  /** Takes it whatever the limit: what an earlier server left is there already. */
  hold(amount: number): Share {
    let held = 0;
    const resize = (to: number): void => {
      this.#used += to - held;
      held = to;
    };
    resize(amount);
    return { resize, release: () => resize(0) };
  }
}
