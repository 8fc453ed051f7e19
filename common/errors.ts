/**
 * The closed table of errors. Every failure a user can meet is a MerError with one of these codes;
 * the HTTP server answers with its status, the command line prints message and remedy and exits with 1.
 */
export const ERROR_STATUS = {
  unsupported_media: 415,
  empty_file: 422,
  undecodable_media: 422,
  truncated_media: 422,
  too_large: 413,
  bad_field: 400,
  unauthorized: 401,
  bad_words: 422,
  nothing_to_score: 422,
  not_found: 404,
  not_ready: 503,
  overloaded: 429,
  rate_limited: 429,
  bad_argument: 400,
  bad_file: 422,
  missing_part: 500,
  timeout: 504,
  parity_failed: 500,
  training_failed: 500,
  interrupted: 499,
  disk_full: 507,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export const ERROR_CODES = Object.keys(ERROR_STATUS).filter(isErrorCode);

export class MerError extends Error {
  override readonly name = 'MerError';

  /**
   * @param code one of {@link ERROR_STATUS}
   * @param message what went wrong; names the file and the field
   * @param remedy what the user can do about it, as one imperative sentence
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }

  /** The body of an HTTP error answer, also what child processes send over IPC. */
  toJSON(): { code: ErrorCode; message: string; remedy: string } {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

export function isErrorCode(value: string): value is ErrorCode {
  return value in ERROR_STATUS;
}

/** The reverse of {@link MerError.toJSON}, for errors that crossed a process boundary. */
export function errorFromJSON(json: { code: string; message: string; remedy: string }): MerError {
  return new MerError(isErrorCode(json.code) ? json.code : 'internal', json.message, json.remedy);
}

/** Codes of the system's errors for a full disk, a quota, and a file that may not grow further. */
const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** @param message what the system said */
export function diskFull(message: string, cause: unknown): MerError {
  return new MerError(
    'disk_full',
    `There is no room left to write: ${message}`,
    'Free some space, then run the command again; what is there already is whole.',
    { cause },
  );
}

/** Any thrown value as a MerError: what is not one already becomes `internal` with its message kept. */
export function asMerError(error: unknown): MerError {
  if (error instanceof MerError) return error;
  if (error instanceof Error && 'code' in error && NO_SPACE.has(String(error.code))) {
    return diskFull(error.message, error);
  }
  const message = error instanceof Error ? error.message : String(error);
  return new MerError('internal', message, 'Report this with the command that you ran.', { cause: error });
}
