import { once } from 'node:events';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readBundle } from '../../common/bundle-files.js';
import { forkModule } from '../../common/child.js';
import { MerError } from '../../common/errors.js';
import { HttpClient } from '../load/http-client.js';
import { ServerProcess } from '../load/server-process.js';
import { MAX_OTHERS_SHARE, watchOthers } from '../machine.js';
import { GOLDEN_CLIPS } from '../preprocess-fairness.js';
import { measureAlone } from './answers.js';
import { type BenchClip, benchWords, makeLengths, makeSizes, openClip } from './clips.js';
import { measureEngine, measureLoad } from './load.js';
import { measureOverload } from './overload.js';
import type { Load, Part, ServeDetails } from './protocol.js';
import { measureAgainstReference } from './reference.js';

export interface ServeBenchOptions {
  /** One of the reference's size with random weights is made when absent. */
  bundleDir?: string;
  parts: readonly Part[];
  /** Clips of the comparison; the golden ones when empty. */
  clips: readonly string[];
  /** Measured turns of a clip alone. */
  repeats: number;
  /** Of ONNX Runtime in the inference process, and of the reference. */
  threads: number;
  /** Numbers of clients at once. */
  clients: readonly number[];
  /** Of each number of clients, and of the overload. */
  loadSeconds: number;
  overloadSeconds: number;
  note(line: string): void;
}

/** The clip that is sent under load: 5 s, 360p. */
const LOAD_CLIP = path.join(GOLDEN_CLIPS, '00002-ang-neu-ang.mp4');
/** Clips at once in the comparison with the bare engine: more than enough to keep every process at work. */
const ENGINE_CLIENTS = 4;

/**
 * Measures a server in a process of its own, with the settings that it has unless told otherwise, over the loopback
 * address: beside the PyTorch reference, beside its own engine, by clients at once, under overload, by length and size
 * of clips.
 *
 * @throws MerError those of the bundle; missing_part without what the reference or the exporter needs
 */
export async function benchServe(options: ServeBenchOptions): Promise<ServeDetails> {
  const { parts, threads, repeats, note } = options;
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-bench-serve-'));
  try {
    const bundleDir = options.bundleDir ?? (await makeBundle(folder, note));
    const { name, version, preprocessing } = await readBundle(bundleDir);
    const temporaryDir = path.join(folder, 'server');
    await fsp.mkdir(temporaryDir);
    const server = await ServerProcess.start({ bundleDir, temporaryDir, flags: ['--threads', `${threads}`] });
    const client = new HttpClient(server.url);
    const words = benchWords(preprocessing.wordDim);
    const details: ServeDetails = {
      ...{ model: { name, version }, threads, repeats },
      ...{ unfair: [], answers: [], load: [], lengths: [], sizes: [] },
    };
    try {
      if (parts.includes('reference')) {
        note('one clip at a time, beside the PyTorch reference');
        Object.assign(details, await compare(client, { ...options, words, folder }));
      }
      const clip = await openClip(LOAD_CLIP, words);
      if (parts.includes('clients') || parts.includes('overload')) {
        details.load = await measureClients(client, clip, options);
      }
      if (parts.includes('engine')) {
        note('the server beside its bare engine');
        const file = path.join(folder, 'words.json');
        await fsp.writeFile(file, JSON.stringify(words));
        const load = { clients: ENGINE_CLIENTS, seconds: options.loadSeconds };
        details.engine = await measureEngine(client, clip, { bundleDir, threads, words: file, ...load });
      }
      if (parts.includes('overload')) {
        note(`ten times as many clips as it can answer, for ${options.overloadSeconds} s`);
        const peak = Math.max(...details.load.map(({ clipsPerSecond }) => clipsPerSecond));
        details.overload = await measureOverload(server.url, clip, peak, options.overloadSeconds);
      }
      if (parts.includes('scaling')) {
        note('clips of several lengths and sizes');
        details.lengths = await measureAlone(client, await makeLengths(folder, words), repeats);
        details.sizes = await measureAlone(client, await makeSizes(folder, words), repeats);
      }
      return details;
    } finally {
      client.dispose();
      await server.stop();
    }
  } finally {
    await fsp.rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  client: HttpClient,
  options: ServeBenchOptions & { words: number[][]; folder: string },
): Promise<Pick<ServeDetails, 'answers' | 'unfair'>> {
  const others = watchOthers();
  const clips: BenchClip[] = [];
  const files = options.clips.length > 0 ? options.clips : await goldenClips();
  for (const file of files) clips.push(await openClip(path.resolve(file), options.words));
  const { answers, unfair } = await measureAgainstReference(client, clips, options);
  const share = others();
  if (share !== null && share > MAX_OTHERS_SHARE) {
    unfair.push(`other processes took ${(100 * share).toFixed(0)} % of the machine meanwhile`);
  }
  return { answers, unfair };
}

async function goldenClips(): Promise<string[]> {
  const names = await fsp.readdir(GOLDEN_CLIPS);
  return names.sort().map((name) => path.join(GOLDEN_CLIPS, name));
}

async function measureClients(
  client: HttpClient,
  clip: BenchClip,
  { clients, loadSeconds, note }: ServeBenchOptions,
): Promise<Load[]> {
  const load: Load[] = [];
  for (const count of clients) {
    note(`${count} clients at once`);
    load.push(await measureLoad(client, clip, count, loadSeconds));
  }
  return load;
}

async function makeBundle(folder: string, note: (line: string) => void): Promise<string> {
  note('exporting a bundle of the size of the reference: AttnCNN-B4, CLSTM-B0, 12 layers of text');
  const made = path.join(folder, 'made');
  const child = forkModule(new URL('./make-bundle.js', import.meta.url), [made], { stdio: ['ignore', 2, 2, 'ipc'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) {
    throw new MerError(
      'missing_part',
      'The bundle for the benchmark could not be exported.',
      'Look at the lines before this one; `npm run setup` installs what exporting needs, or name a --bundle.',
    );
  }
  return path.join(made, 'bundle');
}
