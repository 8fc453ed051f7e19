import { formatMarkdownTable, formatTable } from '../common/table.js';
import { type ClipReport, NETS, type OurSide, type PreprocessReport, STAGES } from './preprocess-protocol.js';

/** Clips of the reference's whole training set, for which the cost of a corpus is computed. */
const CORPUS_CLIPS = 44_370;

interface Section {
  title: string;
  header: string[];
  rows: string[][];
  notes: string[];
}

/** The report as text for a terminal. */
export function formatReport(report: PreprocessReport): string {
  const sections = sectionsOf(report).map(({ title, header, rows, notes }) =>
    [title, formatTable(header, rows), ...notes].join('\n'),
  );
  return [...introduction(report), '', sections.join('\n\n')].join('\n');
}

/** The same as Markdown, for a document. */
export function formatMarkdown(report: PreprocessReport): string {
  const sections = sectionsOf(report).map(({ title, header, rows, notes }) =>
    [`### ${title}`, formatMarkdownTable(header, rows), ...notes].join('\n\n'),
  );
  return `${[...introduction(report), ...sections].join('\n\n')}\n`;
}

function introduction({ machine, threads, repeats, othersShare, unfair }: PreprocessReport): string[] {
  const others = othersShare === null ? '' : `; other processes took ${percent(othersShare)} of the machine`;
  return [
    `Preprocessing, ${threads} threads a side, medians of ${repeats} turns; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}${others}`,
    ...(unfair.length > 0 ? [`No ratio is claimed: ${unfair.join('; ')}.`] : []),
  ];
}

function sectionsOf(report: PreprocessReport): Section[] {
  return [comparison(report), throughput(report), split(report), referenceSplit(report), corpusCost(report)];
}

function comparison({ clips }: PreprocessReport): Section {
  const range = ({ min, max }: { min: number; max: number }) => `${min.toFixed(2)}–${max.toFixed(2)}`;
  return {
    title: 'One clip at a time: ours against the PyTorch reference',
    header: [
      ...['clip', 'picture', 'default: faster', 'memory', 'seed: faster', 'memory'],
      ...['reference s', 'default s', 'seed s', 'reference MB', 'default MB', 'seed MB'],
    ],
    rows: clips.map(({ clip, height, default: standard, seed, reference }) => [
      ...[clip, `${height}p`],
      ...[standard, seed].flatMap(({ faster, smaller }) => [ratio(faster), ratio(smaller)]),
      ...[reference, standard, seed].map(({ seconds }) => `${seconds.median.toFixed(2)} (${range(seconds)})`),
      ...[reference, standard, seed].map(({ peakMemory }) => megabytes(peakMemory)),
    ]),
    notes: [
      'faster: seconds of the reference over ours; memory: its peak over ours. Seconds are the median (least–most). Peak: what a fresh process held at most over its first clip, and what its ffmpeg processes held at their peaks.',
    ],
  };
}

function throughput({ clips, machine, threads, unfair }: PreprocessReport): Section {
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

function split({ clips, matrixRate, threads }: PreprocessReport): Section {
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
      `decode: ffmpeg and its pipe, in seed mode for the sound only. detector: the cascade without its nets. rest: probing the file, in seed mode mostly reading and waiting for the pictures. Floor: ffmpeg alone decoding to nowhere, and the nets' multiply-accumulates at ${(matrixRate / 1e9).toFixed(0)} G/s, which a large float32 matrix product reaches here with ${threads} threads.`,
    ],
  };
}

function referenceSplit({ clips }: PreprocessReport): Section {
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

function corpusCost({ clips, machine }: PreprocessReport): Section {
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

function megabytes(bytes: number | null): string {
  return bytes === null ? '–' : (bytes / 1e6).toFixed(0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
