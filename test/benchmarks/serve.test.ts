import fsp from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { clipForm, HttpClient, NoAnswer } from '../../benchmarks/load/http-client.js';
import { closedLoop, openLoop } from '../../benchmarks/load/loops.js';
import { suiteText } from '../../benchmarks/report/render.js';
import { outcomeSchema } from '../../benchmarks/report/schema.js';
import { type ServeDetails, serveDetailsSchema } from '../../benchmarks/serve/protocol.js';
import { serveOutcome } from '../../benchmarks/serve/report.js';
import { benchServe } from '../../benchmarks/serve/serve.js';
import { summarise } from '../../benchmarks/statistics.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

const stages = { http: 0.01, queued: 0, decode: 0.2, audio: 0.01, faces: 0.1, inference: 0.25, rest: 0.03 };
const clip = { clip: 'a.mp4', width: 640, height: 360, duration: 5, ours: summarise([0.6]), stages };

function details(unfair: string[]): ServeDetails {
  return {
    model: { name: 'bench', version: '1' },
    ...{ threads: 2, repeats: 5, unfair, lengths: [clip], sizes: [clip] },
    answers: [{ ...clip, reference: summarise([2.7]), referenceStages: { preprocessing: 2.1, networks: 0.6 } }],
    load: [
      { clients: 1, answered: 10, clipsPerSecond: 1.5, p50: 0.6, p99: 0.9, eventLoopP99: 0.002 },
      { clients: 4, answered: 20, clipsPerSecond: 2, p50: 1.9, p99: 3, eventLoopP99: 0.004 },
    ],
    engine: { clients: 4, server: summarise([1.9]), bare: summarise([2]) },
    overload: {
      ...{ seconds: 60, peak: 2, rate: 20, statuses: { 200: 111, 429: 1089 }, skipped: 0, goodput: 1.85 },
      answers: { p50: 20, p99: 30 },
      rejects: { p50: 0.004, p99: 0.02 },
      live: { calls: 590, p50: 0.002, p99: 0.03 },
    },
  };
}

function textOf(unfair: string[]): string {
  const outcome = outcomeSchema.parse(serveOutcome(details(unfair)));
  return suiteText({
    ...outcome,
    ...{ format: 1, suite: 'serve', command: 'mer bench serve', date: '2026-01-01T00:00:00Z', commit: null },
    machine: { cpu: 'a processor', cores: 2, node: 'v20', system: 'Linux', memoryGb: 8 },
    ...{ others: 0, seconds: 1 },
  });
}

describe('the report of the serving benchmark', () => {
  it('gives the ratio to PyTorch, the share of the bare engine and the goodput under overload', () => {
    const text = textOf([]);
    for (const found of ['4.50x', '95 % of the engine', '93 % of the peak', '111 x 200, 1089 x 429', '4.0 / 20']) {
      expect(text).toContain(found);
    }
  });

  it('claims no ratio against an unfair rival, and says why', () => {
    const text = textOf(['the reference was slow']);
    expect(text).toContain('No ratio to PyTorch is claimed: the reference was slow.');
    expect(text).not.toContain('4.50x');
  });

  it('has a table for each part that was measured and none for the others', () => {
    const { engine: _, overload: __, ...some } = { ...details([]), answers: [], lengths: [], sizes: [] };
    const outcome = serveOutcome(some);
    expect(outcome.tables.map(({ title }) => title)).toEqual(['Clients at once']);
  });
});

describe('the load that it makes', () => {
  it('goes to this machine only', () => {
    expect(() => new HttpClient('http://192.0.2.1:8080')).toThrow('not on this machine');
  });

  it('is bounded by count, by time and by what is open', async () => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    expect((await closedLoop(3, { count: 10 }, pause)).count).toBe(10);
    expect((await closedLoop(3, { seconds: 0.05 }, pause)).seconds).toBeLessThan(5);
    let [open, most] = [0, 0];
    const skipped = await openLoop(1000, 0.1, 4, async () => {
      most = Math.max(most, ++open);
      await pause();
      open--;
    });
    expect(most).toBeLessThanOrEqual(4);
    expect(skipped).toBeGreaterThan(0);
  });

  it('takes an answer that comes before the body was read, and a broken connection for none', async () => {
    const server = http.createServer((request, response) => {
      if (request.url === '/broken') request.socket.destroy();
      else response.writeHead(429).end('full');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new HttpClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, false);
    const upload = clipForm(Buffer.alloc(4 * 2 ** 20));
    const reply = await client.call({ method: 'POST', path: '/', upload });
    expect([reply.status, reply.body.toString()]).toEqual([429, 'full']);
    await expect(client.call({ method: 'GET', path: '/broken' })).rejects.toThrow(NoAnswer);
    client.dispose();
    server.closeAllConnections();
    server.close();
  });
});

afterEach(() => vi.unstubAllEnvs());

it('measures a real server under load, beside its engine and under overload', { timeout: 300_000 }, async () => {
  const before = await fsp.readdir('.');
  // What waits at the end of the overload is waited for; the clients of the comparison with the engine are not refused.
  vi.stubEnv('MER_MAX_QUEUE', '4');
  const found = await benchServe({
    bundleDir: await tinyBundle(),
    parts: ['clients', 'engine', 'overload'],
    clips: [],
    ...{ repeats: 1, threads: 1, clients: [2], loadSeconds: 0.5, overloadSeconds: 2 },
    note: () => {},
  });
  const { load, engine, overload } = serveDetailsSchema.parse(found);
  expect(load[0]?.answered).toBeGreaterThanOrEqual(2);
  expect(engine?.bare.median).toBeGreaterThan(0);
  expect(Object.keys(overload?.statuses ?? {}).filter((status) => !['200', '429', '503'].includes(status))).toEqual([]);
  expect(overload?.live.calls).toBeGreaterThan(0);
  expect(await fsp.readdir('.')).toEqual(before);
});
