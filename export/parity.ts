import { once } from 'node:events';
import { forkModule } from '../common/child.js';
import { MerError } from '../common/errors.js';
import { EMOTION_COUNT, MODALITIES, type Modality } from '../common/labels.js';
import type { ModelSpec } from '../models/spec.js';
import type { Batch } from '../preprocessing/model-inputs.js';
import type { Checkpoint } from '../training/checkpoint.js';
import { createPredictor, type Prediction } from '../training/tensorflow/predictor.js';
import { largestError } from './largest-error.js';
import { LOGITS, type NetworkLogits } from './onnx-network.js';
import { type ParityCase, parityCases } from './parity-cases.js';
import { type BatchLogits, replySchema } from './parity-protocol.js';

/** A logit may differ by this times max(1, |logit|): a hundred times float32's rounding through such networks. */
export const PARITY_TOLERANCE = 1e-4;

export interface ParityReport {
  tolerance: number;
  /** Largest |difference| / max(1, |logit|) seen. */
  maxError: number;
  /** How many sizes of every input were tried. */
  sizes: number;
}

/**
 * Compares the logits of a network, fused and of each modality, between TensorFlow (this process) and ONNX Runtime (a
 * child process), float32 on the CPU, at three sizes of every input and three gains of the face: TensorFlow's padded
 * batch against ONNX Runtime's, and against ONNX Runtime's answer for each clip alone (in compat seed, where a clip's
 * text depends on its batch, alone against alone). `mer export` hides GPUs from TensorFlow for this.
 *
 * @param directory holds those of speech.onnx, face.onnx, text.onnx, multimodal.onnx and single.onnx that there are
 * @param modalities that there is a branch for; the others are missing in every clip
 * @throws MerError parity_failed, naming the worst logit
 */
export async function checkParity(
  checkpoint: Pick<Checkpoint, 'spec' | 'state' | 'file'>,
  directory: string,
  modalities: readonly Modality[] = MODALITIES,
): Promise<ParityReport> {
  const { spec, state, file } = checkpoint;
  const cases = parityCases(spec, modalities);
  const predictor = await createPredictor(spec, state, file);
  const logits = (batch: Batch) => allLogits(spec, predictor.predict(batch), modalities);
  let expected: Expected[];
  try {
    expected = cases.map(({ batch, singles }) => ({
      batch: logits(batch),
      singles: spec.compat === 'seed' ? singles.map(logits) : null,
    }));
  } finally {
    predictor.dispose();
  }
  const results = await runOnnx(
    directory,
    cases.flatMap(({ batch, singles }) => [batch, ...singles]),
  );
  const report: ParityReport = { tolerance: PARITY_TOLERANCE, maxError: 0, sizes: cases.length };
  let worst = '';
  for (const { where, wanted, found } of pairs(cases, expected, results)) {
    const error = largestError(wanted, found);
    if (error <= report.maxError) continue;
    report.maxError = error;
    worst = where;
  }
  if (report.maxError <= PARITY_TOLERANCE) return report;
  throw new MerError(
    'parity_failed',
    `TensorFlow and ONNX Runtime differ by ${report.maxError.toExponential(2)} in the ${worst}; ${PARITY_TOLERANCE} is allowed.`,
    'Check that the training did not diverge; else report this with the checkpoint. No bundle was written.',
  );
}

/** TensorFlow's logits of one case; `singles` where a clip alone has others than in its batch. */
interface Expected {
  batch: NetworkLogits;
  singles: NetworkLogits[] | null;
}

/** The logits that must be equal: the fused ones of every clip, and those of each modality that the clip has. */
function* pairs(cases: readonly ParityCase[], expected: readonly Expected[], results: readonly BatchLogits[]) {
  let next = 0;
  for (const [size, { batch }] of cases.entries()) {
    const batched = results[next++]!;
    for (let clip = 0; clip < batch.clips; clip++) {
      const alone = results[next++]!;
      const { batch: together, singles } = expected[size]!;
      for (const output of LOGITS) {
        if (together[output] === undefined || (output !== 'inte' && !isPresent(batch, clip, output))) continue;
        const wanted = logitsOf(together[output], clip);
        const wantedAlone = singles ? logitsOf(singles[clip]![output], 0) : wanted;
        for (const files of ['parts', 'single'] as const) {
          const [inBatch, byItself] = [batched[files], alone[files]];
          if (inBatch === undefined || byItself === undefined) continue;
          const graph = files === 'single' ? ' of the single file' : '';
          const where = `${output} logits${graph} of test clip ${clip} of size ${size}`;
          yield { where: `${where} in its batch`, wanted, found: logitsOf(inBatch[output], clip) };
          yield { where: `${where} alone`, wanted: wantedAlone, found: logitsOf(byItself[output], 0) };
        }
      }
    }
  }
}

function isPresent({ presence }: Batch, clip: number, modality: Modality): boolean {
  return presence[clip * MODALITIES.length + MODALITIES.indexOf(modality)] === 1;
}

/** Empty, and so equal to nothing, where a graph lacks the output. */
function logitsOf(matrix: Float32Array | undefined, clip: number): Float32Array {
  return (matrix ?? new Float32Array()).subarray(clip * EMOTION_COUNT, (clip + 1) * EMOTION_COUNT);
}

/** Without what has no graph: other branches than those of `modalities`, and the fusion of a unimodal network. */
function allLogits({ mode }: ModelSpec, { logits, branches }: Prediction, modalities: readonly Modality[]) {
  const result: NetworkLogits = mode === 'multimodal' ? { inte: logits.data } : {};
  for (const modality of modalities) result[modality] = branches[modality]!.logits.data;
  return result;
}

async function runOnnx(directory: string, batches: Batch[]): Promise<BatchLogits[]> {
  const child = forkModule(new URL('./parity-worker.js', import.meta.url));
  const abort = new AbortController();
  try {
    const ended = once(child, 'exit', { signal: abort.signal }).then(([code, signal]) => ({
      error: `its process ended with ${signal ?? `code ${code}`}`,
    }));
    child.send({ directory, batches });
    const answered = once(child, 'message', { signal: abort.signal }).then(([message]) => replySchema.parse(message));
    const reply = await Promise.race([answered, ended]);
    if ('results' in reply) return reply.results;
    throw new MerError(
      'internal',
      `ONNX Runtime could not run the exported files: ${reply.error}`,
      'Run `mer doctor` to see whether ONNX Runtime works here.',
    );
  } finally {
    abort.abort();
    child.kill();
  }
}
