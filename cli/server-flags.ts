import { type Command, Option } from 'commander';
import { DEFAULT_LIMITS, type MediaLimits } from '../preprocessing/media/media-limits.js';
import { DEFAULT_SERVER_LIMITS, KEEP_CHOICES, type Keep, type ServerLimits } from '../serving/limits.js';
import { positiveNumber, wholeNumber } from './flags.js';

/** The flags of `mer serve` that are about requests: limits, what stays on disk, and who may come. */
export interface ServerFlags {
  data_dir?: string;
  keep: Keep;
  api_keys_file?: string;
  cors_origin: string[];
  trust_proxy: number;
  max_upload_mb: number;
  max_uploads: number;
  max_queue: number;
  max_disk_mb: number;
  max_jobs: number;
  max_event_streams: number;
  job_retention_seconds: number;
  rate_limit: number;
  max_connections: number;
  headers_timeout_seconds: number;
  request_timeout_seconds: number;
  keep_alive_seconds: number;
  drain_seconds: number;
}

export function addServerFlags(command: Command): Command {
  const standard = DEFAULT_SERVER_LIMITS;
  return command
    .option('--data_dir <dir>', 'uploads and jobs (default: serve-data/; with --port 0 a temporary folder)')
    .addOption(
      command
        .createOption('--keep <which>', 'uploads that stay in the data folder after their answer')
        .choices(KEEP_CHOICES)
        .default('none'),
    )
    .option('--api_keys_file <file>', 'who may use the API: one name and one key a line (default: everybody)')
    .option('--cors_origin <origins>', 'origins whose pages may use the API, with commas between; *: all', list, [])
    .option('--trust_proxy <n>', 'proxies before the server whose X-Forwarded-For counts', wholeNumber(0), 0)
    .option('--max_upload_mb <n>', 'largest file of a request, in MB', positiveNumber, standard.maxUploadMb)
    .option('--max_uploads <n>', 'requests that are received at the same time', wholeNumber(1), standard.maxUploads)
    .option('--max_queue <n>', 'clips that may wait for a process', wholeNumber(0), standard.maxQueue)
    .option('--max_disk_mb <n>', 'uploads and clips of jobs on disk, in MB', positiveNumber, standard.maxDiskMb)
    .option('--max_jobs <n>', 'jobs that are kept, finished ones included', wholeNumber(1), standard.maxJobs)
    .option(
      '--max_event_streams <n>',
      'event streams of jobs at the same time',
      wholeNumber(1),
      standard.maxEventStreams,
    )
    .option(
      '--job_retention_seconds <n>',
      'how long a finished job can be asked for',
      positiveNumber,
      standard.jobRetentionSeconds,
    )
    .option(
      '--rate_limit <n>',
      'clips a minute of one API key or, without keys, address; 0: no limit',
      wholeNumber(0),
      standard.ratePerMinute,
    )
    .option('--max_connections <n>', 'open connections', wholeNumber(1), standard.maxConnections)
    .option(
      '--headers_timeout_seconds <n>',
      'time for the head of a request to arrive',
      positiveNumber,
      standard.headersTimeoutSeconds,
    )
    .option(
      '--request_timeout_seconds <n>',
      'time for a whole request to arrive',
      positiveNumber,
      standard.requestTimeoutSeconds,
    )
    .option(
      '--keep_alive_seconds <n>',
      'how long an idle connection is kept',
      positiveNumber,
      standard.keepAliveSeconds,
    )
    .option(
      '--drain_seconds <n>',
      'how long clips in work may take to finish after SIGTERM',
      positiveNumber,
      standard.drainSeconds,
    );
}

/** The flags of `mer serve` about what one clip may cost. */
export interface MediaFlags {
  max_clip_seconds: number;
  max_pixels: number;
  max_streams: number;
  decode_timeout_seconds: number;
  max_decoded_mb: number;
}

export function addMediaFlags(command: Command): Command {
  const standard = DEFAULT_LIMITS;
  return command
    .option('--max_clip_seconds <n>', 'longest clip', positiveNumber, standard.maxSeconds)
    .option('--max_pixels <n>', 'most pixels of a picture', wholeNumber(1), standard.maxPixels)
    .option('--max_streams <n>', 'most streams in a file', wholeNumber(1), standard.maxStreams)
    .option('--decode_timeout_seconds <n>', 'time for each run of ffmpeg', positiveNumber, standard.timeoutSeconds)
    .option(
      '--max_decoded_mb <n>',
      'most raw pictures and sound of a clip, in MB',
      positiveNumber,
      standard.maxOutputBytes / 2 ** 20,
    );
}

export function mediaLimits(flags: MediaFlags): MediaLimits {
  return {
    maxSeconds: flags.max_clip_seconds,
    maxPixels: flags.max_pixels,
    maxStreams: flags.max_streams,
    timeoutSeconds: flags.decode_timeout_seconds,
    maxOutputBytes: flags.max_decoded_mb * 2 ** 20,
  };
}

/**
 * Gives every flag that the command gets from now on the environment variable `MER_<FLAG>`, such as MER_MAX_UPLOAD_MB.
 * Flags win over it.
 */
export function readEnvironment(command: Command): Command {
  command.createOption = (flags, description) => {
    const option = new Option(flags, description);
    return option.env(`MER_${option.name().toUpperCase()}`);
  };
  return command;
}

export function serverLimits(flags: ServerFlags): ServerLimits {
  return {
    maxUploadMb: flags.max_upload_mb,
    maxUploads: flags.max_uploads,
    maxQueue: flags.max_queue,
    maxDiskMb: flags.max_disk_mb,
    maxJobs: flags.max_jobs,
    maxEventStreams: flags.max_event_streams,
    jobRetentionSeconds: flags.job_retention_seconds,
    ratePerMinute: flags.rate_limit,
    maxConnections: flags.max_connections,
    headersTimeoutSeconds: flags.headers_timeout_seconds,
    requestTimeoutSeconds: flags.request_timeout_seconds,
    keepAliveSeconds: flags.keep_alive_seconds,
    drainSeconds: flags.drain_seconds,
  };
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}
