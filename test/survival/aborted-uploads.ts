import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { clipForm, HttpClient, type Upload } from '../../benchmarks/load/http-client.js';
import { closedLoop } from '../../benchmarks/load/loops.js';
import { Random } from '../../common/random.js';
import {
  atMost,
  type Check,
  difference,
  never,
  predict,
  type Scenario,
  startServer,
  verdictOf,
  within,
} from './scenario.js';

const UPLOADS = { quick: 60, full: 500 };
const CLIENTS = 8;

/** Clients that go away: in the head, in the middle of the body, after it, and while their clip is worked on. */
export const abortedUploads: Scenario = {
  name: 'aborted-uploads',
  about: `${UPLOADS.full} clients that go away at any point of their request`,
  async run(ground): Promise<Check[]> {
    const count = ground.full ? UPLOADS.full : UPLOADS.quick;
    const server = await startServer(ground);
    const client = new HttpClient(server.url, false);
    try {
      const upload = clipForm(ground.face);
      const expected = verdictOf(await predict(client, upload));
      const rest = server.usage;
      const random = Random.for(ground.seed, 'aborted uploads');
      await closedLoop(CLIENTS, { count }, () =>
        abortedUpload(server.url, upload, {
          // One in four sends everything and goes while the clip waits or is worked on.
          share: random.uniform() < 0.25 ? 1 : random.uniform(),
          patienceMs: random.integer(200),
        }),
      );
      const start = performance.now();
      const after = verdictOf(await predict(client, upload));
      const seconds = (performance.now() - start) / 1000;
      const gone = await within(15, () => server.usage.temporaryFiles <= rest.temporaryFiles);
      const idle = await within(15, () => server.decoders.length === 0);
      await within(5, () => server.usage.descriptors <= rest.descriptors);
      const { temporaryFiles, descriptors } = server.usage;
      return [
        {
          promise: 'all that was uploaded is deleted',
          found: `${temporaryFiles - rest.temporaryFiles} files left`,
          kept: gone,
        },
        { promise: 'no decoder runs on', found: `${idle ? 'none' : 'some'} after ${count} uploads`, kept: idle },
        atMost('no connection is left open', Math.max(0, descriptors - rest.descriptors), 2),
        never('the next clip is answered as before', difference(after, expected), 'one clip'),
        atMost('it does not wait for clips whose clients have gone', seconds, 10, 's'),
        never('the server logs no error', server.errors, 'its log'),
      ];
    } finally {
      client.dispose();
      await server.stop('SIGKILL');
    }
  },
};

/**
 * Sends the first `share` of a request (head and body) over a connection of its own, waits, and breaks the connection
 * without a goodbye.
 */
async function abortedUpload(
  url: string,
  upload: Upload,
  { share, patienceMs }: { share: number; patienceMs: number },
): Promise<void> {
  const { hostname, port, host } = new URL(url);
  const head = [
    'POST /v1/predict HTTP/1.1',
    `Host: ${host}`,
    `Content-Type: ${upload.contentType}`,
    `Content-Length: ${upload.body.length}`,
  ];
  const whole = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), upload.body]);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.write(whole.subarray(0, Math.ceil(share * whole.length)), () => resolve());
  });
  await sleep(patienceMs);
  socket.resetAndDestroy();
}
