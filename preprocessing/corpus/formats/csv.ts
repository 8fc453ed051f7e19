import fsp from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { MerError } from '../../../common/errors.js';

const rowsSchema = z.array(
  z.object({ record: z.record(z.string(), z.string()), info: z.object({ lines: z.number().int() }) }),
);

/** One row of a table, its values by column and trimmed; `line` is that of the file, 1 for the header. */
export interface CsvRow {
  line: number;
  values: Record<string, string>;
}

/**
 * Reads a comma-separated table with a header (RFC 4180: quoted values may hold commas, quotes and line breaks).
 *
 * @param required columns that the table must have
 * @throws MerError not_found; bad_file naming the file and the line or column
 */
export async function readCsv(file: string, required: readonly string[]): Promise<CsvRow[]> {
  let bytes: Uint8Array;
  try {
    bytes = await fsp.readFile(file);
  } catch (error) {
    throw new MerError('not_found', `${file} cannot be read.`, 'Check the path.', { cause: error });
  }
  let columns: string[] = [];
  const takeHeader = (header: string[]): string[] => {
    columns = header.map((column) => column.trim());
    return columns;
  };
  try {
    const parsed: unknown = parse(bytes, {
      columns: takeHeader,
      bom: true,
      info: true,
      trim: true,
      skip_empty_lines: true,
    });
    const missing = required.find((column) => !columns.includes(column));
    if (missing !== undefined) {
      throw new MerError(
        'bad_file',
        `${file}:1: field ${missing}: there is no such column; the columns are ${columns.join(', ')}.`,
        `Give the table a header with the columns ${required.join(', ')}, separated by commas.`,
      );
    }
    return rowsSchema.parse(parsed).map(({ record, info }) => ({ line: info.lines, values: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? `:${error.lines}` : '';
    throw new MerError('bad_file', `${file}${line}: ${error.message}.`, 'Save it as comma-separated values (UTF-8).', {
      cause: error,
    });
  }
}
