import { z } from 'zod';
import { ERROR_CODES } from '../../common/errors.js';
import { type Answer, answerSchema } from '../answer.js';
import type { Stage } from '../engine/predict-options.js';
import { predictSettingsSchema } from '../settings.js';

export const JOB_STATUSES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

const STAGES = ['queued', 'decode', 'audio', 'faces', 'inference'] as const satisfies Stage[];

const timeSchema = z.iso.datetime();

/** A job as clients see it. */
export const jobSchema = z.object({
  id: z.uuid(),
  status: z.enum(JOB_STATUSES),
  /** Where the clip is, until the job is over. */
  stage: z.enum(STAGES).optional(),
  created: timeSchema,
  finished: timeSchema.optional(),
  /** Until when a finished job can be asked for. */
  expires: timeSchema.optional(),
  /** In a job that is done. */
  answer: answerSchema.optional(),
  /** In a job that failed. */
  error: z.object({ code: z.enum(ERROR_CODES), message: z.string(), remedy: z.string() }).optional(),
});
export type Job = z.infer<typeof jobSchema>;

/** Whether nothing more will happen to it. */
export function isOver({ status }: { status: JobStatus }): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}

/** job.json: a job as it lies on disk, beside the files of its clip. */
export const storedJobSchema = jobSchema.omit({ stage: true, expires: true, answer: true }).extend({
  /** The API key that it was sent with, by name. */
  owner: z.string().optional(),
  /** How often work on it was begun by a server that did not live to the end of it. */
  starts: z.number().int().nonnegative(),
  /** Names of the files beside job.json. */
  clip: z.string(),
  words: z.string().optional(),
  transcript: z.string().optional(),
  settings: predictSettingsSchema,
  /** An answer of an older version of the server is handed out as it was. */
  answer: z.custom<Answer>((value) => typeof value === 'object' && value !== null).optional(),
});
export type StoredJob = z.infer<typeof storedJobSchema>;
