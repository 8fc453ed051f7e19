import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { clipForm, HttpClient, NoAnswer, type Upload } from '../../benchmarks/load/http-client.js';
import { lives, ServerProcess } from '../../benchmarks/load/server-process.js';
import { Random } from '../../common/random.js';
import { type Check, difference, type Ground, never, predict, type Scenario, within } from './scenario.js';

const KILLS = { quick: 3, full: 50 };
const CLIENTS = 2;
/** One life in so many ends before the server is ready. */
const EARLY_EVERY = 6;
const MAX_DRAIN_SECONDS = 300;
/** Jobs that a client sends in one life. */
const JOBS = 3;

const jobSchema = z.object({
  id: z.string(),
  status: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  answer: z.object({ scores: z.record(z.string(), z.number()) }).optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** Servers that are killed at any moment: a job that was accepted is finished by a later one, or reported. */
export const killNine: Scenario = {
  name: 'kill-nine',
  about: `servers with jobs killed by kill -9 at ${KILLS.full} points`,
  async run(ground): Promise<Check[]> {
    const kills = ground.full ? KILLS.full : KILLS.quick;
    const random = Random.for(ground.seed, 'kill -9');
    const upload = clipForm(ground.sound);
    const accepted = new Set<string>();
    const orphans: string[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const server = spawn(ground);
      if (kill % EARLY_EVERY === EARLY_EVERY - 1) {
        await sleep(random.between(100, 2500));
        await server.stop('SIGKILL');
        continue;
      }
      await server.ready();
      const workers = server.workers;
      const before = accepted.size;
      const sending = Array.from({ length: CLIENTS }, () => sendJobs(server.url, upload, accepted));
      // In the middle of accepting, or with jobs in work.
      if (kill % 3 !== 0) await within(20, () => accepted.size > before);
      await sleep(random.between(0, kill % 3 === 0 ? 300 : 1500));
      await server.stop('SIGKILL');
      await Promise.all(sending);
      if (!(await within(5, () => !workers.some(lives)))) orphans.push(`life ${kill}`);
      ground.note(`${kill + 1} of ${kills} servers killed, ${accepted.size} jobs accepted`);
    }
    const last = spawn(ground);
    try {
      await last.ready();
      const client = new HttpClient(last.url);
      const expected = z
        .object({ scores: z.record(z.string(), z.number()) })
        .parse(JSON.parse((await predict(client, upload))?.body.toString() ?? 'null'));
      const [lost, wrong, reported]: string[][] = [[], [], []];
      for (const id of accepted) {
        const job = await finished(client, id);
        if (job === null) lost.push(id);
        else if (job.status === 'failed') reported.push(job.error?.message ?? '');
        else if (difference(job.answer?.scores, expected.scores).length > 0) wrong.push(`${id} ${job.status}`);
      }
      client.dispose();
      const among = `${accepted.size} jobs`;
      return [
        { promise: 'jobs were accepted', found: `${accepted.size}`, kept: accepted.size >= kills / 2 },
        never('every job that was accepted is finished or reported', lost, `${among} over ${kills} kills`),
        never('what is finished has its right answer', wrong, `${among}, ${reported.length} reported as failed`),
        never(
          'a job is reported as failed only when servers ended three times while they worked on it',
          reported.filter((message) => !/ended 3 times/.test(message)),
          among,
        ),
        never('the processes of a killed server end by themselves', orphans, `${kills} kills`),
        never('the last server logs no error', last.errors, 'its log'),
      ];
    } finally {
      await last.stop('SIGKILL');
    }
  },
};

function spawn(ground: Ground): ServerProcess {
  const flags = ['--data_dir', path.join(ground.folder, 'data')];
  return ServerProcess.spawn({ bundleDir: ground.bundleDir, temporaryDir: ground.folder, flags });
}

/** Sends jobs, one after the other, until the server is gone; keeps the ids of those that it accepted. */
async function sendJobs(url: string, upload: Upload, accepted: Set<string>): Promise<void> {
  const client = new HttpClient(url, false);
  try {
    for (let job = 0; job < JOBS; job++) {
      const { status, body } = await client.call({ method: 'POST', path: '/v1/jobs', upload });
      if (status === 202) accepted.add(jobSchema.parse(JSON.parse(body.toString())).id);
    }
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  } finally {
    client.dispose();
  }
}

/** The job when it is over; null when the server does not know it or does not come to an end with it. */
async function finished(client: HttpClient, id: string): Promise<z.infer<typeof jobSchema> | null> {
  let job: z.infer<typeof jobSchema> | null = null;
  const over = await within(MAX_DRAIN_SECONDS, async () => {
    const { status, body } = await client.call({ method: 'GET', path: `/v1/jobs/${id}` });
    job = status === 200 ? jobSchema.parse(JSON.parse(body.toString())) : null;
    return job === null || !['queued', 'running'].includes(job.status);
  });
  return over ? job : null;
}
