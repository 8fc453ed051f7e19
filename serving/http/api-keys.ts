import crypto from 'node:crypto';
import fsp from 'node:fs/promises';
import type { Request, RequestHandler } from 'express';
import { MerError } from '../../common/errors.js';
import type { RequestLocals } from './request-log.js';

/** One who may use the API. */
export interface ApiKey {
  /** Stands for the key in logs and limits. */
  name: string;
  sha256: Buffer;
}

const MIN_KEY_LENGTH = 16;

/**
 * Reads a file of API keys: one a line, a name and the key with space between; `#` begins a comment.
 *
 * @throws MerError not_found, or bad_file naming the line
 */
export async function readApiKeys(file: string): Promise<ApiKey[]> {
  const text = await fsp.readFile(file, 'utf8').catch((error: unknown) => {
    throw new MerError('not_found', `${file} cannot be read.`, 'Check --api_keys_file.', { cause: error });
  });
  const keys: ApiKey[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.replace(/#.*/, '').split(/\s+/).filter(Boolean);
    if (words.length === 0) continue;
    const [name, key] = words;
    const wrong = (what: string): MerError =>
      new MerError('bad_file', `${file}: line ${index + 1}: ${what}.`, 'Write one name and one key a line.');
    if (name === undefined || key === undefined || words.length > 2) throw wrong('not a name and a key');
    if (key.length < MIN_KEY_LENGTH) throw wrong(`the key of ${name} is shorter than ${MIN_KEY_LENGTH} characters`);
    if (keys.some((other) => other.name === name)) throw wrong(`the name ${name} comes twice`);
    keys.push({ name, sha256: sha256(key) });
  }
  if (keys.length > 0) return keys;
  throw new MerError('bad_file', `${file} holds no key.`, 'Write one name and one key a line.');
}

/** Lets only those pass who send a key, and notes whose it is. Without keys everybody passes. */
export function requireApiKey(keys: readonly ApiKey[] | undefined): RequestHandler {
  return (request, response, next) => {
    if (keys === undefined) return next();
    const sent = sentKey(request);
    const owner = sent === undefined ? undefined : findOwner(keys, sent);
    if (owner === undefined) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      const message = sent === undefined ? 'The request has no API key.' : 'The API key is not known here.';
      throw new MerError('unauthorized', message, 'Send a key in the header Authorization: Bearer KEY.');
    }
    (response.locals as RequestLocals).client = owner.name;
    next();
  };
}

function sentKey(request: Request): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.get('Authorization') ?? '');
  return bearer?.[1] ?? request.get('X-API-Key');
}

/** Hashes have one length and all are compared, so that the time tells nothing of the keys. */
function findOwner(keys: readonly ApiKey[], sent: string): ApiKey | undefined {
  const hash = sha256(sent);
  return keys.filter((key) => crypto.timingSafeEqual(key.sha256, hash))[0];
}

function sha256(text: string): Buffer {
  return crypto.createHash('sha256').update(text).digest();
}
