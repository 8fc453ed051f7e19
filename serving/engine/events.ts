import type { Modality } from '../../common/labels.js';

/** The two kinds of processes of an engine. */
export type ProcessKind = 'preprocessing' | 'inference';

/** What an operator should know of a pool's processes and of what became of their tasks. */
export interface PoolEvent {
  /**
   * `died`, `hung`, `restarted`, `restart_failed`: of a process. `retried`: a task of a dead process is tried once
   * more. `dropped`: nobody waits for a task any more, since its client has gone. `timeout`: its time was up.
   */
  type: 'died' | 'hung' | 'restarted' | 'restart_failed' | 'retried' | 'dropped' | 'timeout';
  process: string;
  message: string;
}

/** The inference process has scored clips together. */
export interface BatchEvent {
  type: 'batch';
  clips: number;
  /** Windows and variants that each network was run on. */
  views: Record<Modality, number>;
  seconds: number;
}

export type EngineEvent = PoolEvent | BatchEvent;
