import crypto from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { BUNDLE_FILE } from '../common/bundle.js';
import { MerError } from '../common/errors.js';
import { sha256File } from '../common/files.js';
import { MODALITIES, type Modality } from '../common/labels.js';
import { shellCommand } from '../common/shell.js';
import type { Mode } from '../models/spec.js';
import { type Checkpoint, readCheckpoint } from '../training/checkpoint.js';
import { BuildState } from './build-state.js';
import { type BuildView, createBuildView } from './build-view.js';
import { type CorpusCheck, checkCorpus } from './corpus-check.js';
import { backboneOf, type Preset, trainFlags } from './presets.js';
import { runCommand } from './run-command.js';

export interface BuildOptions {
  /** Folder of the corpus, or the file of a manifest. */
  corpus: string;
  /** Folder of the bundle. */
  out: string;
  /** Folder of everything in between. */
  work: string;
  preset: Preset;
  seed: number;
  /** Epochs of each training in place of the preset's. */
  epochs?: number | undefined;
  /** ImageNet weights that the EfficientNets of preset `full` start from. */
  backbones: { speech?: string | undefined; face?: string | undefined };
  /** Flags that `mer preprocess` is given as well. */
  preprocess: readonly string[];
}

/** A network of the build: its best epoch and what it is worth. */
export type BuiltNetwork = Pick<Checkpoint, 'epoch' | 'metrics'> & { mode: Mode };

export interface BuildResult {
  networks: BuiltNetwork[];
  seconds: number;
}

/** Lines of these commands' standard output are shown; those of the others are in the log only. */
const SHOWN_OUTPUT = ['preprocess', 'export'];

/** What TensorFlow's library says of itself at each start. */
const LIBRARY_NOTE = /^(WARNING: All log messages before absl|I\d{4} )/;

/**
 * The whole way from a corpus to a bundle: `mer preprocess`, a `mer train` for each modality that the clips have and
 * one for their fusion, and `mer export`, each in a process of its own. What an earlier run has done is not done
 * again, unless the clips or flags have changed since; an unfinished training is resumed.
 *
 * @throws MerError of the stage that failed; bad_argument for a corpus that cannot be trained on; interrupted
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  requireFittingBackbones(options);
  const started = Date.now();
  await fsp.mkdir(options.work, { recursive: true });
  const view = createBuildView();
  try {
    const run = new BuildRun(options, await BuildState.open(options.work), view);
    const corpus = await run.preprocess();
    const networks = await run.train(corpus);
    await run.export(corpus, networks.at(-1)!.mode);
    return { networks, seconds: (Date.now() - started) / 1000 };
  } finally {
    view.stop();
  }
}

/** One run of a build, stage by stage. */
class BuildRun {
  readonly #options: BuildOptions;
  readonly #state: BuildState;
  readonly #view: BuildView;
  readonly #features: string;
  readonly #logs: string;
  /** Until the clips are known, all three modalities are expected. */
  #stages = MODALITIES.length + 3;
  #stage = 0;

  constructor(options: BuildOptions, state: BuildState, view: BuildView) {
    this.#options = options;
    this.#state = state;
    this.#view = view;
    this.#features = path.join(options.work, 'features');
    this.#logs = path.join(options.work, 'logs');
  }

  /** Always looks at all clips; makes the features of those that have none or have changed. */
  async preprocess(): Promise<CorpusCheck> {
    const { corpus, seed, preprocess } = this.#options;
    this.#enter('preprocess');
    const folders = ['--corpus', corpus, '--features', this.#features];
    await this.#run(['preprocess', ...folders, '--seed', String(seed), ...preprocess]);
    const check = await checkCorpus(this.#features);
    for (const note of check.notes) this.#view.line(`note: ${note}`);
    const { length } = check.modalities;
    this.#stages = 1 + length + (length > 1 ? 1 : 0) + 1;
    return check;
  }

  /** Trains a network for each modality and, where there are several, their fusion, which comes last. */
  async train(corpus: CorpusCheck): Promise<BuiltNetwork[]> {
    const { modalities, clips, clipsWith } = corpus;
    const networks: BuiltNetwork[] = [];
    const weights: string[] = [];
    for (const modality of modalities) {
      const checkpoint = await this.#trainOne(modality, clipsWith[modality], this.#backbone(modality), corpus);
      networks.push({ mode: modality, epoch: checkpoint.epoch, metrics: checkpoint.metrics });
      weights.push(`--${modality}_load_weights`, checkpoint.file);
    }
    if (modalities.length > 1) {
      const { epoch, metrics } = await this.#trainOne('multimodal', clips, weights, corpus);
      networks.push({ mode: 'multimodal', epoch, metrics });
    }
    return networks;
  }

  async #trainOne(
    mode: Mode,
    clips: number,
    files: readonly string[],
    { fingerprint }: CorpusCheck,
  ): Promise<Checkpoint> {
    const { preset, seed, epochs } = this.#options;
    const stage = `train ${mode}`;
    const run = this.#runFolder(mode);
    const flags = Object.entries(trainFlags(mode, { preset, clips, epochs })).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
    const args = [
      ...['train', '--mode', mode, '--exp_name', preset, '--features', this.#features, '--logs', this.#logs],
      ...['--seed', String(seed), ...flags, ...files],
    ];
    const inputs = await hashOf(fingerprint, args, files);
    await this.#finish(stage, inputs, async (begun) => {
      const resumes = begun && fs.existsSync(path.join(run, 'resume.safetensors'));
      // What lies there otherwise is of other clips or flags.
      if (!resumes) await fsp.rm(run, { recursive: true, force: true });
      await this.#run(resumes ? [...args, '--resume'] : args);
    });
    const checkpoint = await readCheckpoint(run);
    this.#view.line(`    best epoch ${checkpoint.epoch}: ${describe(checkpoint)}`);
    return checkpoint;
  }

  async export({ modalities }: CorpusCheck, mode: Mode): Promise<void> {
    const { out } = this.#options;
    const { file } = await readCheckpoint(this.#runFolder(mode));
    const absent = mode === 'multimodal' ? MODALITIES.filter((modality) => !modalities.includes(modality)) : [];
    const without = absent.length > 0 ? ['--without', absent.join()] : [];
    const args = ['export', '--run', this.#runFolder(mode), '--out', out, ...without];
    const inputs = await hashOf('', args, [file]);
    const isThere = fs.existsSync(path.join(out, BUNDLE_FILE));
    await this.#finish('export', inputs, () => this.#run(args), isThere);
  }

  /** Enters a stage and brings it to its end, unless an earlier run has. */
  async #finish(
    stage: string,
    inputs: string,
    work: (begun: boolean) => Promise<void>,
    resultIsThere = true,
  ): Promise<void> {
    const name = `${this.#options.preset}/${stage}`;
    this.#enter(stage);
    const known = this.#state.of(name, inputs);
    if (known?.done && resultIsThere) {
      this.#view.line(`    done before, in ${known.seconds.toFixed(0)} s`);
      return;
    }
    const [before, from] = [known?.seconds ?? 0, Date.now()];
    const seconds = () => before + (Date.now() - from) / 1000;
    await this.#state.note(name, inputs, false, before);
    try {
      await work(known !== null);
    } catch (error) {
      await this.#state.note(name, inputs, false, seconds());
      throw error;
    }
    await this.#state.note(name, inputs, true, seconds());
    this.#view.line(`    ${seconds().toFixed(0)} s`);
  }

  #enter(stage: string): void {
    this.#view.enter(this.#stage, this.#stages, stage);
    this.#stage += 1;
  }

  /** Runs a command; everything that it says is in the log. */
  async #run(args: readonly string[]): Promise<void> {
    const log = path.join(this.#options.work, 'build.log');
    const command = `$ ${shellCommand(['mer', ...args])}`;
    this.#view.line(command);
    await fsp.appendFile(log, `${command}\n`);
    await runCommand(args, {
      onProgress: (progress) => this.#view.progress(progress),
      onLine: (line, stream) => {
        fs.appendFileSync(log, `${line}\n`);
        const shown = stream === 'stdout' ? SHOWN_OUTPUT.includes(args[0]!) : !LIBRARY_NOTE.test(line);
        if (shown) this.#view.line(`    ${line}`);
      },
    });
  }

  #runFolder(mode: Mode): string {
    return path.join(this.#logs, mode, this.#options.preset);
  }

  #backbone(modality: Modality): string[] {
    const file = modality === 'text' ? undefined : this.#options.backbones[modality];
    return file === undefined ? [] : ['--backbone_weights', file];
  }
}

/** @throws MerError bad_argument for ImageNet weights where the preset has no network for them */
function requireFittingBackbones({ backbones, preset }: BuildOptions): void {
  for (const [modality, file] of Object.entries(backbones) as [Modality, string | undefined][]) {
    if (file === undefined || backboneOf(modality, preset) !== undefined) continue;
    throw new MerError(
      'bad_argument',
      `--${modality}_backbone_weights ${file}: the ${modality} network of preset ${preset} is no EfficientNet that has such weights.`,
      'Use --preset full, or leave the weights out.',
    );
  }
}

/** Changes with the clips, the flags, and the content of the files that are started from. */
async function hashOf(fingerprint: string, args: readonly string[], files: readonly string[]): Promise<string> {
  const hash = crypto.createHash('sha256').update(JSON.stringify([fingerprint, args]));
  for (const file of files.filter((word) => fs.existsSync(word))) hash.update(await sha256File(file));
  return hash.digest('hex');
}

function describe({ metrics }: Pick<Checkpoint, 'metrics'>): string {
  const { clips, accuracy, macroF1 } = metrics.inte!;
  return `accuracy ${accuracy.toFixed(3)}, macro-F1 ${macroF1.toFixed(3)} on ${clips} validation clips`;
}
