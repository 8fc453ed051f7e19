import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Request, Response } from 'express';
import multer from 'multer';
import { z } from 'zod';
import { MerError } from '../../common/errors.js';
import type { ClipFiles } from '../engine/tasks.js';

export interface UploadLimits {
  /** Largest file, in bytes. */
  maxUploadBytes: number;
}

/** What a multipart body adds to its files: boundaries and part headers. */
const FORM_OVERHEAD_BYTES = 16 * 1024;
/** Words sent as a text field; 1024 words of 200 numbers stay below it. */
const MAX_WORDS_FIELD_BYTES = 8 * 2 ** 20;
/** Characters; what is said in an hour stays below it. */
const MAX_TRANSCRIPT = 100_000;

const bodySchema = z.strictObject({ words: z.string().optional(), transcript: z.string().optional() });

/**
 * Receives the multipart fields `clip` (a file) and either `words` (a file, or JSON as a text field) or `transcript`
 * (text), lets `use` work with them, and removes them whatever happens. They lie under random names in a folder of their own under `uploadDir`;
 * nothing of what the client calls them is used.
 *
 * @throws MerError too_large or bad_field; what `use` throws
 */
export async function withUpload<Result>(
  uploadDir: string,
  { maxUploadBytes }: UploadLimits,
  request: Request,
  response: Response,
  use: (files: ClipFiles) => Promise<Result>,
): Promise<Result> {
  // Clip and words may each be as large as a file may be.
  if (Number(request.headers['content-length'] ?? 0) > 2 * maxUploadBytes + FORM_OVERHEAD_BYTES) {
    throw tooLarge(maxUploadBytes);
  }
  const folder = await fsp.mkdtemp(path.join(uploadDir, 'request-'));
  try {
    await receive(folder, maxUploadBytes, request, response);
    return await use(await clipFiles(folder, request));
  } finally {
    await fsp.rm(folder, { recursive: true, force: true });
  }
}

function receive(folder: string, maxUploadBytes: number, request: Request, response: Response): Promise<void> {
  const form = multer({
    storage: multer.diskStorage({ destination: (_request, _file, done) => done(null, folder) }),
    limits: { fileSize: maxUploadBytes, fieldSize: MAX_WORDS_FIELD_BYTES, files: 2, fields: 2, headerPairs: 32 },
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

async function clipFiles(folder: string, request: Request): Promise<ClipFiles> {
  const body = bodySchema.safeParse(request.body ?? {});
  if (!body.success) {
    const field = body.error.issues[0]?.code === 'unrecognized_keys' ? body.error.issues[0].keys[0] : 'words';
    throw badField(`The form field ${field} is not one that is known here.`);
  }
  const files = request.files;
  const [clip, words] =
    files === undefined || Array.isArray(files) ? [] : [files.clip?.[0]?.path, files.words?.[0]?.path];
  if (clip === undefined) throw badField('The form has no file in the field clip.');
  const { transcript } = body.data;
  if (transcript !== undefined) {
    if ((words ?? body.data.words) !== undefined) throw badField('The form has both words and a transcript.');
    if (transcript.length > MAX_TRANSCRIPT) {
      throw badField(`The transcript has more than ${MAX_TRANSCRIPT} characters.`);
    }
    return { clip, transcript };
  }
  if (words !== undefined) return { clip, words };
  if (body.data.words === undefined) return { clip };
  const file = path.join(folder, crypto.randomUUID());
  await fsp.writeFile(file, body.data.words);
  return { clip, words: file };
}

/** An error of the form's parser as one of ours; what the file system says stays as it is. */
function uploadError(error: unknown, maxUploadBytes: number): unknown {
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

function badField(message: string): MerError {
  return new MerError(
    'bad_field',
    message,
    'Send multipart/form-data with the file in the field clip and, if there are any, word vectors in the field words or the words themselves in the field transcript.',
  );
}

function tooLarge(maxUploadBytes: number): MerError {
  return new MerError(
    'too_large',
    `A file of the form is larger than ${(maxUploadBytes / 2 ** 20).toFixed(0)} MB.`,
    'Send a shorter or more compressed clip, or start the server with a larger --max_upload_mb.',
  );
}
