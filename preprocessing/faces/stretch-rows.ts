/** For each output row of a bilinear interpolation the two input rows that it lies between. */
export interface RowPairs {
  first: ArrayLike<number>;
  second: ArrayLike<number>;
}

/**
 * Goes through the output rows of a bilinear interpolation. Of each the two input rows are interpolated along the row
 * first, into a line each; a line that is there already is not made again: the lower row is often the next upper one.
 *
 * @param lines addresses of two lines
 * @param fill makes the line of an input row
 * @param blend makes an output row of two lines
 */
export function stretchRows(
  { first, second }: RowPairs,
  lines: readonly [number, number],
  fill: (row: number, line: number) => void,
  blend: (outputRow: number, upper: number, lower: number) => void,
): void {
  let upper = { row: -1, line: lines[0] };
  let lower = { row: -1, line: lines[1] };
  const make = (target: typeof upper, row: number) => {
    if (target.row !== row) fill(row, target.line);
    target.row = row;
  };
  for (let y = 0; y < first.length; y++) {
    if (lower.row === first[y]) [upper, lower] = [lower, upper];
    make(upper, first[y]!);
    make(lower, second[y]!);
    blend(y, upper.line, lower.line);
  }
}
