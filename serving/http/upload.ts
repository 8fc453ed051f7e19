import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Request, Response } from 'express';
import multer from 'multer';
import { MerError } from '../../common/errors.js';
import type { MediaFiles } from '../data-folder.js';
import type { PredictSettings } from '../settings.js';
import { formFieldsSchema, settingsOf } from './fields.js';

/** What a multipart body adds to its files: boundaries and part headers. */
const FORM_OVERHEAD_BYTES = 16 * 1024;
/** Words sent as a text field; 1024 words of 200 numbers stay below it. */
const MAX_WORDS_FIELD_BYTES = 8 * 2 ** 20;

/** A form that was received whole. */
export interface ReceivedForm {
  /** Where its files lie, a transcript too, under random names. */
  files: MediaFiles;
  settings: PredictSettings;
  bytes: number;
}

/**
 * The most bytes that the body of a request can bring.
 *
 * @throws MerError too_large when it says that they are more than are taken
 */
export function bodyBytes(request: Request, maxUploadBytes: number): number {
  // Clip and words may each be as large as a file may be.
  const most = 2 * maxUploadBytes + FORM_OVERHEAD_BYTES;
  const stated = request.headers['content-length'];
  if (stated === undefined) return most;
  if (Number(stated) > most) throw tooLarge(maxUploadBytes);
  return Number(stated);
}

/**
 * Receives the multipart fields `clip` (a file), `words` (a file, or JSON as a text field) or `transcript` (text), and
 * the settings of {@link formFieldsSchema}. Nothing of what the client calls its files is used.
 *
 * @param folder a folder for this request alone, which the caller removes
 * @throws MerError too_large or bad_field
 */
export async function receiveForm(
  folder: string,
  maxUploadBytes: number,
  request: Request,
  response: Response,
): Promise<ReceivedForm> {
  await parse(folder, maxUploadBytes, request, response);
  const files = request.files;
  const [clip, words] = files === undefined || Array.isArray(files) ? [] : [files.clip?.[0], files.words?.[0]];
  const fields = formFieldsSchema.safeParse(request.body ?? {});
  if (!fields.success) throw wrongField(fields.error.issues[0]);
  if (clip === undefined) throw badField('The form has no file in the field clip.');
  const { words: wordsText, transcript } = fields.data;
  if (transcript !== undefined && (words ?? wordsText) !== undefined) {
    throw badField('The form has both words and a transcript.');
  }
  const text = async (content: string): Promise<string> => {
    const file = path.join(folder, crypto.randomUUID());
    await fsp.writeFile(file, content);
    return file;
  };
  const wordsFile = words?.path ?? (wordsText === undefined ? undefined : await text(wordsText));
  return {
    files: {
      clip: clip.path,
      ...(wordsFile !== undefined && { words: wordsFile }),
      ...(transcript !== undefined && { transcript: await text(transcript) }),
    },
    settings: settingsOf(fields.data),
    bytes: clip.size + (words?.size ?? 0) + (wordsText ?? transcript ?? '').length,
  };
}

function parse(folder: string, maxUploadBytes: number, request: Request, response: Response): Promise<void> {
  const fields = Object.keys(formFieldsSchema.shape).length;
  const form = multer({
    storage: multer.diskStorage({ destination: (_request, _file, done) => done(null, folder) }),
    limits: { fileSize: maxUploadBytes, fieldSize: MAX_WORDS_FIELD_BYTES, files: 2, fields, headerPairs: 32 },
  }).fields([
    { name: 'clip', maxCount: 1 },
    { name: 'words', maxCount: 1 },
  ]);
  return new Promise((resolve, reject) => {
    form(request, response, (error: unknown) => {
      if (error === undefined) resolve();
      else reject(uploadError(error, maxUploadBytes));
    });
  });
}

/** An error of the form's parser as one of ours; what else the file system says stays as it is. */
function uploadError(error: unknown, maxUploadBytes: number): unknown {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return new MerError('not_ready', 'The disk of the server is full.', 'Send the clip to another server.');
  }
  if (error instanceof multer.MulterError) {
    if (error.code === 'LIMIT_FILE_SIZE' || error.code === 'LIMIT_FIELD_VALUE') return tooLarge(maxUploadBytes);
    if (error.code === 'LIMIT_UNEXPECTED_FILE') {
      return badField(`The form field ${error.field} is not one that is known here, or comes twice.`);
    }
    return badField(`The form was refused: ${error.message}.`);
  }
  if (error instanceof Error && !('syscall' in error)) {
    return badField(`The multipart body cannot be read: ${error.message}.`);
  }
  return error;
}

type Issue = NonNullable<ReturnType<typeof formFieldsSchema.safeParse>['error']>['issues'][number];

function wrongField(issue: Issue | undefined): MerError {
  if (issue?.code === 'unrecognized_keys') {
    return badField(`The form field ${issue.keys[0]} is not one that is known here.`);
  }
  return badField(`The form field ${String(issue?.path[0])} is refused: ${issue?.message}.`);
}

function badField(message: string): MerError {
  return new MerError(
    'bad_field',
    message,
    'Send multipart/form-data with the file in the field clip and, if there are any, word vectors in the field words or the words themselves in the field transcript; GET /openapi.json has all fields.',
  );
}

function tooLarge(maxUploadBytes: number): MerError {
  return new MerError(
    'too_large',
    `A file of the form is larger than ${(maxUploadBytes / 2 ** 20).toFixed(0)} MB.`,
    'Send a shorter or more compressed clip, or start the server with a larger --max_upload_mb.',
  );
}
