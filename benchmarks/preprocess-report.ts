import { type ClipReport, NETS, type OurSide, type PreprocessReport, STAGES } from './preprocess-protocol.js';
import type { Figure, ReportTable, SuiteOutcome } from './report/schema.js';
import { measured } from './statistics.js';

/** Clips of the reference's whole training set, for which the cost of a corpus is computed. */
const CORPUS_CLIPS = 44_370;

/** The report in the form of every suite. */
export function preprocessOutcome(report: PreprocessReport): SuiteOutcome {
  const { threads, repeats, unfair } = report;
  return {
    figures: report.clips.flatMap(figuresOf),
    notes: [
      `${threads} threads a side, medians of ${repeats} turns. Peak memory: what a fresh process held at most over its first clip, and what its ffmpeg processes held at their peaks. In a corpus: seconds a clip with one worker a core.`,
      ...(unfair.length > 0 ? [`No ratio is claimed: ${unfair.join('; ')}.`] : []),
    ],
    tables: tablesOf(report),
    charts: [],
    details: report,
  };
}

/** What later runs are compared by. */
function figuresOf(clip: ClipReport): Figure[] {
  const name = `${clip.clip} (${clip.height}p)`;
  const { reference } = clip;
  return (['default', 'seed'] as const).flatMap((mode): Figure[] => {
    const side = clip[mode];
    const common = { better: 'lower' as const, rival: { name: 'PyTorch' } };
    const seconds: Figure = {
      ...{ ...common, name: `${name}, ${mode}: one clip`, unit: 's', ratio: side.faster },
      ...measured(side.seconds),
      rival: { ...common.rival, ...measured(reference.seconds) },
    };
    const corpus: Figure = {
      ...{ ...common, name: `${name}, ${mode}: in a corpus`, unit: 's' },
      ratio: side.faster === null ? null : reference.seconds.median / clip.corpus[mode],
      value: clip.corpus[mode],
      rival: { ...common.rival, ...measured(reference.seconds) },
    };
    if (side.peakMemory === null || reference.peakMemory === null) return [seconds, corpus];
    const memory: Figure = {
      ...{ ...common, name: `${name}, ${mode}: peak memory`, unit: 'MB', ratio: side.smaller },
      value: side.peakMemory / 1e6,
      rival: { ...common.rival, value: reference.peakMemory / 1e6 },
    };
    return [seconds, memory, corpus];
  });
}

function tablesOf(report: PreprocessReport): ReportTable[] {
  return [throughput(report), split(report), referenceSplit(report), corpusCost(report)];
}

function throughput({ clips, machine, threads, unfair }: PreprocessReport): ReportTable {
  const faster = (reference: number, ours: number) => ratio(unfair.length > 0 ? null : reference / ours);
  return {
    title: 'A corpus: as `mer preprocess` does it, against the PyTorch reference',
    header: [
      ...['clip', 'picture', 'default: faster', 'seed: faster', 'default: than many', 'seed: than many'],
      ...['reference s', 'many s', 'default s', 'seed s'],
    ],
    rows: clips.map(({ clip, height, reference, corpus }) => {
      const [one, many] = [reference.seconds.median, corpus.reference];
      const ratios = [one, many].flatMap((rival) => [faster(rival, corpus.default), faster(rival, corpus.seed)]);
      return [
        ...[clip, `${height}p`, ...ratios],
        ...[one, many, corpus.default, corpus.seed].map((seconds) => seconds.toFixed(2)),
      ];
    }),
    notes: [
      `Seconds a clip. Ours: ${machine.cores} workers of one thread each, features written. The reference, which has no workers of its own: one process of ${threads} threads. Many: ${machine.cores} processes of the reference side by side, of one thread each. The reference writes nothing.`,
    ],
  };
}

function split({ clips, matrixRate, threads }: PreprocessReport): ReportTable {
  const row = (clip: ClipReport, mode: 'default' | 'seed') => {
    const { stages, seconds, floor, macs }: OurSide = clip[mode];
    const least = floor.decode + floor.nets;
    return [
      ...[clip.clip, mode, milliseconds(seconds.median)],
      ...STAGES.map((stage) => milliseconds(stages[stage] ?? 0)),
      (NETS.reduce((sum, net) => sum + macs[net], 0) / 1e9).toFixed(2),
      ...[floor.decode, floor.nets].map(milliseconds),
      (seconds.median / least).toFixed(1),
    ];
  };
  return {
    title: 'Where our time goes, in ms, and the distance to the floor',
    header: ['clip', 'mode', 'all', ...STAGES, 'G MACs', 'floor: decode', 'floor: nets', 'times the floor'],
    rows: clips.flatMap((clip) => [row(clip, 'default'), row(clip, 'seed')]),
    notes: [
      `decode: ffprobe beside ffmpeg and its pipe, in seed mode for the sound only. detector: the cascade without its nets. Nets and detector add up what two processes did at once, so that the stages may add up to more than all. rest: in seed mode reading and waiting for the pictures. Floor: ffmpeg alone decoding to nowhere, and the nets' multiply-accumulates at ${(matrixRate / 1e9).toFixed(0)} G/s, which a large float32 matrix product reaches here with ${threads} threads.`,
    ],
  };
}

function referenceSplit({ clips }: PreprocessReport): ReportTable {
  const stages = ['decode', 'audio', 'detection', 'crops'];
  return {
    title: "Where the reference's time goes, in ms",
    header: ['clip', 'all', ...stages, 'crops made'],
    rows: clips.map(({ clip, reference }) => [
      ...[clip, milliseconds(reference.seconds.median)],
      ...stages.map((stage) => milliseconds(reference.stages[stage] ?? 0)),
      String(reference.crops),
    ]),
    notes: [],
  };
}

function corpusCost({ clips, machine }: PreprocessReport): ReportTable {
  const pictures = [...new Set(clips.map(({ height }) => height))].sort((a, b) => a - b);
  const row = (name: string, chosen: readonly ClipReport[]) => {
    const mean = (read: (clip: ClipReport) => number) =>
      chosen.reduce((sum, clip) => sum + read(clip), 0) / chosen.length;
    const seconds = mean((clip) => clip.corpus.default);
    const bytes = mean((clip) => clip.default.bytes);
    return [
      ...[name, mean(({ duration }) => duration).toFixed(1), seconds.toFixed(3), (bytes / 1e6).toFixed(2)],
      ...[((CORPUS_CLIPS * seconds) / 3600).toFixed(1), ((CORPUS_CLIPS * bytes) / 1e9).toFixed(0)],
    ];
  };
  const mix = pictures.map((height) => `${clips.filter((clip) => clip.height === height).length} of ${height}p`);
  return {
    title: `A corpus of ${CORPUS_CLIPS} clips in default mode on this machine`,
    header: ['all clips as', 'their seconds', 's a clip', 'MB a clip', 'hours', 'GB'],
    rows: [
      ...pictures.map((height) =>
        row(
          `those of ${height}p`,
          clips.filter((clip) => clip.height === height),
        ),
      ),
      row(`this mix (${mix.join(', ')})`, clips),
    ],
    notes: [`${machine.cores} workers of one thread each at work at once, features written.`],
  };
}

function ratio(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(1)}x`;
}

function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(0);
}
