import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { runChild } from '../../common/child-main.js';
import { MerError } from '../../common/errors.js';

/** A child process for tests of the pool: it does as each request says. */
runChild({
  configSchema: z.object({ refuse: z.boolean().default(false) }),
  requestSchema: z.enum(['pid', 'slow pid', 'hang', 'hang until told', 'die', 'fail']),
  async setUp({ refuse }) {
    if (refuse) throw new MerError('missing_part', 'It lacks a part.', 'Install it.');
    return {
      info: 'ready',
      async handle(request, { signal }): Promise<number> {
        if (request === 'die') process.kill(process.pid, 'SIGKILL');
        if (request === 'fail') throw new MerError('bad_words', 'These are no words.', 'Give words.');
        if (request === 'hang') await new Promise(() => {});
        if (request === 'hang until told') await once(signal, 'abort');
        if (request === 'slow pid') await sleep(200);
        return process.pid;
      },
    };
  },
});
