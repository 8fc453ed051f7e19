import crypto from 'node:crypto';
import http from 'node:http';
import { performance } from 'node:perf_hooks';

/** A form that is sent again and again, ready made. */
export interface Upload {
  body: Buffer;
  contentType: string;
}

export interface Call {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  upload?: Upload;
  headers?: Record<string, string>;
  /** Ends the call, as a client that goes away. */
  signal?: AbortSignal;
}

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** From the call to the last byte of its answer. */
  seconds: number;
}

/** A call that got no answer: the connection was refused or broken, or nothing came in time. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Longer than a server may take for any clip. */
const TIMEOUT_MS = 180_000;
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** A form with the field `clip`, and further text fields. */
export function clipForm(clip: Buffer, fields: Readonly<Record<string, string>> = {}): Upload {
  const boundary = `mer-${crypto.randomUUID()}`;
  const part = (name: string, rest: string, content: Buffer | string) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${rest}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ];
  const parts = [
    ...part('clip', '; filename="clip.mp4"\r\nContent-Type: application/octet-stream', clip),
    ...Object.entries(fields).flatMap(([name, value]) => part(name, '', value)),
    Buffer.from(`--${boundary}--\r\n`),
  ];
  return { body: Buffer.concat(parts), contentType: `multipart/form-data; boundary=${boundary}` };
}

/** A client of one server on this machine. Others are refused: its load would be an attack. */
export class HttpClient {
  readonly #url: URL;
  readonly #agent: http.Agent;

  /** @param keepAlive false opens a connection a call, as many clients that come once do */
  constructor(url: string, keepAlive = true) {
    this.#url = new URL(url);
    if (!LOOPBACK.has(this.#url.hostname)) throw new Error(`${url} is not on this machine.`);
    this.#agent = new http.Agent({ keepAlive });
  }

  /** @throws NoAnswer */
  call({ method, path, upload, headers, signal }: Call): Promise<Reply> {
    const start = performance.now();
    return new Promise((resolve, reject) => {
      let answered = false;
      const request = http.request(new URL(path, this.#url), {
        method,
        agent: this.#agent,
        timeout: TIMEOUT_MS,
        ...(signal && { signal }),
        headers: {
          ...headers,
          ...(upload && { 'Content-Type': upload.contentType, 'Content-Length': upload.body.length }),
        },
      });
      const fail = (error: Error) => {
        // A refused body breaks the connection after its answer has come.
        if (!answered) reject(new NoAnswer(error.message, { cause: error }));
      };
      request.once('timeout', () => request.destroy(new Error('nothing came in time')));
      request.on('error', fail);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', fail);
        response.once('end', () => {
          answered = true;
          const seconds = (performance.now() - start) / 1000;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            seconds,
          });
          // The rest of the body would keep the connection.
          if (!request.writableFinished) request.destroy();
        });
      });
      request.end(upload?.body);
    });
  }

  dispose(): void {
    this.#agent.destroy();
  }
}
