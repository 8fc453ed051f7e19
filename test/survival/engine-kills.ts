import { setTimeout as sleep } from 'node:timers/promises';
import { clipForm, HttpClient } from '../../benchmarks/load/http-client.js';
import { Random } from '../../common/random.js';
import {
  atMost,
  type Check,
  difference,
  never,
  predict,
  type Scenario,
  startServer,
  verdictOf,
  within,
} from './scenario.js';

const KILLS = { quick: 3, full: 20 };
const CLIENTS = 4;
const MAX_SECONDS = 5;
/** Refusals that tell a client to come again. */
const COME_AGAIN = new Set([429, 503]);
/** What a clip is told that was in work at two kills: it may be the one that ends the processes. */
const SUSPECTED = /second one that this clip ended/;

/** Processes of the engine that are killed under load, as the kernel does when memory runs out. */
export const engineKills: Scenario = {
  name: 'engine-kills',
  about: `processes of the engine killed ${KILLS.full} times under load`,
  async run(ground): Promise<Check[]> {
    const kills = ground.full ? KILLS.full : KILLS.quick;
    const server = await startServer(ground);
    const client = new HttpClient(server.url);
    const rest = server.usage.temporaryFiles;
    const counts = { answered: 0, refused: 0, suspected: 0 };
    const wrong: string[] = [];
    let working = true;
    try {
      const uploads = [clipForm(ground.face), clipForm(ground.sound)];
      const expected = await Promise.all(uploads.map(async (upload) => verdictOf(await predict(client, upload))));
      const load = async (index: number) => {
        while (working) {
          const kind = index % 2;
          const reply = await predict(client, uploads[kind]!);
          const found = difference(verdictOf(reply), expected[kind]);
          if (found.length === 0) counts.answered++;
          else if (reply && COME_AGAIN.has(reply.status)) {
            counts.refused++;
            await sleep(200);
          } else if (SUSPECTED.test(reply?.body.toString() ?? '')) counts.suspected++;
          else wrong.push(`${found[0]}, ${reply?.body.toString().slice(0, 200) ?? ''}`);
        }
      };
      const clients = Array.from({ length: CLIENTS }, (_, index) => load(index));
      const random = Random.for(ground.seed, 'engine kills');
      const outages: number[] = [];
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(200, 800));
        const before = server.workers;
        const victim = random.pick(before);
        const start = performance.now();
        process.kill(victim, 'SIGKILL');
        const whole = () => server.workers.length === before.length && !server.workers.includes(victim);
        const back = await within(30, async () => whole() && (await isReady(client)));
        outages.push(back ? (performance.now() - start) / 1000 : Number.POSITIVE_INFINITY);
        ground.note(`${kill + 1} of ${kills} kills: back after ${outages.at(-1)?.toFixed(1)} s`);
      }
      working = false;
      await Promise.all(clients);
      const { answered, refused, suspected } = counts;
      const all = answered + refused + suspected + wrong.length;
      const requests = `${all} requests (${refused} to come again, ${suspected} in work at two kills)`;
      return [
        never('every request gets its right answer or is told why not', wrong, requests),
        // A quick check shares the machine with other tests.
        atMost('longest time until all is ready again', Math.max(...outages), ground.full ? MAX_SECONDS : 30, 's'),
        atMost('no temporary file is left over', server.usage.temporaryFiles - rest, 0),
      ];
    } finally {
      working = false;
      client.dispose();
      await server.stop('SIGKILL');
    }
  },
};

async function isReady(client: HttpClient): Promise<boolean> {
  const { status } = await client.call({ method: 'GET', path: '/health/ready' });
  return status === 200;
}
