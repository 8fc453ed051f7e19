import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { MerError } from '../../../common/errors.js';
import type { ClipFailure } from '../source-clip.js';
import { stemOfPath } from './clip-files.js';
import { readCsv } from './csv.js';
import { EMOTION_NAMES_HELP, parseEmotion } from './emotion-names.js';
import type { CorpusFormat, ListedClip, Listing } from './format.js';
import { parseSplit } from './split-names.js';

const FILES = ['manifest.csv', 'manifest.jsonl'];
const COLUMNS = ['path', 'label', 'face_label', 'speech_label', 'transcript', 'words', 'speaker', 'split'] as const;

const textSchema = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value).trim()));
const URL_LIKE = /^[a-z][a-z\d+.-]*:\/\//i;

const emotionSchema = textSchema.transform((text, context) => {
  if (text === '') return null;
  const emotion = parseEmotion(text);
  if (!emotion) context.addIssue({ code: 'custom', message: `"${text}" is no class: use ${EMOTION_NAMES_HELP}` });
  return emotion;
});

const splitSchema = textSchema.transform((text, context) => {
  if (text === '') return null;
  const split = parseSplit(text);
  if (!split) context.addIssue({ code: 'custom', message: `"${text}" is no split: use train, val or test` });
  return split;
});

const pathSchema = textSchema.refine((text) => !URL_LIKE.test(text), 'it is a URL: fetch the file and give its path');

const rowSchema = z
  .strictObject({
    path: pathSchema.refine((text) => text !== '', 'it is empty'),
    label: emotionSchema,
    face_label: emotionSchema,
    speech_label: emotionSchema,
    transcript: textSchema,
    words: pathSchema,
    speaker: textSchema,
    split: splitSchema,
  })
  .superRefine(({ label, face_label, speech_label, split }, context) => {
    const isTest = split === 'test' || split === 'test_merc';
    if (!label && (face_label || speech_label || !isTest)) {
      const message = 'it is empty, which only clips without any label in the split test may leave it';
      context.addIssue({ code: 'custom', path: ['label'], message });
    }
  });

/**
 * A table of clips: `manifest.csv` or `manifest.jsonl` in the folder, or the file itself. Paths are relative to it;
 * absolute ones and `..` are the user's own business, URLs are refused.
 */
export const manifest: CorpusFormat = {
  name: 'manifest',
  layout: `${FILES.join(' or ')} with the columns ${COLUMNS.join(', ')} (only path and label are needed)`,

  async recognises(corpus) {
    return findManifest(corpus) !== null;
  },

  async list(corpus) {
    const file = findManifest(corpus);
    const listing: Listing = { clips: [], failures: [], notes: [] };
    if (file === null) return listing;
    const rows = file.toLowerCase().endsWith('.csv') ? await readTable(file) : await readLines(file);
    for (const { line, value } of rows) {
      const result = readRow(file, line, value);
      if ('code' in result) listing.failures.push(result);
      else listing.clips.push(result);
    }
    return listing;
  },
};

function findManifest(corpus: string): string | null {
  if (/\.(csv|jsonl)$/i.test(corpus)) return fs.existsSync(corpus) ? corpus : null;
  return FILES.map((name) => path.join(corpus, name)).find((file) => fs.existsSync(file)) ?? null;
}

interface Row {
  line: number;
  value: unknown;
}

async function readTable(file: string): Promise<Row[]> {
  const rows = await readCsv(file, ['path', 'label']);
  const stranger = Object.keys(rows[0]?.values ?? {}).find((name) => !COLUMNS.some((column) => column === name));
  if (stranger !== undefined) {
    const remedy = `Use the columns ${COLUMNS.join(', ')}.`;
    throw new MerError('bad_file', `${file}:1: field ${stranger}: there is no column of this name.`, remedy);
  }
  return rows.map(({ line, values }) => ({ line, value: values }));
}

async function readLines(file: string): Promise<Row[]> {
  const lines = (await fsp.readFile(file, 'utf8')).replace(/^\ufeff/, '').split('\n');
  return lines.flatMap((text, index) => {
    if (text.trim() === '') return [];
    const line = index + 1;
    try {
      const value: unknown = JSON.parse(text);
      return [{ line, value }];
    } catch {
      throw new MerError('bad_file', `${file}:${line}: the line is not JSON.`, 'Write one JSON object a line.');
    }
  });
}

function readRow(file: string, line: number, value: unknown): ListedClip | ClipFailure {
  const folder = path.dirname(file);
  const parsed = rowSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') || (issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : '(row)');
    return fail(file, line, field, issue?.message ?? 'it is wrong');
  }
  const row = parsed.data;
  for (const field of ['path', 'words'] as const) {
    if (row[field] !== '' && !isFile(path.resolve(folder, row[field]))) {
      return fail(file, line, field, `${row[field]} is no file`);
    }
  }
  const stem = stemOfPath(row.path);
  const clip: ListedClip = {
    split: row.split,
    source: path.basename(file),
    stem,
    fileId: stem,
    clip: path.resolve(folder, row.path),
    labels: row.label && { inte: row.label, face: row.face_label, speech: row.speech_label },
    speaker: row.speaker === '' ? null : row.speaker,
  };
  if (row.words !== '') clip.words = path.resolve(folder, row.words);
  if (row.transcript !== '') clip.transcript = row.transcript;
  return clip;
}

function isFile(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function fail(file: string, line: number, field: string, why: string): ClipFailure {
  const message = `${file}:${line}: field ${field}: ${why}.`;
  return { clip: `${file}:${line}`, code: 'bad_file', message, remedy: 'Correct the line and run again.' };
}
