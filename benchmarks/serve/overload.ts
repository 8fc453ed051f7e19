import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient, NoAnswer } from '../load/http-client.js';
import { openLoop } from '../load/loops.js';
import { quantile } from '../statistics.js';
import type { BenchClip } from './clips.js';
import type { Overload } from './protocol.js';

/** How many times as many clips are sent as can be answered. */
export const OVERLOAD_FACTOR = 10;
/** Requests that the client keeps open at most: more would measure the client. */
const MAX_OPEN = 500;
/** What is still waiting so long after the load has ended is given up. */
const MAX_DRAIN_MS = 90_000;
const LIVE_INTERVAL_MS = 100;
/** Statuses with which a server may refuse what it cannot do. */
const REJECTS = new Set([429, 503]);

/**
 * Clips come at a fixed rate, ten times as often as the server can answer them, each over a connection of its own, and
 * `GET /health/live` is asked ten times a second.
 *
 * @param peak clips a second that the server can answer
 */
export async function measureOverload(url: string, clip: BenchClip, peak: number, seconds: number): Promise<Overload> {
  const rate = OVERLOAD_FACTOR * peak;
  const client = new HttpClient(url, false);
  const probe = new HttpClient(url);
  const statuses: Record<string, number> = {};
  const [answers, rejects, live]: number[][] = [[], [], []];
  let inTime = 0;
  const end = AbortSignal.timeout(1000 * seconds + MAX_DRAIN_MS);
  setMaxListeners(MAX_OPEN, end);
  const start = performance.now();
  const send = async () => {
    try {
      const { status, seconds: waited } = await client.call({
        method: 'POST',
        path: '/v1/predict',
        upload: clip.upload,
        signal: end,
      });
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (REJECTS.has(status)) rejects.push(waited);
      if (status !== 200) return;
      answers.push(waited);
      if (performance.now() - start <= 1000 * seconds) inTime++;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      statuses.none = (statuses.none ?? 0) + 1;
    }
  };
  let loaded = true;
  const probing = (async () => {
    while (loaded) {
      live.push((await probe.call({ method: 'GET', path: '/health/live' })).seconds);
      await sleep(LIVE_INTERVAL_MS);
    }
  })();
  const skipped = await openLoop(rate, seconds, MAX_OPEN, send);
  loaded = false;
  await probing;
  client.dispose();
  probe.dispose();
  const spread = (values: readonly number[]) =>
    values.length === 0 ? { p50: 0, p99: 0 } : { p50: quantile(values, 0.5), p99: quantile(values, 0.99) };
  return {
    ...{ seconds, peak, rate, statuses, skipped },
    goodput: inTime / seconds,
    answers: spread(answers),
    rejects: spread(rejects),
    live: { calls: live.length, ...spread(live) },
  };
}
