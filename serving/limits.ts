/**
 * Every bound of the server. `mer serve` has a flag of the same name for each, and an environment variable for each
 * flag; docs/serving.md lists them.
 */
export interface ServerLimits {
  /** Largest file of a request, in MB of 2^20 bytes. */
  maxUploadMb: number;
  /** Requests whose body is being received at the same time. */
  maxUploads: number;
  /** Clips of `POST /v1/predict` that may wait for a process, beyond those that are worked on. */
  maxQueue: number;
  /** Uploads and the clips of jobs that are not over yet, on disk together, in MB. */
  maxDiskMb: number;
  /** Jobs that are kept, waiting, running and finished ones together. */
  maxJobs: number;
  /** Event streams of jobs that are open at the same time. */
  maxEventStreams: number;
  /** How long a finished job can be asked for, in seconds. */
  jobRetentionSeconds: number;
  /** Clips a minute of one API key or, without keys, of one address; 0: no limit. */
  ratePerMinute: number;
  /** Open connections; one more is closed at once. */
  maxConnections: number;
  /** Time for the head of a request, in seconds. */
  headersTimeoutSeconds: number;
  /** Time for a whole request to arrive, body included, in seconds. */
  requestTimeoutSeconds: number;
  /** How long an idle connection is kept, in seconds. */
  keepAliveSeconds: number;
  /** How long clips in work may take to finish when the server stops, in seconds. */
  drainSeconds: number;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxUploadMb: 100,
  maxUploads: 32,
  maxQueue: 64,
  maxDiskMb: 4096,
  maxJobs: 10_000,
  maxEventStreams: 256,
  jobRetentionSeconds: 3600,
  ratePerMinute: 0,
  maxConnections: 2000,
  headersTimeoutSeconds: 20,
  requestTimeoutSeconds: 120,
  // Longer than the 60 s that proxies keep idle connections to their servers: the proxy is to be the first to close.
  keepAliveSeconds: 65,
  drainSeconds: 30,
};

export const KEEP_CHOICES = ['none', 'failed', 'all'] as const;
/** Which uploads stay on disk, in `kept/` of the data folder, after their clip was answered. */
export type Keep = (typeof KEEP_CHOICES)[number];
