/** Words with their vectors, all of one dimension. */
export type Words = readonly (readonly [word: string, vector: readonly number[]])[];

/** How tables of word vectors are written; `fastText` ends its lines with a space, `glove` has no first line. */
export const TABLE_FORMATS = {
  word2vecText: (words: Words) => Buffer.from(header(words) + lines(words)),
  fastText: (words: Words) => Buffer.from(header(words) + lines(words, ' \n')),
  glove: (words: Words) => Buffer.from(lines(words)),
  binary: (words: Words) => binary(words, '\n'),
  binaryWithoutNewlines: (words: Words) => binary(words, ''),
} as const;

function header(words: Words): string {
  return `${words.length} ${words[0]?.[1].length ?? 0}\n`;
}

function lines(words: Words, end = '\n'): string {
  return words.map(([word, vector]) => `${word} ${vector.join(' ')}${end}`).join('');
}

function binary(words: Words, end: string): Buffer {
  const entries = words.flatMap(([word, vector]) => [
    Buffer.from(`${word} `),
    Buffer.from(Float32Array.from(vector).buffer),
    Buffer.from(end),
  ]);
  return Buffer.concat([Buffer.from(header(words)), ...entries]);
}
