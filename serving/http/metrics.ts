import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { RequestHandler } from 'express';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { MODALITIES } from '../../common/labels.js';
import type { Answer } from '../answer.js';
import type { Engine } from '../engine/engine.js';
import { CLIENT_LEFT } from './request-log.js';
import { routeName } from './routes.js';

const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** The sampling interval of the event loop's delay, in ms. It is part of every measured value. */
const LOOP_RESOLUTION_MS = 10;
const LOOP_QUANTILES = [0.5, 0.99, 1];

export interface Metrics {
  /** What `GET /metrics` answers, in the format that `contentType` names. */
  text(): Promise<string>;
  contentType: string;
  /** Counts each request and its seconds. */
  middleware: RequestHandler;
  /** Counts what an answer says. */
  observe(answer: Answer): void;
}

/** The metrics of one app, in a registry of their own. All names begin with `mer_`; times are in seconds. */
export function createMetrics(engine: Engine): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'mer_http_requests_total',
    help: `Requests by route and status; ${CLIENT_LEFT}: the client left before it was answered.`,
    labelNames: ['route', 'status'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'mer_http_request_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['route'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const stageSeconds = new Histogram({
    name: 'mer_stage_seconds',
    help: 'Time that one answered clip took in each stage.',
    labelNames: ['stage'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const modalities = new Counter({
    name: 'mer_modality_total',
    help: 'Answered clips by modality and by what became of it.',
    labelNames: ['modality', 'status'],
    registers,
  });
  const emotions = new Counter({
    name: 'mer_emotion_total',
    help: 'Answered clips by integrated emotion.',
    labelNames: ['emotion'],
    registers,
  });
  new Gauge({
    name: 'mer_queue_length',
    help: 'Clips that wait for a process of the stage.',
    labelNames: ['stage'],
    registers,
    collect() {
      for (const [stage, length] of Object.entries(engine.queueLengths)) this.set({ stage }, length);
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
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    middleware(request, response, next) {
      const start = performance.now();
      response.once('close', () => {
        const route = routeName(request);
        const status = response.writableFinished ? response.statusCode : CLIENT_LEFT;
        requests.inc({ route, status: String(status) });
        requestSeconds.observe({ route }, (performance.now() - start) / 1000);
      });
      next();
    },
    observe(answer) {
      for (const [stage, seconds] of Object.entries(answer.timings)) stageSeconds.observe({ stage }, seconds);
      for (const modality of MODALITIES) modalities.inc({ modality, status: answer.modalities[modality].status });
      emotions.inc({ emotion: answer.emotion });
    },
  };
}
