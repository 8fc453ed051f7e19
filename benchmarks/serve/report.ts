import type { Chart, Figure, ReportTable, SuiteOutcome } from '../report/schema.js';
import { measured, type Summary } from '../statistics.js';
import { OVERLOAD_FACTOR } from './overload.js';
import { type AnsweredClip, type ServeDetails, STAGES } from './protocol.js';

const HEADER = ['clip', 'picture', 'its s', 'answered in s'];

/** The report in the form of every suite. */
export function serveOutcome(details: ServeDetails): SuiteOutcome {
  const { model, threads, repeats, unfair } = details;
  return {
    figures: figuresOf(details),
    notes: [
      `${model.name} ${model.version}, ${threads} threads; clips alone: medians of ${repeats}, over HTTP on the loopback address, from the request to its answer.`,
      ...(unfair.length > 0 ? [`No ratio to PyTorch is claimed: ${unfair.join('; ')}.`] : []),
    ],
    tables: [
      ...answersTable(details),
      ...splitTable(details),
      ...loadTable(details),
      ...engineTable(details),
      ...overloadTable(details),
      ...scalingTable(details),
    ],
    charts: chartsOf(details),
    details,
  };
}

function figuresOf({ answers, unfair, load, engine, overload, lengths, sizes }: ServeDetails): Figure[] {
  const alone = (clip: AnsweredClip): Figure => ({
    ...{ name: `${clip.clip}: clip to answer`, unit: 's', better: 'lower' },
    ...measured(clip.ours),
    ...(clip.reference && {
      rival: { name: 'PyTorch, tuned', ...measured(clip.reference) },
      ratio: unfair.length > 0 ? null : clip.reference.median / clip.ours.median,
    }),
  });
  const rate = (name: string, value: number): Figure => ({ name, unit: 'clips/s', better: 'higher', value });
  const wait = (name: string, seconds: number): Figure => ({
    name,
    unit: 'ms',
    better: 'lower',
    value: 1000 * seconds,
  });
  return [
    ...[...answers, ...lengths, ...sizes].map(alone),
    ...load.map(({ clients, clipsPerSecond }) => rate(`${clients} clients: throughput`, clipsPerSecond)),
    ...(engine
      ? [
          { ...rate('server', 0), ...measured(engine.server) },
          { ...rate('bare engine', 0), ...measured(engine.bare) },
        ]
      : []),
    ...(overload
      ? [
          rate('overload: goodput', overload.goodput),
          wait('overload: reject p99', overload.rejects.p99),
          wait('overload: /health/live p99', overload.live.p99),
        ]
      : []),
  ];
}

function answersTable({ answers }: ServeDetails): ReportTable[] {
  const rows = answers.flatMap(({ referenceStages: stages, reference, ...clip }) =>
    stages && reference
      ? [
          [
            clip.clip,
            `${clip.height}p`,
            ...[clip.ours, reference].map(range),
            seconds(stages.preprocessing),
            seconds(stages.networks),
          ],
        ]
      : [],
  );
  if (rows.length === 0) return [];
  return [
    {
      title: 'From clip to answer, one clip at a time',
      header: ['clip', 'picture', 'ours s', 'PyTorch s', 'its preprocessing', 'its networks'],
      rows,
      notes: [
        'Median (least–most). Ours: over HTTP, upload included. PyTorch: within its process, from the path to the logits. Both see 32 face frames and the same words.',
      ],
    },
  ];
}

function splitTable({ answers }: ServeDetails): ReportTable[] {
  if (answers.length === 0) return [];
  return [
    {
      title: 'Where our time goes, in ms',
      header: ['clip', 'picture', 'all', ...STAGES],
      rows: answers.map(({ clip, height, ours, stages }) => [
        ...[clip, `${height}p`, ours.median, ...STAGES.map((stage) => stages[stage])].map((cell) =>
          typeof cell === 'number' ? milliseconds(cell) : cell,
        ),
      ]),
      notes: [
        'http: receiving the clip and sending the answer; queued: waiting for a process; decode: ffmpeg and its pipe; rest: probing the file and passing on between the processes.',
      ],
    },
  ];
}

function loadTable({ load }: ServeDetails): ReportTable[] {
  if (load.length === 0) return [];
  return [
    {
      title: 'Clients at once',
      header: ['clients', 'answered', 'clips/s', 'p50 s', 'p99 s', 'event loop p99 ms'],
      rows: load.map(({ clients, answered, clipsPerSecond, p50, p99, eventLoopP99 }) => [
        ...[String(clients), String(answered), clipsPerSecond.toFixed(2), seconds(p50), seconds(p99)],
        (1000 * eventLoopP99).toFixed(1),
      ]),
      notes: [
        'Each client sends the 5 s clip of 360p again when it has its answer. event loop: how late that of the HTTP process was.',
      ],
    },
  ];
}

function engineTable({ engine }: ServeDetails): ReportTable[] {
  if (!engine) return [];
  const { clients, server, bare } = engine;
  const row = (name: string, { median, min, max }: Summary) => [
    name,
    ...[median, min, max].map((rate) => rate.toFixed(2)),
  ];
  return [
    {
      title: 'The server beside its bare engine',
      header: ['', 'clips/s', 'least', 'most'],
      rows: [row('over HTTP', server), row('bare engine, from disk', bare)],
      notes: [
        `${clients} clips at once on both sides, in turns. The server reaches ${percent(server.median / bare.median)} of the engine.`,
      ],
    },
  ];
}

function overloadTable({ overload }: ServeDetails): ReportTable[] {
  if (!overload) return [];
  const { statuses, skipped, rate, peak, goodput, rejects, live, answers } = overload;
  const counts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  return [
    {
      title: `${OVERLOAD_FACTOR} times as many clips as can be answered, for ${overload.seconds} s`,
      header: ['what', 'found'],
      rows: [
        ['requests a second', rate.toFixed(1)],
        ['answers', counts.join(', ')],
        ['not sent, since too many were open', String(skipped)],
        ['goodput, clips/s', `${goodput.toFixed(2)} (${percent(goodput / peak)} of the peak, ${peak.toFixed(2)})`],
        ['reject p50 / p99, ms', `${milliseconds(rejects.p50)} / ${milliseconds(rejects.p99)}`],
        [`/health/live p50 / p99, ms (${live.calls} calls)`, `${milliseconds(live.p50)} / ${milliseconds(live.p99)}`],
        ['answer p50 / p99, s', `${seconds(answers.p50)} / ${seconds(answers.p99)}`],
      ],
      notes: ['The load comes from the same machine and takes its share of the cores.'],
    },
  ];
}

function scalingTable({ lengths, sizes }: ServeDetails): ReportTable[] {
  if (lengths.length + sizes.length === 0) return [];
  return [
    {
      title: 'By length and picture size of the clip, one at a time',
      header: [...HEADER, 'decode', 'faces', 'inference'],
      rows: [...lengths, ...sizes].map(({ clip, width, height, duration, ours, stages }) => [
        ...[clip, `${width} x ${height}`, duration.toFixed(1), range(ours)],
        ...[stages.decode, stages.faces, stages.inference].map(seconds),
      ]),
      notes: [
        'Made of the golden clips by repeating and by scaling. Median (least–most), then the seconds of some stages.',
      ],
    },
  ];
}

function chartsOf({ load, lengths, sizes }: ServeDetails): Chart[] {
  const panel = (
    title: string,
    xLabel: string,
    yLabel: string,
    series: { name: string; points: [number, number][] }[],
  ) => ({
    ...{ title, xLabel, yLabel, series },
  });
  const curve = (clips: readonly AnsweredClip[], x: (clip: AnsweredClip) => number) => [
    { name: 'clip to answer', points: clips.map((clip): [number, number] => [x(clip), clip.ours.median]) },
    { name: 'inference', points: clips.map((clip): [number, number] => [x(clip), clip.stages.inference]) },
  ];
  const panels = [
    ...(lengths.length > 0
      ? [
          panel(
            'Length of the clip',
            'seconds',
            's',
            curve(lengths, (clip) => clip.duration),
          ),
        ]
      : []),
    ...(sizes.length > 0
      ? [
          panel(
            'Picture size',
            'megapixels',
            's',
            curve(sizes, ({ width, height }) => (width * height) / 1e6),
          ),
        ]
      : []),
  ];
  const clients = [
    panel('Throughput', 'clients at once', 'clips/s', [
      { name: 'clips/s', points: load.map((point): [number, number] => [point.clients, point.clipsPerSecond]) },
    ]),
    panel('Waiting', 'clients at once', 's', [
      { name: 'p50', points: load.map((point): [number, number] => [point.clients, point.p50]) },
      { name: 'p99', points: load.map((point): [number, number] => [point.clients, point.p99]) },
    ]),
  ];
  return [
    ...(panels.length > 0 ? [{ kind: 'curves' as const, name: 'scaling', title: 'Cost of a clip', panels }] : []),
    ...(load.length > 1
      ? [{ kind: 'curves' as const, name: 'clients', title: 'Clients at once', panels: clients }]
      : []),
  ];
}

function range({ median, min, max }: Summary): string {
  return `${seconds(median)} (${seconds(min)}–${seconds(max)})`;
}

function seconds(value: number): string {
  return value.toFixed(2);
}

function milliseconds(value: number): string {
  return (1000 * value).toFixed(value < 0.01 ? 1 : 0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
