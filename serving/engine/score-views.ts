import type { Modality } from '../../common/labels.js';
import { nonEmptySubsets, subsetName } from '../../common/subsets.js';
import { fitSpeech } from '../../preprocessing/model-inputs.js';
import { flipFrames } from '../../preprocessing/tta.js';
import type { Features, FusionRow, Network } from './network.js';
import {
  type ClipInputs,
  type FaceView,
  modalitiesOf,
  NO_FRAME,
  type ScoredViews,
  type ScoringRequest,
} from './scoring.js';
import { type BranchInput, finiteLogits, realShares } from './tensors.js';

/** One view of one clip, its place in the requests, and what it may share a run with. */
interface Job {
  clip: number;
  view: number;
  input(): BranchInput;
  length: number;
  bucket: number;
  gain: number;
}

/** By clip, modality and view. */
type ViewFeatures = Record<Modality, Float32Array[]>;

/**
 * Scores clips together: the views of one modality and one length bucket share runs, whatever clip they are of.
 *
 * @returns the scores in the order of the requests
 */
export async function scoreViews(network: Network, requests: readonly ScoringRequest[]): Promise<ScoredViews[]> {
  const scored = requests.map((): ScoredViews => ({ views: { speech: [], face: [], text: [] }, combinations: [] }));
  const features = requests.map((): ViewFeatures => ({ speech: [], face: [], text: [] }));
  for (const modality of network.modalities) {
    const jobs = requests.flatMap((request, clip) => jobsOf(network, request, clip, modality));
    for (const group of runsOf(network, modality, jobs)) {
      const inputs = group.map((job) => job.input());
      const longest = Math.max(...group.map(({ length }) => length));
      const shape = network.shapes.shape(modality, group.length, longest);
      const output = await network.runBranch(modality, inputs, shape, group[0]!.gain);
      for (const [row, { clip, view }] of group.entries()) {
        features[clip]![modality][view] = output.features[row]!;
        scored[clip]!.views[modality][view] = {
          logits: finiteLogits(output.logits[row]!, modality),
          attention: realShares(output.attention[row]!),
        };
      }
    }
  }
  if (network.hasFusion) await fuse(network, requests, features, scored);
  else for (const [clip, request] of requests.entries()) answerAlone(request, scored[clip]!);
  return scored;
}

/** The fusion over every subset of every combination. */
async function fuse(
  network: Network,
  requests: readonly ScoringRequest[],
  features: readonly ViewFeatures[],
  scored: readonly ScoredViews[],
): Promise<void> {
  const rows = requests.flatMap(({ combinations }, clip) =>
    combinations.flatMap((combination, index) => {
      const chosen: Features = {};
      for (const modality of modalitiesOf(combination)) {
        chosen[modality] = features[clip]![modality][combination[modality]!]!;
      }
      scored[clip]!.combinations[index] = {};
      return nonEmptySubsets(modalitiesOf(combination)).map((subset) => ({ clip, index, subset, features: chosen }));
    }),
  );
  const most = network.shapes.maxFusedRows;
  for (let start = 0; start < rows.length; start += most) {
    const group = rows.slice(start, start + most);
    const fused: FusionRow[] = group;
    const logits = await network.runFusion(fused, network.shapes.fusedRows(group.length));
    for (const [row, { clip, index, subset }] of group.entries()) {
      scored[clip]!.combinations[index]![subsetName(subset)] = finiteLogits(logits[row]!, 'fusion');
    }
  }
}

/** Without a fusion the only branch is the answer. */
function answerAlone({ combinations }: ScoringRequest, scored: ScoredViews): void {
  scored.combinations = combinations.map((combination) =>
    Object.fromEntries(
      modalitiesOf(combination).map((modality) => [modality, scored.views[modality][combination[modality]!]!.logits]),
    ),
  );
}

/** Views that run together: of one bucket and one gain, at most as many as a run takes. */
function runsOf(network: Network, modality: Modality, jobs: readonly Job[]): Job[][] {
  const groups = new Map<string, Job[]>();
  for (const job of jobs) {
    const key = `${job.bucket} ${job.gain}`;
    groups.set(key, [...(groups.get(key) ?? []), job]);
  }
  return [...groups.values()].flatMap((group) => {
    const most = network.shapes.maxRows(modality, group[0]!.bucket);
    return Array.from({ length: Math.ceil(group.length / most) }, (_, run) =>
      group.slice(run * most, (run + 1) * most),
    );
  });
}

function jobsOf(network: Network, { inputs, views }: ScoringRequest, clip: number, modality: Modality): Job[] {
  const job = (view: number, length: number, input: () => BranchInput, gain = 1): Job => ({
    ...{ clip, view, input, length, gain },
    bucket: network.shapes.bucket(modality, length),
  });
  switch (modality) {
    case 'speech':
      return views.speech.map(({ start, frames }, view) => {
        const { data, length } = given(inputs.speech, 'speech');
        return job(view, frames, () => fitSpeech(data, length, start, network.compat, frames));
      });
    case 'face':
      return views.face.map((face, view) =>
        job(view, face.frames.length, () => faceInput(inputs, face, network.spec.faceSize), face.variant.gain),
      );
    case 'text':
      return views.text.map((_, view) => {
        const text = given(inputs.text, 'text');
        return job(view, text.length, () => text);
      });
  }
}

function faceInput(inputs: ClipInputs, { frames, variant }: FaceView, side: number): BranchInput {
  const { data, length } = given(inputs.face, 'face');
  const size = side * side * 3;
  const all = frames.length === length && frames.every((frame, position) => frame === position);
  const taken = all ? data : new Uint8Array(frames.length * size);
  if (!all) {
    for (const [position, frame] of frames.entries()) {
      if (frame !== NO_FRAME) taken.set(data.subarray(frame * size, (frame + 1) * size), position * size);
    }
  }
  const flips = variant.horizontal || variant.vertical;
  return { data: flips ? flipFrames(taken, [side, side, 3], variant) : taken, length: frames.length };
}

function given<Input>(input: Input | null, modality: Modality): Input {
  if (input === null) throw new Error(`A request has views of ${modality} and no ${modality}.`);
  return input;
}
