import type { Emotion } from '../../../common/labels.js';
import type { Split } from '../../features.js';
import type { ClipFailure, SourceClip } from '../source-clip.js';

export const FORMAT_NAMES = ['manifest', 'merc', 'meld', 'cremad', 'ravdess', 'folders'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** A clip as a corpus gives it: its split and some of its labels may be left open. */
export interface ListedClip extends Omit<SourceClip, 'split' | 'labels'> {
  /** Null where the corpus leaves it open, which it may for labelled clips only. */
  split: Split | null;
  /** `face` and `speech` are null where the corpus has no label of their own for them. */
  labels: { inte: Emotion; face: Emotion | null; speech: Emotion | null } | null;
}

/** What a format found in a folder. */
export interface Listing {
  /** In the corpus's own order, which keeps clips of one speaker together where speakers are not known. */
  clips: ListedClip[];
  /** Clips that cannot be used, as far as names and tables tell. */
  failures: ClipFailure[];
  /** What a user should know of the reading, such as clips that were left out on purpose. */
  notes: string[];
}

export const CALM_CHOICES = ['neu', 'drop'] as const;

export interface FormatOptions {
  /** RAVDESS: the class of the emotion "calm", which is none of the seven. */
  ravdessCalm: (typeof CALM_CHOICES)[number];
}

/** One way in which corpora name and label their clips. */
export interface CorpusFormat {
  name: FormatName;
  /** What a corpus of this format looks like; completes "… has no". */
  layout: string;
  /** Whether a folder looks like a corpus of this format. */
  recognises(corpusDir: string): Promise<boolean>;
  /** @throws MerError bad_file when a table of the corpus cannot be read. An empty listing is no error here. */
  list(corpusDir: string, options: FormatOptions): Promise<Listing>;
}
