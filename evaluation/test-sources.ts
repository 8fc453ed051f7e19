import path from 'node:path';
import type { Bundle } from '../common/bundle.js';
import { type ErrorCode, MerError } from '../common/errors.js';
import { workerSettings } from '../preprocessing/corpus/corpus.js';
import { loadClipFeatures, removeClipFeatures } from '../preprocessing/corpus/feature-store.js';
import type { SourceClip } from '../preprocessing/corpus/source-clip.js';
import { type ClipOutcome, runClips } from '../preprocessing/corpus/worker-pool.js';
import type { ClipFeatures } from '../preprocessing/features.js';

/** Features of one clip of a test set, or why there are none. */
export type FoundFeatures = { features: ClipFeatures } | { code: ErrorCode; message: string };

export interface RawClipSettings {
  /** Where features lie until they are scored. */
  folder: string;
  /** Of bundles that look at clips in the same way; the nets of the first one find the faces. */
  bundles: readonly { directory: string; bundle: Bundle }[];
  wordTable?: { file: string; maxOutOfVocabulary: number };
  workers: number;
  signal?: AbortSignal;
}

/** Clips that are preprocessed at a time, for each worker: their features lie on disk until they are scored. */
const CLIPS_PER_WORKER = 8;

/**
 * Preprocesses clips as `mer preprocess` does and gives their features in the order of the clips. While some clips are
 * looked at by the caller the next ones are preprocessed; features are deleted once they have been given.
 *
 * @throws MerError bad_argument for bundles that look at clips in different ways; when the workers cannot work at all
 */
export async function* rawFeatures(
  clips: readonly SourceClip[],
  { folder, bundles, wordTable, workers, signal }: RawClipSettings,
): AsyncGenerator<FoundFeatures> {
  const { maxFrames, subject } = requireOneLook(bundles.map(({ bundle }) => bundle));
  const settings = await workerSettings({
    ...{ featuresDir: folder, netsDir: path.resolve(bundles[0]!.directory) },
    ...{ compat: bundles[0]!.bundle.compat, maxFrames, subject },
    ...(wordTable && { wordTable }),
  });
  const size = CLIPS_PER_WORKER * workers;
  const abandoned = new AbortController();
  const stop = AbortSignal.any([abandoned.signal, ...(signal ? [signal] : [])]);
  const preprocess = async (begin: number): Promise<Map<SourceClip, ClipOutcome>> => {
    const outcomes = new Map<SourceClip, ClipOutcome>();
    const chunk = clips.slice(begin, begin + size);
    await runClips(chunk, settings, workers, (clip, outcome) => outcomes.set(clip, outcome), stop);
    return outcomes;
  };
  let next = preprocess(0);
  try {
    for (let begin = 0; begin < clips.length; begin += size) {
      const outcomes = await next;
      next = preprocess(begin + size);
      // A failure of the next clips is told when it is their turn.
      next.catch(() => {});
      for (const clip of clips.slice(begin, begin + size)) {
        const outcome = outcomes.get(clip);
        // The run was interrupted: whoever iterates stops here.
        if (outcome === undefined) return;
        yield await take(clip, outcome, folder);
      }
    }
  } finally {
    abandoned.abort();
    await next.catch(() => {});
  }
}

async function take(clip: SourceClip, outcome: ClipOutcome, folder: string): Promise<FoundFeatures> {
  if (outcome.kind === 'failed') return outcome.error;
  const features = await loadClipFeatures(folder, clip.split, outcome.record);
  await removeClipFeatures(folder, clip.split, clip.stem);
  return { features };
}

/** What preprocessing depends on, which all bundles of an ensemble must share. */
function requireOneLook(bundles: readonly Bundle[]): {
  maxFrames: number;
  subject: Bundle['preprocessing']['subject'];
} {
  const [first] = bundles;
  const look = ({ preprocessing: { maxFrames, subject } }: Bundle) => `${maxFrames} frames of subject ${subject}`;
  const other = bundles.find((bundle) => look(bundle) !== look(first!));
  if (other === undefined) return first!.preprocessing;
  throw new MerError(
    'bad_argument',
    `The bundle ${first!.name} looks at ${look(first!)}, the bundle ${other.name} at ${look(other)}.`,
    'Give bundles that were trained on the same features.',
  );
}
