import type { Bundle, Inventory } from '../common/bundle.js';
import { formatTable } from '../common/table.js';
import { describeVariant } from './describe-variant.js';

type Graph = Inventory['graphs'][string];

/** What a bundle is and consists of, as text. All of it stands in bundle.json: neither Python nor a graph is run. */
export function describeBundleText(bundle: Bundle): string {
  return [summary(bundle), graphTable(bundle), ...ports(bundle), figures(bundle)].filter(Boolean).join('\n\n');
}

function summary(bundle: Bundle): string {
  const { name, version, created, compat, precision, emotions, parity, variant, preprocessing, inventory } = bundle;
  const opset = Object.values(inventory?.graphs ?? {})[0]?.opset;
  const lines = [
    `${name} ${version}, exported ${created}`,
    `precision ${precision}, compat ${compat}${opset ? `, ONNX opset ${opset}` : ''}`,
    `emotions ${emotions.join(' ')}`,
    `preprocessing version ${preprocessing.version}: at most ${preprocessing.maxFrames} face frames of ${preprocessing.faceSize} x ${preprocessing.faceSize} ` +
      `(subject ${preprocessing.subject}), ${preprocessing.maxWords} words of ${preprocessing.wordDim} dimensions`,
    `equals TensorFlow within ${parity.maxError.toExponential(1)} * max(1, |logit|)`,
  ];
  if (variant) lines.push(`${precision} against fp32: ${describeVariant(variant)}`);
  return lines.join('\n');
}

/** The entries of bundle.json that are graphs, by the name of their file without its ending. */
function files({ branches, fusion, single, mtcnn }: Bundle): { name: string; bytes: number }[] {
  return [...Object.values(branches), fusion, single, ...Object.values(mtcnn)].flatMap((entry) =>
    entry ? [{ name: entry.file.replace(/\.onnx$/, ''), bytes: entry.bytes }] : [],
  );
}

function graphTable(bundle: Bundle): string {
  const graphs: Partial<Record<string, Graph>> = bundle.inventory?.graphs ?? {};
  const rows = files(bundle).map(({ name, bytes }) => {
    const graph = graphs[name];
    const nodes = graph && Object.values(graph.operators).reduce((sum, count) => sum + count, 0);
    return [
      `${name}.onnx`,
      (bytes / 1e6).toFixed(2),
      graph ? String(graph.parameters) : '–',
      graph ? (graph.macs / 1e6).toFixed(1) : '–',
      nodes === undefined ? '–' : String(nodes),
    ];
  });
  const table = formatTable(['file', 'MB', 'parameters', 'million MACs', 'nodes'], rows);
  if (!bundle.inventory) return `${table}\nWhat the graphs consist of was not recorded: export the bundle again.`;
  const sizes = Object.entries(bundle.inventory.sizes).map(([name, size]) => `${name} ${size}`);
  return `${table}\nMACs of one run at ${sizes.join(', ')}`;
}

/** Inputs, outputs and operators of each graph. */
function ports({ inventory }: Bundle): string[] {
  return Object.entries(inventory?.graphs ?? {}).map(([name, { inputs, outputs, operators }]) => {
    const port = (value: Graph['inputs'][number]) => `${value.name} ${value.type} (${value.shape.join(', ')})`;
    const counts = Object.entries(operators).sort(([, a], [, b]) => b - a);
    return [
      `${name}.onnx`,
      `  in   ${inputs.map(port).join(', ')}`,
      `  out  ${outputs.map(port).join(', ')}`,
      `  ops  ${counts.map(([operator, count]) => `${operator} ${count}`).join(', ')}`,
    ].join('\n');
  });
}

/** The figures of the model card in short. */
function figures({ metrics, subsetMetrics, calibration }: Bundle): string {
  const outputs = Object.entries({ ...metrics, ...prefixed(subsetMetrics ?? {}) });
  if (outputs.length === 0) return 'No validation clips were measured.';
  const rows = outputs.map(([name, { clips, accuracy, macroF1, nll }]) => [
    name,
    String(clips),
    ...[accuracy, macroF1, nll].map((value) => value.toFixed(3)),
  ]);
  const table = formatTable(['output', 'clips', 'accuracy', 'macro-F1', 'NLL'], rows);
  const temperatures = Object.entries(calibration?.subsets ?? {}).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  return `${table}\ntemperatures: ${temperatures.length > 0 ? temperatures.join(', ') : 'none fitted'}`;
}

function prefixed<T>(metrics: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`fusion of ${name}`, value]));
}
