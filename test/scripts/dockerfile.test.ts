import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../common/paths.js';
import { answerSchema } from '../../serving/answer.js';
import { environmentOf, followDockerfile, jsonArguments, readDockerfile, type Stage } from '../helpers/dockerfile.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';
import { testClips } from '../helpers/test-clips.js';
import { tinyBundle } from '../helpers/tiny-bundle.js';

const DOCKERFILES = ['Dockerfile', 'Dockerfile.cuda'];

for (const file of DOCKERFILES) {
  test(`${file}: the linter finds nothing`, async () => {
    expect(validate(await fsp.readFile(path.join(PROJECT_ROOT, file), 'utf8'))).toEqual([]);
  });

  test(`${file}: the image has no Python, no root and a health check`, async () => {
    const { instructions } = (await readDockerfile(file)).at(-1)!;
    const of = (keyword: string) => instructions.filter((instruction) => instruction.keyword === keyword);
    expect(of('RUN').filter(({ text }) => /python|pip\b/.test(text))).toEqual([]);
    expect(of('USER').map(({ text }) => text)).toEqual(['1000:1000']);
    expect(of('HEALTHCHECK')).toHaveLength(1);
  });
}

/** A folder with the programs that the image of node has and that the steps call, and ffmpeg; no Python. */
async function programsOnly(folder: string): Promise<string> {
  await fsp.mkdir(folder);
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  for (const program of ['node', 'npm', 'sh', 'env', 'find', 'rm', 'ffmpeg', 'ffprobe']) {
    const found = folders.map((place) => path.join(place, program)).find((file) => fs.existsSync(file));
    if (found === undefined) throw new Error(`There is no ${program}.`);
    await fsp.symlink(await fsp.realpath(found), path.join(folder, program));
  }
  return folder;
}

/** Starts what the image starts, with its folders in `image`, on any free port. */
function startImage(stage: Stage, image: string, env: NodeJS.ProcessEnv): ChildProcess {
  const [program, ...args] = [...jsonArguments(stage, 'ENTRYPOINT'), ...jsonArguments(stage, 'CMD')];
  const ofImage = Object.entries(environmentOf(stage)).map(([name, value]) => [
    name,
    value.startsWith('/') ? path.join(image, value) : value,
  ]);
  return spawn(program!, args, {
    cwd: path.join(image, 'app'),
    env: { ...env, ...Object.fromEntries(ofImage), MER_PORT: '0', MER_PREPROCESS_WORKERS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function portOf(server: ChildProcess): Promise<string> {
  for await (const line of readline.createInterface({ input: server.stdout! })) {
    const { msg, url } = JSON.parse(line);
    if (msg === 'ready') return new URL(url).port;
  }
  throw new Error('The server ended before it was ready.');
}

/** Every file under a folder with its time of change. */
async function contents(folder: string): Promise<string[]> {
  const entries = await fsp.readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => `${file} ${(await fsp.stat(file)).mtimeMs}`));
}

/** Installing takes as long as the registry does. */
const INSTALL_TIMEOUT_MS = 600_000;

test(
  'followed without Python, the Dockerfile makes a small server that answers a clip and writes to /data alone',
  async () => {
    const [bundle, clips] = [await tinyBundle(), await testClips()];
    await inTemporaryFolder(async (directory) => {
      const env = { PATH: await programsOnly(path.join(directory, 'bin')), HOME: process.env.HOME };
      const stages = await readDockerfile('Dockerfile');
      const image = await followDockerfile(stages, directory, env);
      await fsp.cp(bundle, path.join(image, 'bundle'), { recursive: true });
      const app = await contents(path.join(image, 'app'));
      expect(app.filter((file) => /@tensorflow|libtensorflow|\.py |\/(win32|darwin)\//.test(file))).toEqual([]);

      const temporary = path.join(directory, 'tmp');
      await fsp.mkdir(temporary);
      const server = startImage(stages.at(-1)!, image, { PATH: env.PATH, TMPDIR: temporary });
      try {
        const port = await portOf(server);
        const form = new FormData();
        form.append('clip', new Blob([await fsp.readFile(clips.whole)]), 'clip.mp4');
        const response = await fetch(`http://127.0.0.1:${port}/v1/predict`, { method: 'POST', body: form });
        const { modalities } = answerSchema.parse(await response.json());
        expect([modalities.face.status, modalities.speech.status]).toEqual(['used', 'used']);
        const script = await fetch(`http://127.0.0.1:${port}/page/main.js`);
        expect([script.status, script.headers.get('Content-Type')]).toEqual([200, 'text/javascript; charset=utf-8']);

        const [node, ...check] = jsonArguments(stages.at(-1)!, 'HEALTHCHECK').map((arg) => arg.replace('8080', port));
        const [status] = await once(spawn(node!, check, { env, stdio: 'inherit' }), 'exit');
        expect(status).toBe(0);
      } finally {
        server.kill('SIGTERM');
        await once(server, 'exit');
      }
      expect(server.exitCode).toBe(0);
      expect(await contents(path.join(image, 'app'))).toEqual(app);
      expect((await fsp.readdir(image)).sort()).toEqual(['app', 'bundle', 'data']);
    });
  },
  INSTALL_TIMEOUT_MS,
);
