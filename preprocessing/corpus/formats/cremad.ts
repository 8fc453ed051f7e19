import path from 'node:path';
import type { Emotion } from '../../../common/labels.js';
import { isClip, isSound, stemOf, walkFiles } from './clip-files.js';
import { type CsvRow, readCsv } from './csv.js';
import type { CorpusFormat, ListedClip, Listing } from './format.js';

/** Actor, sentence, acted emotion, level. */
const NAME = /^(\d{4})_([A-Z]{3})_(ANG|DIS|FEA|HAP|NEU|SAD)_(?:LO|MD|HI|XX|X)$/;

const VOTES_FILE = 'summaryTable.csv';

const VOTES: Record<string, Emotion> = { A: 'ang', D: 'dis', F: 'fea', H: 'hap', N: 'neu', S: 'sad' };

const ACTED: Record<string, Emotion> = { ANG: 'ang', DIS: 'dis', FEA: 'fea', HAP: 'hap', NEU: 'neu', SAD: 'sad' };

const SENTENCES: Record<string, string> = {
  DFA: "Don't forget a jacket",
  IEO: "It's eleven o'clock",
  IOM: "I'm on my way to the meeting",
  ITH: "I think I have a doctor's appointment",
  ITS: "I think I've seen this before",
  IWL: 'I would like a new alarm clock',
  IWW: 'I wonder what this is about',
  MTI: 'Maybe tomorrow it will be cold',
  TAI: 'The airplane is almost full',
  TIE: 'That is exactly what happened',
  TSI: 'The surface is slick',
  WSI: "We'll stop in a couple of minutes",
};

/**
 * CREMA-D (Cao et al. 2014): `1001_DFA_ANG_XX.flv|mp4|wav|mp3`, in whatever folders. With `processedResults/summaryTable.csv`
 * the majority votes of the raters are the labels: MultiModalVote the integrated one, FaceVote and VoiceVote those of
 * face and speech; a tie (`A:N`) of the integrated vote drops the clip, one of the others leaves that label open.
 * Without the table, and for clips that it lacks, the acted emotion of the name is the integrated label.
 */
export const cremad: CorpusFormat = {
  name: 'cremad',
  layout: 'clips named like 1001_DFA_ANG_XX.flv (actor_sentence_emotion_level)',

  async recognises(corpusDir) {
    const names = (await walkFiles(corpusDir)).filter(isClip);
    const own = names.filter((name) => NAME.test(stemOf(name)));
    return own.length > 0 && 2 * own.length > names.length;
  },

  async list(corpusDir) {
    const files = await walkFiles(corpusDir);
    const table = files.find((file) => path.basename(file) === VOTES_FILE);
    const votes = table === undefined ? null : await readVotes(path.join(corpusDir, table));
    const listing: Listing = { clips: [], failures: [], notes: [] };
    const left = { ties: 0, partial: 0, foreign: 0 };
    let acted = 0;
    const pictured = new Set(files.filter((file) => isClip(file) && !isSound(file)).map(stemOf));
    const waves = new Set(files.filter((file) => path.extname(file).toLowerCase() === '.wav').map(stemOf));
    for (const file of files.filter(isClip)) {
      const stem = stemOf(file);
      const parts = NAME.exec(stem);
      if (!parts) {
        left.foreign += 1;
        continue;
      }
      // The corpus comes as film, as wav and as mp3: the fullest file of each performance is taken.
      const isWave = path.extname(file).toLowerCase() === '.wav';
      if (isSound(file) && (pictured.has(stem) || (!isWave && waves.has(stem)))) {
        left.partial += 1;
        continue;
      }
      const [, speaker = '', sentence = '', emotion = ''] = parts;
      const row = votes?.get(stem);
      if (votes && !row) acted += 1;
      const labels = row ? votedLabels(row) : { inte: ACTED[emotion]!, face: null, speech: null };
      if (!labels) {
        left.ties += 1;
        continue;
      }
      listing.clips.push({
        ...{ split: null, source: path.dirname(file), stem, fileId: stem, clip: path.join(corpusDir, file) },
        ...(SENTENCES[sentence] ? { transcript: SENTENCES[sentence] } : {}),
        ...{ labels, speaker },
      });
    }
    listing.notes.push(
      table === undefined
        ? `there is no processedResults/${VOTES_FILE}: the labels are the acted emotions of the names`
        : `the labels are the raters' votes of ${table}`,
    );
    if (left.ties > 0) listing.notes.push(`${left.ties} clips were left out: the vote on the whole clip is a tie`);
    if (acted > 0) listing.notes.push(`${acted} clips are not in the table: their acted emotion is the label`);
    if (left.partial > 0) {
      listing.notes.push(`${left.partial} sound files were left out: a fuller file of the performance is there`);
    }
    if (left.foreign > 0) {
      listing.notes.push(`${left.foreign} files are not named in the manner of CREMA-D and were left out`);
    }
    return listing;
  },
};

async function readVotes(file: string): Promise<Map<string, CsvRow>> {
  const rows = await readCsv(file, ['FileName', 'VoiceVote', 'FaceVote', 'MultiModalVote']);
  return new Map(rows.map((row) => [stemOf(row.values.FileName ?? ''), row]));
}

/** Null when the vote on the whole clip is a tie. */
function votedLabels({ values }: CsvRow): ListedClip['labels'] {
  const vote = (column: string): Emotion | null => VOTES[values[column] ?? ''] ?? null;
  const inte = vote('MultiModalVote');
  return inte && { inte, face: vote('FaceVote'), speech: vote('VoiceVote') };
}
