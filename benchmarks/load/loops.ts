import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a loop goes on: for so many pieces of work, or until so many seconds have gone. */
export type Extent = { count: number } | { seconds: number };

/**
 * So many clients, each of which does its next piece of work when the last one is done.
 *
 * @param work gets the number of the piece, from 0
 * @returns pieces done, and seconds from the first start to the last end
 */
export async function closedLoop(
  clients: number,
  extent: Extent,
  work: (index: number) => Promise<unknown>,
): Promise<{ count: number; seconds: number }> {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let next = 0;
  const more = () => ('count' in extent ? next < extent.count : elapsed() < extent.seconds);
  const client = async () => {
    while (more()) await work(next++);
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { count: next, seconds: elapsed() };
}

/**
 * Work that arrives at a fixed rate, however slowly it is done; while `maxOpen` pieces are open no other begins.
 *
 * @returns pieces that did not begin for that reason
 */
export async function openLoop(
  rate: number,
  seconds: number,
  maxOpen: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  const open = new Set<Promise<unknown>>();
  let skipped = 0;
  for (let index = 0; index < rate * seconds; index++) {
    const wait = start + (1000 * index) / rate - performance.now();
    if (wait > 0) await sleep(wait);
    if (open.size >= maxOpen) {
      skipped++;
      continue;
    }
    const piece = work(index).finally(() => open.delete(piece));
    open.add(piece);
  }
  await Promise.all(open);
  return skipped;
}
