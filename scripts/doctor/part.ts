/** What `mer doctor` says of one part of the installation. */
export interface Part {
  /** Stable key, for programs that read `--json`. */
  id: string;
  name: string;
  /** `working` was tried just now; `absent` is no fault; `broken` is there and fails. */
  status: 'working' | 'absent' | 'broken';
  version: string | null;
  /** What was found, or why it does not work. */
  detail: string;
  neededFor: string;
  /** The command that brings it; null where it works. */
  remedy: string | null;
}

/** Everything of a part but what was found out about it. */
export type Subject = Pick<Part, 'id' | 'name' | 'neededFor'> & { install: string };

export function working({ id, name, neededFor }: Subject, version: string | null, detail = ''): Part {
  return { id, name, status: 'working', version, detail, neededFor, remedy: null };
}

export function absent({ id, name, neededFor, install }: Subject, detail = ''): Part {
  return { id, name, status: 'absent', version: null, detail, neededFor, remedy: install };
}

export function broken({ id, name, neededFor, install }: Subject, version: string | null, detail: string): Part {
  return { id, name, status: 'broken', version, detail, neededFor, remedy: install };
}
