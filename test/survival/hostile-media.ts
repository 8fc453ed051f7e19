import fsp from 'node:fs/promises';
import path from 'node:path';
import { clipForm, HttpClient } from '../../benchmarks/load/http-client.js';
import { closedLoop } from '../../benchmarks/load/loops.js';
import { hostileFiles } from './hostile-files.js';
import { MediaBases } from './media-bases.js';
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

/** A quick check takes one file in so many. */
const QUICK_STEP = 12;
const CLIENTS = 3;
const MAX_SECONDS = 10;

/** Files that are damaged, forged or no media at all: each is answered or refused, and nothing breaks. */
export const hostileMedia: Scenario = {
  name: 'hostile-media',
  about: 'more than 300 malformed and hostile media files',
  async run(ground): Promise<Check[]> {
    const own = await fsp.mkdtemp(path.join(ground.folder, '..', 'mer-hostile-'));
    const secret = path.join(own, 'secret.mp4');
    await fsp.writeFile(secret, ground.face);
    const bases = new MediaBases(own);
    const all = hostileFiles(ground.seed, secret);
    const files = ground.full ? all : all.filter((_, index) => index % QUICK_STEP === 0);
    const server = await startServer(ground, ['--preprocess_workers', '2']);
    const client = new HttpClient(server.url, false);
    try {
      const good = clipForm(ground.face);
      const expected = verdictOf(await predict(client, good));
      const rest = server.usage;
      const workers = server.workers.join();
      const [wrong, read, slow]: string[][] = [[], [], []];
      const statuses: Record<string, number> = {};
      let slowest = 0;
      await closedLoop(CLIENTS, { count: files.length }, async (index) => {
        const file = files[index]!;
        const upload = clipForm(await file.make(bases));
        const reply = await predict(client, upload);
        const status = reply?.status ?? 0;
        statuses[status] = (statuses[status] ?? 0) + 1;
        slowest = Math.max(slowest, reply?.seconds ?? 0);
        if (status < 200 || status >= 500) wrong.push(`${file.name}: ${status} ${reply?.body.toString() ?? ''}`);
        if (file.attack && status === 200) read.push(file.name);
        if ((reply?.seconds ?? 0) > MAX_SECONDS) slow.push(`${file.name}: ${reply?.seconds.toFixed(1)} s`);
        if (index % 50 === 49) ground.note(`${index + 1} of ${files.length} files`);
      });
      const clean = await within(10, () => server.usage.temporaryFiles <= rest.temporaryFiles);
      const idle = await within(5, () => server.decoders.length === 0);
      const after = verdictOf(await predict(client, good));
      const counts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
      const among = `${files.length} files (${counts.join(', ')})`;
      return [
        never('every file is answered or refused: no 5xx, no broken connection', wrong, among),
        never('no other file is read for one', read, `${files.filter(({ attack }) => attack).length} attacks`),
        { ...never(`none takes longer than ${MAX_SECONDS} s`, slow, `the slowest ${slowest.toFixed(1)} s`) },
        never('no process of the engine ended', server.workers.join() === workers ? [] : ['one did'], among),
        { promise: 'no decoder runs on', found: idle ? 'none' : 'some', kept: idle },
        { promise: 'no temporary file is left over', found: clean ? 'none' : 'some', kept: clean },
        never('a good clip is answered as before', difference(after, expected), 'one clip'),
        atMost('errors that the server logs', server.errors.length, 0),
      ];
    } finally {
      client.dispose();
      await server.stop('SIGKILL');
      await fsp.rm(own, { recursive: true, force: true });
    }
  },
};
