import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { PoolEvent } from '../../serving/engine/events.js';
import { WorkerPool } from '../../serving/engine/worker-pool.js';
import { until } from '../helpers/test-app.js';

let pool: WorkerPool<string, number> | undefined;

afterEach(async () => {
  await pool?.dispose();
  pool = undefined;
});

const FAR = 100_000;

async function startPool(
  options: { taskTimeoutMs?: number; config?: object; size?: number; concurrency?: number } = {},
) {
  const events: PoolEvent['type'][] = [];
  const created = await WorkerPool.create({
    name: 'test',
    module: new URL('../helpers/pool-child.js', import.meta.url),
    config: options.config ?? {},
    size: options.size ?? 1,
    concurrency: () => options.concurrency ?? 1,
    infoSchema: z.string(),
    resultSchema: z.number(),
    taskTimeoutMs: options.taskTimeoutMs ?? FAR,
    maxQueue: 4,
    onEvent: ({ type }) => events.push(type),
  });
  pool = created;
  const run = (request: string, milliseconds = FAR) => created.run(request, { deadline: Date.now() + milliseconds });
  return { pool: created, events, run };
}

test('tasks of one process are answered one after the other', async () => {
  const { pool, run } = await startPool();
  expect(await Promise.all([run('pid'), run('pid'), run('pid')])).toEqual([...pool.pids, ...pool.pids, ...pool.pids]);
});

test('an error of the task reaches the caller with its code, and the process lives on', async () => {
  const { pool, run } = await startPool();
  const before = pool.pids;
  await expect(run('fail')).rejects.toMatchObject({ code: 'bad_words', remedy: 'Give words.' });
  expect([await run('pid')]).toEqual(before);
});

test('a request that the process does not know is an error of that request', async () => {
  const { run } = await startPool();
  await expect(run('dance')).rejects.toMatchObject({ code: 'internal' });
  expect(await run('pid')).toBeGreaterThan(0);
});

test('a task that ends two processes is given up, and others are answered', async () => {
  const { events, run } = await startPool();
  await expect(run('die')).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('SIGKILL') });
  expect(await run('pid')).toBeGreaterThan(0);
  expect(events.filter((type) => type === 'died')).toHaveLength(2);
});

test('a process that hangs is killed and replaced', async () => {
  // Long enough for the other task on a busy machine; the hanging one never ends.
  const { events, run } = await startPool({ taskTimeoutMs: 3000 });
  await expect(run('hang')).rejects.toMatchObject({ code: 'timeout' });
  expect(await run('pid')).toBeGreaterThan(0);
  expect(events).toEqual(['hung', 'died', 'restarted']);
});

test('a task whose deadline passes while it waits is answered timeout and never begun', async () => {
  const { pool, run } = await startPool();
  const hanging = expect(run('hang')).rejects.toMatchObject({ code: 'not_ready' });
  await expect(run('die', 100)).rejects.toMatchObject({ code: 'timeout' });
  expect(pool.queueLength).toBe(0);
  await pool.dispose();
  await hanging;
});

test('a task beyond the longest queue is refused at once', async () => {
  const { pool, run } = await startPool();
  const waiting = Promise.allSettled(Array.from({ length: 5 }, () => run('hang')));
  await expect(run('pid')).rejects.toMatchObject({ code: 'overloaded' });
  await pool.dispose();
  await waiting;
});

test('a pool whose processes cannot be set up fails with their reason and leaves none', async () => {
  await expect(startPool({ config: { refuse: true }, size: 2 })).rejects.toMatchObject({ code: 'missing_part' });
});

test('a pool of two uses both processes, and readiness survives the loss of one', async () => {
  const { pool, run } = await startPool({ size: 2 });
  const pids = await Promise.all([run('pid'), run('pid')]);
  expect(new Set(pids).size).toBe(2);
  process.kill(pids[0]!, 'SIGKILL');
  await until(() => pool.pids.length === 1);
  expect(pool.ready).toBe(true);
  await until(() => pool.pids.length === 2);
});

test('a task whose caller has gone is never begun while it waits, and told to stop when it runs', async () => {
  const { pool, events } = await startPool();
  const gone = new AbortController();
  const options = { deadline: Date.now() + FAR, signal: gone.signal };
  const both = Promise.allSettled([pool.run('hang until told', options), pool.run('die', options)]);
  expect([pool.running, pool.queueLength]).toEqual([1, 1]);
  gone.abort();
  const codes = (await both).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
  expect(codes).toEqual(['interrupted', 'interrupted']);
  // The process stopped by itself and takes the next task; the one that ends processes did not reach it.
  expect([await pool.run('pid', { deadline: Date.now() + FAR })]).toEqual(pool.pids);
  expect(events).toEqual(['dropped', 'dropped']);
});

test('of several tasks of a process that died only the one at fault fails', async () => {
  const { events, run } = await startPool({ concurrency: 3 });
  const outcomes = await Promise.allSettled([run('slow pid'), run('die'), run('slow pid')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(events.filter((type) => type === 'retried')).toHaveLength(3);
});
