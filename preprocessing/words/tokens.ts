/**
 * The words of a transcript: what lies between white space, each with the spellings under which it is looked up, in
 * this order: as it stands, in lower case, then both again without the punctuation and symbols at its ends. A piece
 * of punctuation alone has no spelling without it and counts as a word only where the table has it.
 *
 * The text is brought to Unicode NFC first, so that Hangul written in single letters (as some systems store it) finds
 * the syllables of the table. Nothing is split further: a table of Korean morphemes will lack most words with a
 * particle, which the rate of unknown words then shows.
 */
export function transcriptWords(transcript: string): TranscriptWord[] {
  return transcript
    .normalize('NFC')
    .split(/\s+/u)
    .filter((piece) => piece !== '')
    .map((piece) => {
      const bare = piece.replace(OUTER_PUNCTUATION, '');
      const forms = [piece, piece.toLowerCase(), bare, bare.toLowerCase()].filter((form) => form !== '');
      return { forms: [...new Set(forms)], isPunctuation: bare === '' };
    });
}

export interface TranscriptWord {
  /** Spellings to look up; the first that the table has counts. */
  forms: string[];
  isPunctuation: boolean;
}

const OUTER_PUNCTUATION = /^[\p{P}\p{S}]+|[\p{P}\p{S}]+$/gu;
