import path from 'node:path';
import type { Emotion } from '../../../common/labels.js';
import { isClip, stemOf, walkFiles } from './clip-files.js';
import type { CorpusFormat, FormatOptions, ListedClip } from './format.js';

/** Modality, vocal channel, emotion, intensity, statement, repetition, actor. */
const NAME = /^(0[123])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d{2})$/;

const AUDIO_VIDEO = '01';
const SONG = '02';
const CALM = '02';

const EMOTION_CODES: Record<string, Emotion> = {
  '01': 'neu',
  '03': 'hap',
  '04': 'sad',
  '05': 'ang',
  '06': 'fea',
  '07': 'dis',
  '08': 'sur',
};

const STATEMENTS: Record<string, string> = {
  '01': 'Kids are talking by the door',
  '02': 'Dogs are sitting by the door',
};

/**
 * RAVDESS (Livingstone and Russo 2018): `MM-VC-EE-II-SS-RR-AA.mp4` or `.wav`, in whatever folders. The actor is the
 * speaker, the spoken sentence the transcript.
 */
export const ravdess: CorpusFormat = {
  name: 'ravdess',
  layout: 'clips named like 01-01-05-02-01-01-12.mp4 (modality-channel-emotion-intensity-statement-repetition-actor)',

  async recognises(corpusDir) {
    const names = (await walkFiles(corpusDir)).filter(isClip);
    const own = names.filter((name) => NAME.test(stemOf(name)));
    return own.length > 0 && 2 * own.length > names.length;
  },

  async list(corpusDir, { ravdessCalm }) {
    const files = (await walkFiles(corpusDir)).filter(isClip);
    const stems = new Set(files.map(stemOf));
    const clips: ListedClip[] = [];
    const left = { calm: 0, partial: 0, foreign: 0 };
    let songs = 0;
    for (const file of files) {
      const stem = stemOf(file);
      const parts = NAME.exec(stem);
      if (!parts) {
        left.foreign += 1;
        continue;
      }
      const [, modality = '', channel = '', emotion = '', , statement = '', , actor = ''] = parts;
      // The same performance without its sound or its pictures would be learnt from twice.
      if (modality !== AUDIO_VIDEO && stems.has(AUDIO_VIDEO + stem.slice(AUDIO_VIDEO.length))) {
        left.partial += 1;
        continue;
      }
      const inte = emotionOf(emotion, ravdessCalm);
      if (inte === null) {
        left.calm += 1;
        continue;
      }
      if (channel === SONG) songs += 1;
      clips.push({
        split: null,
        source: channel === SONG ? 'song' : 'speech',
        stem,
        fileId: stem,
        clip: path.join(corpusDir, file),
        ...(STATEMENTS[statement] ? { transcript: STATEMENTS[statement] } : {}),
        labels: { inte, face: null, speech: null },
        speaker: actor,
      });
    }
    const calm = clips.filter(({ stem }) => stem.slice(6, 8) === CALM).length;
    const notes = [
      [calm, 'clips are calm and count as neu (--ravdess_calm drop leaves them out)'],
      [left.calm, 'calm clips were left out'],
      [left.partial, 'clips without sound or without pictures were left out: the same performance is there whole'],
      [songs, 'clips are sung'],
      [left.foreign, 'files are not named in the manner of RAVDESS and were left out'],
    ] as const;
    return {
      clips,
      failures: [],
      notes: notes.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])),
    };
  },
};

function emotionOf(code: string, calm: FormatOptions['ravdessCalm']): Emotion | null {
  if (code === CALM) return calm === 'drop' ? null : calm;
  return EMOTION_CODES[code] ?? null;
}
