import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { MerError } from '../common/errors.js';
import { writeJsonAtomic } from '../common/files.js';
import { formatTable } from '../common/table.js';
import { MODES, type Mode } from '../models/spec.js';
import { trainFlags } from '../pipeline/presets.js';
import { readCheckpoint } from '../training/checkpoint.js';
import { runMer, startServer } from './commands.js';
import { answerTable, postClip } from './post-clip.js';

export interface DemoOptions {
  /** A clip of the user's own to be answered after the demo's. */
  clip?: string;
  /** Size of the demo corpus. */
  clips: number;
  seed: number;
  /** Folder in which demo/work, demo/report.json and bundles/demo are made. */
  root: string;
}

interface Stage {
  name: string;
  seconds: number;
}

/**
 * The whole story on demo data: clips, features, four trainings, export, server, answers. Ends with demo/report.json.
 * What an earlier, interrupted demo has finished is not done again.
 *
 * @throws MerError of the stage that failed
 */
export async function runDemo({ clip, clips, seed, root }: DemoOptions): Promise<void> {
  const started = Date.now();
  if (clip !== undefined && !fs.existsSync(clip)) {
    throw new MerError('not_found', `--clip ${clip} does not exist.`, 'Check the path.');
  }
  // Relative where they can be: that is what a user would type.
  const base = path.relative(process.cwd(), root);
  const corpus = path.join(base, 'demo', 'work', `corpus-${clips}-${seed}`);
  const features = path.join(corpus, 'features');
  const logs = path.join(corpus, 'logs');
  const bundle = path.join(base, 'bundles', 'demo');
  const report = path.join(base, 'demo', 'report.json');
  const stages: Stage[] = [];
  const stage = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    process.stdout.write(`\n[${stages.length + 1}/8] ${name}\n`);
    const from = Date.now();
    const result = await work();
    const seconds = (Date.now() - from) / 1000;
    stages.push({ name, seconds });
    process.stdout.write(`    ${seconds.toFixed(1)} s\n`);
    return result;
  };

  await stage('demo clips', () =>
    runMer(['demo-data', '--out', corpus, '--clips', String(clips), '--seed', String(seed)]),
  );
  await stage('preprocess', () =>
    runMer(['preprocess', '--corpus', corpus, '--features', features, '--max_frames', '16']),
  );
  for (const mode of MODES) {
    await stage(`train ${mode}`, () => trainOne(mode, features, logs, seed));
  }
  await stage('export', () => runMer(['export', '--run', `${logs}/multimodal/demo`, '--out', bundle]));
  const answers = await stage('serve and answer', () => answerClips(corpus, bundle, clip));

  const accuracy: Record<string, number> = {};
  for (const mode of MODES) {
    const { metrics } = await readCheckpoint(path.join(logs, mode, 'demo'));
    accuracy[mode] = metrics.inte!.accuracy;
  }
  const total = (Date.now() - started) / 1000;
  await writeJsonAtomic(report, { clips, seed, stages, total, accuracy, answers });
  const rows = Object.entries(accuracy).map(([mode, value]) => [mode, value.toFixed(3)]);
  process.stdout.write(`\n${formatTable(['network', 'accuracy on unseen speakers'], rows)}\n`);
  process.stdout.write(
    `(chance 0.143; synthetic people: this shows plumbing and learning, not emotion recognition)\n` +
      `All in ${total.toFixed(0)} s; report in ${report}. Serve this bundle with \`npm start\`.\n`,
  );
}

async function trainOne(mode: Mode, features: string, logs: string, seed: number): Promise<void> {
  const unfinished = fs.existsSync(path.join(logs, mode, 'demo', 'resume.safetensors'));
  const branches = (['speech', 'face', 'text'] as const).flatMap((name) => [
    `--${name}_load_weights`,
    `${logs}/${name}/demo`,
  ]);
  // Whatever the size of the demo, it trains as many epochs.
  const flags = trainFlags(mode, { preset: 'quick', clips: 1 });
  await runMer([
    ...['train', '--mode', mode, '--exp_name', 'demo', '--features', features, '--logs', logs],
    ...['--seed', String(seed), ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])],
    ...(mode === 'multimodal' ? branches : []),
    ...(unfinished ? ['--resume'] : []),
  ]);
}

/** POSTs the first validation clip with its words, then the user's clip, to a server of its own. */
async function answerClips(corpus: string, bundle: string, ownClip: string | undefined): Promise<unknown[]> {
  const folder = path.join(corpus, 'qia2020', 'val');
  const first = (await fsp.readdir(folder)).filter((name) => name.endsWith('.mp4')).sort()[0];
  if (first === undefined) throw new MerError('not_found', `${folder} holds no clip.`, 'Give more --clips.');
  const server = await startServer(['serve', '--bundle', bundle, '--port', '0']);
  const answers: unknown[] = [];
  try {
    const ask = async (clip: string, words?: string) => {
      process.stdout.write(`POST /v1/predict ${path.basename(clip)}\n`);
      const answer = await postClip(server.url, clip, words);
      process.stdout.write(`${answerTable(answer)}\n`);
      answers.push({ clip: path.basename(clip), ...answer });
    };
    await ask(path.join(folder, first), path.join(folder, `${first.split('-')[0]}.npz`));
    if (ownClip !== undefined) await ask(ownClip);
  } finally {
    await server.stop();
  }
  return answers;
}
