import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../common/files.js';
import { EMOTIONS, MODALITIES } from '../../common/labels.js';
import { SPLITS } from '../features.js';
import { SUMMARY_FILE } from './corpus.js';
import { FORMAT_NAMES } from './formats/format.js';
import { SPLIT_MODES } from './splits.js';

const count = z.number().int().min(0);

const summarySchema = z.object({
  format: z.enum(FORMAT_NAMES),
  split: z.enum(SPLIT_MODES),
  splits: z.partialRecord(
    z.enum(SPLITS),
    z.object({
      clips: count,
      failed: count,
      hours: z.number(),
      speakers: count,
      withoutSpeaker: count,
      classes: z.record(z.enum(EMOTIONS), count),
      unlabelled: count,
      used: z.record(z.enum(MODALITIES), count),
      sources: z.record(z.string(), count),
    }),
  ),
  labels: z.object({ clips: count, faceDiffers: count, speechDiffers: count }),
  warnings: z.array(z.string()),
});

/** What a features folder says of its corpus; of the summary that preprocessing writes, what others read. */
export type StoredSummary = z.infer<typeof summarySchema>;

/** @throws MerError not_found or bad_file */
export function readSummary(featuresDir: string): Promise<StoredSummary> {
  return readJson(path.join(featuresDir, SUMMARY_FILE), summarySchema);
}
