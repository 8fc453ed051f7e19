import { expect, test } from 'vitest';
import { Batcher } from '../../serving/engine/batcher.js';

const NEVER = new AbortController().signal;

/** A batcher of numbers that answers with the size of each one's batch, and the batches that it ran. */
function makeBatcher(maxBatch: number, maxDelayMs: number) {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const batcher = new Batcher<number, number>({
    maxBatch,
    maxDelayMs,
    async run(requests) {
      batches.push([...requests]);
      await new Promise<void>((resolve) => gates.push(resolve));
      if (requests.includes(13)) throw new Error('thirteen');
      return requests.map(() => requests.length);
    },
  });
  const ran = async (count: number): Promise<void> => {
    while (gates.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
    gates[count - 1]!();
  };
  return { batcher, batches, ran };
}

test('requests that arrive while a batch runs are worked on together next, as many as a batch takes', async () => {
  const { batcher, batches, ran } = makeBatcher(3, 0);
  const first = batcher.add(1, NEVER);
  while (batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const rest = [2, 3, 4, 5].map((request) => batcher.add(request, NEVER));
  await ran(1);
  await first;
  await ran(2);
  await ran(3);
  expect(await Promise.all(rest)).toEqual([3, 3, 3, 1]);
  expect(batches).toEqual([[1], [2, 3, 4], [5]]);
});

test('an idle batcher waits for others, and begins at once when the batch is full', async () => {
  // Longer than the test may take: only a full batch begins.
  const { batcher, batches, ran } = makeBatcher(2, 1e9);
  const both = [batcher.add(1, NEVER), batcher.add(2, NEVER)];
  await ran(1);
  await Promise.all(both);
  expect(batches).toEqual([[1, 2]]);
});

test('a request whose client has gone while it waited is not worked on', async () => {
  const { batcher, batches, ran } = makeBatcher(4, 0);
  const gone = new AbortController();
  const [left, stays] = [batcher.add(1, gone.signal), batcher.add(2, NEVER)];
  gone.abort();
  await expect(left).rejects.toMatchObject({ code: 'interrupted' });
  await ran(1);
  await stays;
  expect(batches).toEqual([[2]]);
});

test('one request that cannot be worked on fails alone', async () => {
  const { batcher, ran } = makeBatcher(3, 0);
  const outcomes = Promise.allSettled([1, 13, 2].map((request) => batcher.add(request, NEVER)));
  for (let run = 1; run <= 4; run++) await ran(run);
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
