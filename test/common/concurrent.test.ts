import { expect, test } from 'vitest';
import { mapConcurrent } from '../../common/concurrent.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('results come in the order of the items, and no more than the limit are in work', async () => {
  let inWork = 0;
  let most = 0;
  const results = await mapConcurrent([5, 1, 4, 2, 3], 2, async (turns) => {
    most = Math.max(most, ++inWork);
    for (let i = 0; i < turns; i++) await turn();
    inWork -= 1;
    return 10 * turns;
  });
  expect(results).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
});

test('after a failure nothing more is begun, and it is thrown when the work has ended', async () => {
  const begun: number[] = [];
  let ended = 0;
  const work = mapConcurrent([0, 1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('item 1');
    await turn();
    ended += 1;
  });
  await expect(work).rejects.toThrow('item 1');
  expect(begun).toEqual([0, 1]);
  expect(ended).toBe(1);
});
