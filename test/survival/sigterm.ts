import { setTimeout as sleep } from 'node:timers/promises';
import { clipForm, HttpClient } from '../../benchmarks/load/http-client.js';
import { lives, temporaryFiles } from '../../benchmarks/load/server-process.js';
import { Random } from '../../common/random.js';
import { type Check, difference, never, predict, type Scenario, startServer, verdictOf } from './scenario.js';

const CYCLES = { quick: 2, full: 20 };
const CLIENTS = 5;

/** Servers that are told to stop under load: what they have begun they finish, and they leave nothing behind. */
export const sigterm: Scenario = {
  name: 'sigterm',
  about: `${CYCLES.full} servers stopped by SIGTERM under load`,
  async run(ground): Promise<Check[]> {
    const cycles = ground.full ? CYCLES.full : CYCLES.quick;
    const random = Random.for(ground.seed, 'sigterm');
    const upload = clipForm(ground.face);
    const lost: string[] = [];
    const exits: string[] = [];
    const left: string[] = [];
    let [answered, refused] = [0, 0];
    for (let cycle = 0; cycle < cycles; cycle++) {
      const server = await startServer(ground);
      // With connections that are kept open, as proxies keep them, in every second cycle.
      const client = new HttpClient(server.url, cycle % 2 === 1);
      const expected = verdictOf(await predict(client, upload));
      let stopping = false;
      const load = async () => {
        while (!stopping) {
          const reply = await predict(client, upload);
          if (difference(verdictOf(reply), expected).length === 0) answered++;
          else if (reply?.status === 503 || reply?.status === 429) refused++;
          else lost.push(`cycle ${cycle}: ${reply ? reply.status : 'no answer'}`);
        }
      };
      const clients = Array.from({ length: CLIENTS }, load);
      await sleep(random.between(100, 1200));
      const processes = [...server.workers, ...server.decoders];
      stopping = true;
      const { code, signal } = await server.stop();
      await Promise.all(clients);
      client.dispose();
      if (code !== 0) exits.push(`cycle ${cycle}: ${signal ?? `code ${code}`}`);
      const running = processes.filter(lives).length;
      if (running > 0) left.push(`cycle ${cycle}: ${running} processes`);
      left.push(...temporaryFiles(ground.folder));
      ground.note(`${cycle + 1} of ${cycles} servers stopped`);
    }
    const requests = `${answered + refused + lost.length} requests (${refused} refused)`;
    return [
      never('every request that was sent before the signal is answered', lost, requests),
      never('the server ends with code 0', exits, `${cycles} stops`),
      never('neither process nor file is left', left, `${cycles} stops`),
    ];
  },
};
