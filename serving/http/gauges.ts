import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';
import type { Engine } from '../engine/engine.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Intake } from './intake.js';

export interface GaugeSources {
  engine: Engine;
  intake: Intake;
  jobs: Jobs;
}

/** The sampling interval of the event loop's delay, in ms. It is part of every measured value. */
const LOOP_RESOLUTION_MS = 10;
const LOOP_QUANTILES = [0.5, 0.99, 1];

/** Adds the metrics that say how things are at the moment of a scrape. */
export function addGauges(registry: Registry, { engine, intake, jobs }: GaugeSources): void {
  const registers = [registry];
  new Gauge({
    name: 'mer_queue_length',
    help: 'Clips by what they are in or wait for: upload, a process of the engine, or the turn of their job.',
    labelNames: ['stage'],
    registers,
    collect() {
      const lengths = { upload: intake.uploads.used, ...engine.queueLengths, job: jobs.counts.queued };
      for (const [stage, length] of Object.entries(lengths)) this.set({ stage }, length);
    },
  });
  new Gauge({
    name: 'mer_clips_in_work',
    help: 'Requests for an answer at once that are not answered yet.',
    registers,
    collect() {
      this.set(intake.clips.used);
    },
  });
  new Gauge({
    name: 'mer_disk_bytes',
    help: 'Bytes of uploads, and of clips of jobs that are not over, on disk.',
    registers,
    collect() {
      this.set(intake.disk.used);
    },
  });
  new Gauge({
    name: 'mer_jobs',
    help: 'Jobs that are kept, by status.',
    labelNames: ['status'],
    registers,
    collect() {
      for (const [status, count] of Object.entries(jobs.counts)) this.set({ status }, count);
    },
  });
  new Gauge({
    name: 'mer_engine_ready',
    help: '1 when clips can be answered.',
    registers,
    collect() {
      this.set(engine.ready ? 1 : 0);
    },
  });
  new Gauge({
    name: 'mer_model_info',
    help: 'The model that is served and the device that it runs on; always 1.',
    labelNames: ['name', 'version', 'device'],
    registers,
    collect() {
      this.reset();
      this.set({ name: engine.bundle.name, version: engine.bundle.version, device: engine.info.device }, 1);
    },
  });
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  new Gauge({
    name: 'mer_event_loop_delay_seconds',
    help: 'Delay of the HTTP event loop since the last scrape, by quantile.',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const quantile of LOOP_QUANTILES) {
        const milliseconds = Math.max(0, loop.percentile(quantile * 100) / 1e6 - LOOP_RESOLUTION_MS);
        this.set({ quantile: String(quantile) }, milliseconds / 1000);
      }
      loop.reset();
    },
  });
}
