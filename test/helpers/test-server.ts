import fsp from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from '../../serving/limits.js';
import { type RunningServer, startServer } from '../../serving/server.js';
import { tinyBundle } from './tiny-bundle.js';

export interface TestServer extends RunningServer {
  port: number;
  dataDir: string;
}

/** The real server on a port of its own, in this process. */
export async function testServer(limits: Partial<ServerLimits>): Promise<TestServer> {
  const dataDir = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-test-data-'));
  const server = await startServer({
    bundleDir: await tinyBundle(),
    device: 'cpu',
    threads: 1,
    workers: 1,
    port: 0,
    host: '127.0.0.1',
    dataDir,
    limits: { ...DEFAULT_SERVER_LIMITS, maxUploadMb: 4, ...limits },
    keep: 'none',
    corsOrigins: [],
    trustedProxies: 0,
    log: pino({ level: 'silent' }),
  });
  return {
    ...server,
    port: Number(new URL(server.url).port),
    dataDir,
    async close() {
      await server.close();
      await fsp.rm(dataDir, { recursive: true, force: true });
    },
  };
}

const EDGE = 'edge';

/** The head of a request with a clip, and of the form in its body. */
export function uploadHead(bodyBytes: number, extra: readonly string[] = [], route = '/v1/predict'): string {
  const lines = [
    `POST ${route} HTTP/1.1`,
    'Host: test',
    `Content-Type: multipart/form-data; boundary=${EDGE}`,
    `Content-Length: ${bodyBytes}`,
    ...extra,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export const FORM_HEAD = `--${EDGE}\r\nContent-Disposition: form-data; name="clip"; filename="a.mp4"\r\n\r\n`;
export const FORM_END = `\r\n--${EDGE}--\r\n`;

/** A client that says just what it is told to. */
export class RawClient {
  readonly #socket: net.Socket;
  /** What the server said so far. */
  received = '';
  readonly closed: Promise<void>;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
    });
    socket.on('error', (error) => {
      this.received += `\n[${error.message}]`;
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = net.connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  /** Resolves when the bytes are handed to the system. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.write(data, () => resolve()));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
