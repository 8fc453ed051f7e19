import { asMerError, type ErrorCode, type MerError } from '../../common/errors.js';
import { EMOTIONS, type Emotion, MODALITIES, type Modality } from '../../common/labels.js';
import { type ClipRecord, SPLITS, type Split } from '../features.js';
import type { CorpusClips } from './corpus-clips.js';
import { naturally } from './formats/clip-files.js';
import type { FormatName } from './formats/format.js';
import type { ClipFailure, SourceClip } from './source-clip.js';
import type { SplitMode } from './splits.js';

export interface SplitSummary {
  clips: number;
  failed: number;
  /** Clips that were whole already. */
  reused: number;
  /** Hours of media; this and what follows are of the clips that could be used. */
  hours: number;
  /** Different speakers, and clips of which the corpus does not say who speaks. */
  speakers: number;
  withoutSpeaker: number;
  /** Clips by integrated label. */
  classes: Record<Emotion, number>;
  unlabelled: number;
  /** Clips in which the modality can be used. */
  used: Record<Modality, number>;
  /** Mean share of the frames looked through in which the face was detected, over the clips that have one. */
  detected: number | null;
  /** Clips by the part of the corpus that they come from. */
  sources: Record<string, number>;
}

/** features/summary.json: what a corpus holds and what became of it. */
export interface CorpusSummary {
  format: FormatName;
  split: SplitMode;
  splits: Partial<Record<Split, SplitSummary>>;
  /** Labelled clips, and those whose face or speech label differs from the integrated one. */
  labels: { clips: number; faceDiffers: number; speechDiffers: number };
  /**
   * Transcripts, those that were looked up in a word-vector table, the mean share of their words that it does not have,
   * and those of which it has too few.
   */
  transcripts: { clips: number; lookedUp: number; outOfVocabulary: number | null; missing: number };
  /** sha256 of the network that embedded the faces; null when they were not. */
  faceEmbeddings: string | null;
  /** Clips that could not be used, by the reason; each of them is in failures.json. */
  failures: Partial<Record<ErrorCode, number>>;
  notes: string[];
  warnings: string[];
}

/** Clips named in a warning on equal content. */
const NAMED_CLIPS = 3;

/** Gathers what became of the clips, in whatever order they come. */
export class SummaryBuilder {
  readonly #corpus: CorpusClips;
  readonly #splits = new Map<Split, SplitSummary>();
  readonly #speakers = new Map<Split, Set<string>>();
  readonly #faceShares = new Map<Split, number[]>();
  readonly #failures: ClipFailure[];
  readonly #clipWarnings: string[] = [];
  readonly #labels = { clips: 0, faceDiffers: 0, speechDiffers: 0 };
  readonly #transcripts = { clips: 0, lookedUp: 0, unknown: 0, missing: 0 };
  #faceEmbeddings: string | null = null;
  /** Usable clips by the hash of their content. */
  readonly #byContent = new Map<string, SourceClip[]>();

  constructor(corpus: CorpusClips) {
    this.#corpus = corpus;
    this.#failures = [...corpus.failures];
  }

  get failed(): number {
    return this.#failures.length;
  }

  addFailure({ clip, split }: SourceClip, error: MerError): void {
    const summary = this.#split(split);
    summary.clips += 1;
    summary.failed += 1;
    this.#failures.push({ clip, ...asMerError(error).toJSON() });
  }

  addClip(clip: SourceClip, record: ClipRecord, reused: boolean): void {
    const { labels, speaker, source } = record;
    const summary = this.#split(clip.split);
    summary.clips += 1;
    if (reused) summary.reused += 1;
    summary.hours += record.duration / 3600;
    summary.sources[source] = (summary.sources[source] ?? 0) + 1;
    const { status, share } = record.face;
    if (status === 'used' && share !== undefined) this.#faceShares.get(clip.split)?.push(share);
    for (const modality of MODALITIES) if (record[modality].status === 'used') summary.used[modality] += 1;
    if (speaker === null) summary.withoutSpeaker += 1;
    else this.#speakers.get(clip.split)?.add(speaker);
    if (labels) {
      summary.classes[labels.inte] += 1;
      this.#labels.clips += 1;
      if (labels.face !== labels.inte) this.#labels.faceDiffers += 1;
      if (labels.speech !== labels.inte) this.#labels.speechDiffers += 1;
    } else summary.unlabelled += 1;
    this.#addWords(clip, record);
    this.#faceEmbeddings ??= record.embedding?.model ?? null;
    this.#clipWarnings.push(...(record.warnings ?? []).map((message) => `${clip.clip}: ${message}`));
    const equal = this.#byContent.get(record.inputs) ?? [];
    this.#byContent.set(record.inputs, equal);
    equal.push(clip);
  }

  #addWords({ words, transcript }: SourceClip, { text }: ClipRecord): void {
    if (words !== undefined || transcript === undefined) return;
    this.#transcripts.clips += 1;
    if (text.table === null) return;
    this.#transcripts.lookedUp += 1;
    this.#transcripts.unknown += text.outOfVocabulary ?? 0;
    if (text.status !== 'used') this.#transcripts.missing += 1;
  }

  finish(): { summary: CorpusSummary; failures: ClipFailure[] } {
    for (const [split, summary] of this.#splits) {
      const shares = this.#faceShares.get(split) ?? [];
      summary.speakers = this.#speakers.get(split)?.size ?? 0;
      summary.detected = shares.length === 0 ? null : shares.reduce((a, b) => a + b) / shares.length;
    }
    const byCode: CorpusSummary['failures'] = {};
    for (const { code } of this.#failures) byCode[code] = (byCode[code] ?? 0) + 1;
    const { format, splitMode, notes, warnings } = this.#corpus;
    const { clips, lookedUp, unknown, missing } = this.#transcripts;
    const splits = SPLITS.flatMap((split) => {
      const summary = this.#splits.get(split);
      return summary ? [[split, summary] as const] : [];
    });
    return {
      summary: {
        ...{
          format,
          split: splitMode,
          splits: Object.fromEntries(splits),
          labels: this.#labels,
          transcripts: { clips, lookedUp, outOfVocabulary: lookedUp === 0 ? null : unknown / lookedUp, missing },
          faceEmbeddings: this.#faceEmbeddings,
          failures: byCode,
          notes,
        },
        warnings: [...warnings, ...this.#warnOfEqualContent(), ...this.#clipWarnings.sort()],
      },
      failures: this.#failures.sort((a, b) => a.clip.localeCompare(b.clip)),
    };
  }

  #split(split: Split): SplitSummary {
    const known = this.#splits.get(split);
    if (known) return known;
    const zeros = Object.fromEntries(EMOTIONS.map((emotion) => [emotion, 0])) as Record<Emotion, number>;
    const summary: SplitSummary = {
      ...{ clips: 0, failed: 0, reused: 0, hours: 0, speakers: 0, withoutSpeaker: 0, classes: zeros, unlabelled: 0 },
      ...{ used: { speech: 0, face: 0, text: 0 }, detected: null, sources: {} },
    };
    this.#splits.set(split, summary);
    this.#speakers.set(split, new Set());
    this.#faceShares.set(split, []);
    return summary;
  }

  /** The same file twice is learnt from twice, says two things, or is learnt from and tested on. */
  #warnOfEqualContent(): string[] {
    // In order of their names: the clips came in order of completion.
    const equal = [...this.#byContent.values()]
      .filter((clips) => clips.length > 1)
      .map((clips) => clips.sort((a, b) => naturally(a.clip, b.clip)))
      .sort(([a], [b]) => naturally(a!.clip, b!.clip));
    const differ = (values: unknown[]): boolean => new Set(values).size > 1;
    const contrary = equal.filter((clips) => differ(clips.flatMap(({ labels }) => labels?.inte ?? [])));
    const leaking = equal.filter((clips) => differ(clips.map(({ split }) => split)));
    const harmless = equal.filter((clips) => !contrary.includes(clips) && !leaking.includes(clips));
    const say = (cases: SourceClip[][], how: string): string[] => {
      if (cases.length === 0) return [];
      const example = cases[0]!.slice(0, NAMED_CLIPS).map(({ clip }) => clip);
      return [`the same content is there ${how} (${cases.length}x), such as ${example.join(' and ')}`];
    };
    return [
      ...say(contrary, 'under different labels'),
      ...say(leaking, 'in different splits'),
      ...say(harmless, 'more than once'),
    ];
  }
}
