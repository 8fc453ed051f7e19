import { z } from 'zod';
import { machineSchema } from '../machine.js';

/** What `mer bench` can measure, in the order in which a report shows it. */
export const SUITES = ['preprocess', 'train', 'export', 'infer', 'serve', 'gpu'] as const;
export const suiteNameSchema = z.enum(SUITES);
export type SuiteName = z.infer<typeof suiteNameSchema>;

/** Repeated measurements of one thing: their median and the bounds of their middle half. */
const measuredSchema = z.object({
  value: z.number(),
  /** Absent for what was measured once or does not vary, such as a file's size. */
  low: z.number().optional(),
  high: z.number().optional(),
});
export type Measured = z.infer<typeof measuredSchema>;

/** One number that can be compared with the same number of another run. */
export const figureSchema = measuredSchema.extend({
  /** The same in every run, such as `face: step`; unique within a suite. */
  name: z.string(),
  /** Such as `s`, `ms`, `MB` or `clips/s`. */
  unit: z.string(),
  better: z.enum(['lower', 'higher']),
  /** The same work of the rival, measured in the same run. */
  rival: measuredSchema.extend({ name: z.string() }).optional(),
  /** How many times better ours is than the rival's; null where the comparison was not fair, absent without a rival. */
  ratio: z.number().nullable().optional(),
});
export type Figure = z.infer<typeof figureSchema>;

const tableSchema = z.object({
  title: z.string(),
  header: z.array(z.string()),
  rows: z.array(z.array(z.string())),
  /** Sentences below the table. */
  notes: z.array(z.string()),
});
export type ReportTable = z.infer<typeof tableSchema>;

const panelSchema = z.object({
  title: z.string(),
  xLabel: z.string(),
  yLabel: z.string(),
  series: z.array(z.object({ name: z.string(), points: z.array(z.tuple([z.number(), z.number()])) })),
});

/** `name` becomes a part of the file's name: letters, digits and hyphens. */
const chartNameSchema = z.string().regex(/^[a-z0-9-]+$/);
const chartSchema = z.discriminatedUnion('kind', [
  /** Line charts side by side. */
  z.object({ kind: z.literal('curves'), name: chartNameSchema, title: z.string(), panels: z.array(panelSchema) }),
  /** Groups of horizontal bars, one bar a series; null where a group has none. */
  z.object({
    kind: z.literal('bars'),
    name: chartNameSchema,
    title: z.string(),
    xLabel: z.string(),
    series: z.array(z.string()),
    groups: z.array(z.object({ name: z.string(), values: z.array(measuredSchema.nullable()) })),
  }),
]);
export type Chart = z.infer<typeof chartSchema>;

/** What one suite found. */
export const outcomeSchema = z.object({
  figures: z.array(figureSchema),
  /** How it was measured, and why a ratio is not claimed; sentences before everything else. */
  notes: z.array(z.string()),
  tables: z.array(tableSchema),
  charts: z.array(chartSchema),
  /** What stands after the lines on command and machine. */
  caveat: z.string().optional(),
  /** The suite's own report, for programs. */
  details: z.unknown(),
});
export type SuiteOutcome = z.infer<typeof outcomeSchema>;

const changeSchema = z.object({
  name: z.string(),
  unit: z.string(),
  old: z.number(),
  new: z.number(),
  /** `worse` is a regression: the middle halves of the repeats do not even touch. */
  verdict: z.enum(['same', 'better', 'worse']),
});
export type Change = z.infer<typeof changeSchema>;

const comparisonSchema = z.object({
  old: z.object({ date: z.string(), commit: z.string().nullable() }),
  /** Of the figures that both reports have. */
  changes: z.array(changeSchema),
  /** Figures that only one of them has. */
  unmatched: z.array(z.string()),
  /** Why the numbers cannot be compared: the machines differ, or one was busy with something else. */
  doubt: z.string().nullable(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** `<suite>.json`: one suite on one machine. */
export const suiteReportSchema = outcomeSchema.extend({
  format: z.literal(1),
  suite: suiteNameSchema,
  /** The command that makes it again. */
  command: z.string(),
  date: z.string(),
  /** The commit of the code, with `+` where files differed from it; null where git does not say. */
  commit: z.string().nullable(),
  machine: machineSchema.extend({
    /** Such as `Linux 6.1.0 x64`. */
    system: z.string(),
    memoryGb: z.number(),
  }),
  /** Share of all cores that other processes took meanwhile; null where it is not known. */
  others: z.number().nullable(),
  /** How long all of it took. */
  seconds: z.number(),
  /** With an older report, where one was named. */
  comparison: comparisonSchema.optional(),
});
export type SuiteReport = z.infer<typeof suiteReportSchema>;
