import type { Answer } from '../../answer.js';
import type { Job } from '../../jobs/job.js';
import { askForKey, storedKey } from './key.js';
import { eventData } from './server-sent-events.js';

/** What the server said about a request that it did not fulfil, or what the page says when there was no answer. */
export class ServerError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

const UNREACHABLE = new ServerError(
  'no_connection',
  'The server cannot be reached.',
  'Check the connection and whether the server runs, then try again.',
);

/** Bodies are of the server that this page came from, whose types these are. */
interface ErrorBody {
  error?: { code: string; message: string; remedy: string };
}

function errorOf(status: number, body: string): ServerError {
  try {
    const { error } = JSON.parse(body) as ErrorBody;
    if (error !== undefined) return new ServerError(error.code, error.message, error.remedy);
  } catch {
    // A proxy before the server answered in its own words.
  }
  return new ServerError(`status ${status}`, `The server answered with status ${status}.`, 'Try again in a moment.');
}

function keyHeader(): Record<string, string> {
  const key = storedKey();
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

/** `fetch` with the key; asks for one when the server wants it. @throws ServerError for all but success */
async function request(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, headers: keyHeader() }).catch((error: unknown) => {
    init.signal?.throwIfAborted();
    throw error instanceof TypeError ? UNREACHABLE : error;
  });
  if (response.status === 401 && (await askForKey())) return request(url, init);
  if (!response.ok) throw errorOf(response.status, await response.text());
  return response;
}

export async function getJson<Body>(url: string): Promise<Body> {
  return (await request(url)).json() as Promise<Body>;
}

/**
 * Uploads a form as a new job.
 * @param onUpload called with the share that was sent, 0 to 1
 * @throws ServerError; the signal's reason
 */
export async function submitJob(form: FormData, onUpload: (share: number) => void, signal: AbortSignal): Promise<Job> {
  const { status, body } = await upload('v1/jobs', form, onUpload, signal);
  if (status === 401 && (await askForKey())) return submitJob(form, onUpload, signal);
  if (status !== 202) throw errorOf(status, body);
  return JSON.parse(body) as Job;
}

/** `fetch` does not tell how much was sent; XMLHttpRequest does. */
function upload(
  url: string,
  form: FormData,
  onUpload: (share: number) => void,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const http = new XMLHttpRequest();
    http.open('POST', url);
    for (const [name, value] of Object.entries(keyHeader())) http.setRequestHeader(name, value);
    http.upload.onprogress = ({ loaded, total }) => onUpload(total > 0 ? loaded / total : 0);
    http.onload = () => resolve({ status: http.status, body: http.responseText });
    http.onerror = () => reject(UNREACHABLE);
    http.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => http.abort(), { once: true });
    http.send(form);
  });
}

export type Stage = NonNullable<Job['stage']>;

/** How often, and how far apart in milliseconds, a server that has gone is looked for: it may be starting again. */
const LOOKS = 20;
const LOOK_PAUSE_MS = 1500;

/**
 * Follows a job to its end, over lost connections and restarts of the server.
 * @throws ServerError when it failed or was cancelled; the signal's reason
 */
export async function followJob(id: string, onStage: (stage: Stage) => void, signal: AbortSignal): Promise<Answer> {
  for (let looks = 0; ; looks++) {
    try {
      for await (const data of eventData(await request(`v1/jobs/${id}/events`, { signal }))) {
        const { answer, error, status, stage } = JSON.parse(data) as Job;
        if (answer !== undefined) return answer;
        if (error !== undefined) throw new ServerError(error.code, error.message, error.remedy);
        if (status === 'cancelled')
          throw new ServerError('cancelled', 'The job was cancelled.', 'Send the clip again.');
        if (stage !== undefined) onStage(stage);
      }
    } catch (error) {
      if (error !== UNREACHABLE || looks === LOOKS) throw error;
    }
    // The connection was lost, or the server is about to start again.
    await new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE_MS));
    signal.throwIfAborted();
  }
}

export async function cancelJob(id: string): Promise<void> {
  await request(`v1/jobs/${id}`, { method: 'DELETE' });
}
