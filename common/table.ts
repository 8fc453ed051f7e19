/**
 * Rows as a table of plain text: left-aligned columns two spaces apart, the header underlined. Columns that hold
 * numbers only are aligned to the right.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const numeric = numericColumns(header, rows);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** The same as a table of Markdown. */
export function formatMarkdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = numericColumns(header, rows).map((numeric) => (numeric ? '---:' : '---'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function numericColumns(header: readonly string[], rows: readonly (readonly string[])[]): boolean[] {
  return header.map((_, column) => rows.every((row) => /^(-?[\d.]*[%x]?|–)$/.test(row[column] ?? '')));
}
