import { MerError } from '../../common/errors.js';
import type { Place } from './predict-options.js';

/** A fixed number of places for clips. */
export class Places {
  readonly capacity: number;
  #taken = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @throws MerError overloaded when there is none left */
  take(): Place {
    if (this.#taken >= this.capacity) {
      throw new MerError('overloaded', `${this.#taken} clips are in work or wait.`, 'Send the clip again in a while.');
    }
    this.#taken += 1;
    let held = true;
    return {
      release: () => {
        if (held) this.#taken -= 1;
        held = false;
      },
    };
  }
}
