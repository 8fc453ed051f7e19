import { z } from 'zod';
import type { Measured } from './report/schema.js';

/** What is said of repeated measurements; `low` and `high` bound their middle half. */
export const summarySchema = z.object({
  median: z.number(),
  min: z.number(),
  max: z.number(),
  low: z.number(),
  high: z.number(),
});
export type Summary = z.infer<typeof summarySchema>;

/** @param values at least one */
export function summarise(values: readonly number[]): Summary {
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  };
}

/** A summary as a report's figures have it. */
export function measured({ median: value, low, high }: Summary): Measured {
  return { value, low, high };
}

/** The value below which the share `q` of all lies: one of the values themselves. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
