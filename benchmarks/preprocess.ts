import { execFile } from 'node:child_process';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Compat } from '../common/bundle.js';
import { DEFAULT_LIMITS } from '../preprocessing/media/media-limits.js';
import { type MediaInfo, probeMedia } from '../preprocessing/media/probe.js';
import { describeMachine, MAX_OTHERS_SHARE, watchOthers } from './machine.js';
import { buildMatrixProduct } from './matrix-product.js';
import { type ClipProcess, startOurs, startReference } from './measured-process.js';
import { checkGolden, checkSeconds, GOLDEN_CLIPS } from './preprocess-fairness.js';
import {
  type ClipReport,
  type MeasuredClip,
  NETS,
  type OurSide,
  type PreprocessReport,
  type ReferenceClip,
  STAGES,
} from './preprocess-protocol.js';
import { peakMemory } from './process-tree.js';
import { median, summarise } from './statistics.js';

export interface PreprocessBenchOptions {
  /** Clips with sound and pictures; the golden clips when empty. */
  clips: readonly string[];
  /** Measured runs of each side. */
  repeats: number;
  /** Of each side: of the decoder and of the nets. */
  threads: number;
  onProgress: (line: string) => void;
}

/** Runs of each process that are not measured, after the one that shows its memory. */
const WARMUP = 2;

/**
 * Measures preprocessing of the same clips by ours in both modes and by the PyTorch reference, turn by turn: each side
 * in a fresh process for each clip, warmed up, while the others rest. Loading of programs, libraries and nets is not
 * counted on any side, writing of features neither.
 *
 * @throws MerError missing_part without what either side needs; whatever is wrong with a clip
 */
export async function benchPreprocess(options: PreprocessBenchOptions): Promise<PreprocessReport> {
  const { repeats, threads, onProgress } = options;
  const clips = options.clips.length > 0 ? options.clips : await goldenClips();
  const folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'mer-bench-'));
  const machine = describeMachine();
  const others = watchOthers();
  try {
    const matrixRate = await measureMatrixRate(folder, threads);
    const reports: ClipReport[] = [];
    const unfair: string[] = [];
    for (const clip of clips) {
      onProgress(path.basename(clip));
      const { report, reasons } = await measureClip(path.resolve(clip), { folder, repeats, threads, matrixRate });
      reports.push(report);
      unfair.push(...reasons, ...checkSeconds('features', clip, report.reference.seconds.median, threads, machine));
    }
    const othersShare = others();
    if (othersShare !== null && othersShare > MAX_OTHERS_SHARE) {
      unfair.push(`other processes took ${(100 * othersShare).toFixed(0)} % of the machine meanwhile`);
    }
    const claimed = unfair.length === 0 ? reports : reports.map(withoutRatios);
    return { machine, threads, repeats, matrixRate, othersShare, unfair, clips: claimed };
  } finally {
    await fsp.rm(folder, { recursive: true, force: true });
  }
}

/** The clips of the golden data, by name. */
export async function goldenClips(): Promise<string[]> {
  const names = await fsp.readdir(GOLDEN_CLIPS);
  return names.sort().map((name) => path.join(GOLDEN_CLIPS, name));
}

/** Multiply-accumulates a second of a product of square matrices, which is what the nets' arithmetic could reach. */
async function measureMatrixRate(folder: string, threads: number): Promise<number> {
  const { file, macs } = await buildMatrixProduct(folder);
  const ours = await startOurs('default', threads);
  try {
    return await ours.matrixRate(file, macs, 30);
  } finally {
    await ours.kill();
  }
}

interface Measuring {
  folder: string;
  repeats: number;
  threads: number;
  matrixRate: number;
}

async function measureClip(clip: string, measuring: Measuring): Promise<{ report: ClipReport; reasons: string[] }> {
  const { folder, repeats, threads } = measuring;
  const info = await probeMedia(clip, DEFAULT_LIMITS);
  const mel = path.join(folder, 'mel.npy');
  const ours = await measureSides(
    clip,
    repeats,
    () => startOurs('default', threads),
    () => startOurs('seed', threads),
    () => startReference(threads, mel),
  );
  const [standard, seed, reference] = ours;
  const decode = await measureDecoding(clip, info, threads, repeats);
  const seconds = reference.runs.map((run) => run.seconds);
  const last = reference.runs.at(-1)!;
  const referenceSide = {
    seconds: summarise(seconds),
    peakMemory: reference.peak,
    stages: referenceStages(reference.runs),
    crops: last.crops,
  };
  const reasons = await checkGolden(clip, last, mel);
  const seedCrops = seed.runs.at(-1)!.crops;
  if (seedCrops !== last.crops) {
    reasons.push(`of ${path.basename(clip)} seed mode makes ${seedCrops} crops and the reference ${last.crops}`);
  }
  const against = { seconds: referenceSide.seconds.median, peak: reference.peak, decode, rate: measuring.matrixRate };
  const report: ClipReport = {
    clip: path.basename(clip),
    width: info.video?.width ?? 0,
    height: info.video?.height ?? 0,
    duration: info.duration ?? 0,
    default: ourSide(standard, against),
    seed: ourSide(seed, against),
    reference: referenceSide,
    corpus: {
      default: await measureCorpus(clip, repeats, (worker) => startWriting('default', folder, worker)),
      seed: await measureCorpus(clip, repeats, (worker) => startWriting('seed', folder, worker)),
      reference: await measureCorpus(clip, repeats, () => startReference(1, mel)),
    },
  };
  return { report, reasons };
}

interface Side<Result> {
  peak: number | null;
  runs: Result[];
}

/** Starts the three sides, shows each the clip, then lets them do it in turns, another one first each time. */
async function measureSides(
  clip: string,
  repeats: number,
  ...starts: [
    () => Promise<ClipProcess<MeasuredClip>>,
    () => Promise<ClipProcess<MeasuredClip>>,
    () => Promise<ClipProcess<ReferenceClip>>,
  ]
): Promise<[Side<MeasuredClip>, Side<MeasuredClip>, Side<ReferenceClip>]> {
  const processes: { kill(): Promise<void> }[] = [];
  const open = async <Result>(start: () => Promise<ClipProcess<Result>>) => {
    const process = await start();
    processes.push(process);
    const side: Side<Result> = { peak: await peakMemory(process.pid, () => process.run(clip)), runs: [] };
    for (let i = 0; i < WARMUP; i++) await process.run(clip);
    return { side, measure: async () => side.runs.push(await process.run(clip)) };
  };
  try {
    const [standard, seed, reference] = [await open(starts[0]), await open(starts[1]), await open(starts[2])];
    const turns = [standard.measure, seed.measure, reference.measure];
    for (let round = 0; round < repeats; round++) {
      for (let i = 0; i < turns.length; i++) await turns[(round + i) % turns.length]!();
    }
    return [standard.side, seed.side, reference.side];
  } finally {
    await Promise.all(processes.map((process) => process.kill()));
  }
}

/** Seconds of ffmpeg alone, decoding everything and keeping nothing. */
async function measureDecoding(clip: string, info: MediaInfo, threads: number, repeats: number): Promise<number> {
  const maps = [info.video, info.audio].flatMap((stream) => (stream ? ['-map', `0:${stream.index}`] : []));
  const args = ['-nostdin', '-v', 'error', '-threads', `${threads}`, '-f', info.demuxer, '-i', clip];
  const seconds: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await promisify(execFile)('ffmpeg', [...args, ...maps, '-f', 'null', '-']);
    seconds.push((performance.now() - start) / 1000);
  }
  return median(seconds);
}

/** Seconds a clip with one single-threaded worker a core, all of them at work. */
async function measureCorpus(
  clip: string,
  repeats: number,
  startWorker: (index: number) => Promise<ClipProcess<unknown>>,
): Promise<number> {
  const workers = await Promise.all(Array.from({ length: os.availableParallelism() }, (_, i) => startWorker(i)));
  try {
    await Promise.all(workers.map((worker) => worker.run(clip)));
    const start = performance.now();
    await Promise.all(
      workers.map(async (worker) => {
        for (let done = 0; done < repeats; done++) await worker.run(clip);
      }),
    );
    return (performance.now() - start) / 1000 / (repeats * workers.length);
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
  }
}

/** A worker as those of `mer preprocess`, which also writes the features. */
async function startWriting(compat: Compat, folder: string, worker: number): Promise<ClipProcess<MeasuredClip>> {
  const ours = await startOurs(compat, 1);
  return { ...ours, run: (clip) => ours.run(clip, path.join(folder, `worker-${worker}`)) };
}

function ourSide(
  { runs, peak }: Side<MeasuredClip>,
  reference: { seconds: number; peak: number | null; decode: number; rate: number },
): OurSide {
  const { macs, crops, bytes } = runs.at(-1)!;
  const seconds = summarise(runs.map((run) => run.seconds));
  return {
    seconds,
    peakMemory: peak,
    stages: Object.fromEntries(STAGES.map((stage) => [stage, median(runs.map(({ stages }) => stages[stage]))])),
    crops,
    macs,
    bytes,
    floor: { decode: reference.decode, nets: NETS.reduce((sum, net) => sum + macs[net], 0) / reference.rate },
    faster: reference.seconds / seconds.median,
    smaller: peak && reference.peak ? reference.peak / peak : null,
  };
}

/** By the names of our stages; the reference's detection is one call. */
function referenceStages(runs: readonly ReferenceClip[]): Record<string, number> {
  const of = (read: (stages: ReferenceClip['stages']) => number) => median(runs.map(({ stages }) => read(stages)));
  return {
    decode: of(({ sound, pictures }) => sound + pictures),
    audio: of(({ audio }) => audio),
    detection: of(({ detection }) => detection),
    crops: of(({ crops }) => crops),
  };
}

function withoutRatios(report: ClipReport): ClipReport {
  const silent = (side: OurSide): OurSide => ({ ...side, faster: null, smaller: null });
  return { ...report, default: silent(report.default), seed: silent(report.seed) };
}
