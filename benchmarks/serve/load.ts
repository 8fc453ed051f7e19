import { z } from 'zod';
import { WorkerProcess } from '../../common/worker-process.js';
import type { HttpClient } from '../load/http-client.js';
import { closedLoop } from '../load/loops.js';
import { quantile, type Summary, summarise } from '../statistics.js';
import { answerClip } from './answers.js';
import type { BenchClip } from './clips.js';
import type { Load } from './protocol.js';

/** Rounds of the server and of the bare engine in turn. */
const ROUNDS = 3;

/** So many clients for so many seconds, each of which sends the clip again when it has its answer. */
export async function measureLoad(
  client: HttpClient,
  clip: BenchClip,
  clients: number,
  seconds: number,
): Promise<Load> {
  const waited: number[] = [];
  await eventLoopDelay(client);
  const { count, seconds: taken } = await closedLoop(clients, { seconds }, async () => {
    waited.push((await answerClip(client, clip)).seconds);
  });
  return {
    clients,
    answered: count,
    clipsPerSecond: count / taken,
    p50: quantile(waited, 0.5),
    p99: quantile(waited, 0.99),
    eventLoopP99: await eventLoopDelay(client),
  };
}

/** The p99 delay of the server's event loop in seconds, since it was last asked. */
async function eventLoopDelay(client: HttpClient): Promise<number> {
  const { body } = await client.call({ method: 'GET', path: '/metrics' });
  const [, value] = body.toString().match(/^mer_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/m) ?? [];
  return z.coerce.number().parse(value);
}

/**
 * The server's throughput beside that of a bare engine, in turns: the same processes and settings, the same clip and
 * as many clips at once, which the bare one reads from disk.
 */
export async function measureEngine(
  client: HttpClient,
  clip: BenchClip,
  options: { bundleDir: string; threads: number; words: string; clients: number; seconds: number },
): Promise<{ clients: number; server: Summary; bare: Summary }> {
  const { bundleDir, threads, words, clients, seconds } = options;
  const { worker } = await WorkerProcess.start({
    name: 'bare engine',
    module: new URL('./engine-child.js', import.meta.url),
    config: { bundleDir, threads },
  });
  try {
    const measureBare = async (duration: number) =>
      z.number().parse(await worker.execute({ clip: clip.file, words, clients, seconds: duration }));
    await measureBare(1);
    await measureLoad(client, clip, clients, 1);
    const [server, bare]: number[][] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await measureBare(seconds));
      server.push((await measureLoad(client, clip, clients, seconds)).clipsPerSecond);
    }
    return { clients, server: summarise(server), bare: summarise(bare) };
  } finally {
    await worker.kill();
  }
}
