/** Edits that a typing error makes at most; beyond them nothing is suggested. */
const MOST_EDITS = 3;

/** ` Did you mean X?` for the candidate that is nearest to `word`, or nothing where none is near. */
export function suggestion(word: string, candidates: readonly string[]): string {
  let nearest: string | undefined;
  let fewest = MOST_EDITS + 1;
  for (const candidate of candidates) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    // More than half of the letters changed is another word.
    if (edits < fewest && edits <= Math.max(word.length, candidate.length) / 2) [nearest, fewest] = [candidate, edits];
  }
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`;
}

/** Letters to insert, delete, replace or exchange with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) edits = Math.min(edits, before[j - 2]! + 1);
      row.push(edits);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
