import { clipForm, HttpClient } from '../../benchmarks/load/http-client.js';
import { closedLoop } from '../../benchmarks/load/loops.js';
import type { Usage } from '../../benchmarks/load/server-process.js';
import { median } from '../../benchmarks/statistics.js';
import { Random } from '../../common/random.js';
import {
  atMost,
  type Check,
  difference,
  never,
  predict,
  type Scenario,
  startServer,
  type Verdict,
  verdictOf,
  within,
} from './scenario.js';

const REQUESTS = { quick: 40, full: 2000 };
const CLIENTS = 6;
/** One clip in so many has pictures, the others are sound alone. */
const FACE_EVERY = 8;
const MAX_GROWTH = 0.05;
/** Connections that a client keeps open. */
const MAX_MORE_DESCRIPTORS = CLIENTS;

/** A long time under load: every request is answered as the first one of its clip was, and nothing grows. */
export const soak: Scenario = {
  name: 'soak',
  about: `${REQUESTS.full} requests of ${CLIENTS} clients`,
  async run(ground): Promise<Check[]> {
    const count = ground.full ? REQUESTS.full : REQUESTS.quick;
    const server = await startServer(ground, ['--preprocess_workers', '2']);
    const client = new HttpClient(server.url);
    try {
      const uploads = { face: clipForm(ground.face), sound: clipForm(ground.sound) };
      const expected: Record<'face' | 'sound', Verdict> = { face: '', sound: '' };
      for (const kind of ['face', 'sound', 'face', 'sound'] as const) {
        expected[kind] = verdictOf(await predict(client, uploads[kind]));
      }
      const random = Random.for(ground.seed, 'soak');
      const wrong: string[] = [];
      const resident: number[] = [];
      const rest = server.usage;
      await closedLoop(CLIENTS, { count }, async (index) => {
        const kind = random.integer(FACE_EVERY) === 0 ? 'face' : 'sound';
        const found = difference(verdictOf(await predict(client, uploads[kind])), expected[kind]);
        if (found.length > 0) wrong.push(`request ${index}: ${found[0]}`);
        resident.push(server.usage.residentBytes);
        if (index % 200 === 199) ground.note(`${index + 1} of ${count} requests`);
      });
      const flat = (usage: Usage) =>
        usage.temporaryFiles <= rest.temporaryFiles && usage.descriptors <= rest.descriptors + MAX_MORE_DESCRIPTORS;
      await within(10, () => flat(server.usage));
      const end = server.usage;
      const growth = growthOfSecondHalf(resident);
      return [
        never('every request is answered as the first one of its clip', wrong, `${count} requests`),
        {
          promise: `resident memory grows by at most ${100 * MAX_GROWTH} % in the second half`,
          found: `${(100 * growth).toFixed(1)} % of ${(median(resident) / 2 ** 20).toFixed(0)} MB`,
          // A quick check is over before the heaps of the processes have found their size.
          kept: growth <= MAX_GROWTH || !ground.full,
        },
        atMost(
          'no open file or socket is left over but those of its clients',
          Math.max(0, end.descriptors - rest.descriptors),
          MAX_MORE_DESCRIPTORS,
        ),
        atMost('no temporary file is left over', end.temporaryFiles - rest.temporaryFiles, 0),
        never('the server logs no error', server.errors, 'its log'),
      ];
    } finally {
      client.dispose();
      await server.stop('SIGKILL');
    }
  },
};

/** The last tenth of the samples against the tenth in the middle, by their medians. */
function growthOfSecondHalf(samples: readonly number[]): number {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const middle = Math.floor(samples.length / 2);
  return median(samples.slice(-tenth)) / median(samples.slice(middle, middle + tenth)) - 1;
}
