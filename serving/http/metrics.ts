import { performance } from 'node:perf_hooks';
import type { RequestHandler } from 'express';
import { Counter, Histogram, Registry } from 'prom-client';
import { MODALITIES } from '../../common/labels.js';
import type { Answer } from '../answer.js';
import type { EngineEvent } from '../engine/events.js';
import { addGauges, type GaugeSources } from './gauges.js';
import { CLIENT_LEFT, type RequestLocals } from './request-log.js';
import { CLIP_ROUTES, routeName } from './routes.js';

const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64];

export interface Metrics {
  /** What `GET /metrics` answers, in the format that `contentType` names. */
  text(): Promise<string>;
  contentType: string;
  /** Counts each request and its seconds. */
  middleware: RequestHandler;
  /** Counts what an answer says. */
  observe(answer: Answer): void;
  /** Counts what an operator should know of the engine. */
  engineEvent(event: EngineEvent): void;
  /** Adds what is read at each scrape. */
  watch(sources: GaugeSources): void;
}

/** The metrics of one server, in a registry of their own. All names begin with `mer_`; times are in seconds. */
export function createMetrics(): Metrics {
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
  const dropped = new Counter({
    name: 'mer_dropped_total',
    help: 'Clips that were given up because their client had left, by what they were in.',
    labelNames: ['stage'],
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
  const restarts = new Counter({
    name: 'mer_engine_restarts_total',
    help: 'Processes of the engine that were replaced.',
    labelNames: ['process'],
    registers,
  });
  const retries = new Counter({
    name: 'mer_retries_total',
    help: 'Clips that were tried once more, since their process had died.',
    labelNames: ['process'],
    registers,
  });
  const batchClips = new Histogram({
    name: 'mer_batch_clips',
    help: 'Clips that the networks scored together.',
    buckets: BATCH_BUCKETS,
    registers,
  });
  const views = new Counter({
    name: 'mer_views_total',
    help: 'Windows and variants of clips that each network was run on.',
    labelNames: ['modality'],
    registers,
  });
  const refused = new Counter({
    name: 'mer_refused_total',
    help: 'Clips that were refused, by the code of the error.',
    labelNames: ['code'],
    registers,
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
        if (!CLIP_ROUTES.includes(route)) return;
        const { code } = response.locals as RequestLocals;
        if (code !== undefined) refused.inc({ code });
        // What goes later is dropped, and counted, where it is.
        if (status === CLIENT_LEFT && !request.complete) dropped.inc({ stage: 'upload' });
      });
      next();
    },
    observe(answer) {
      for (const [stage, seconds] of Object.entries(answer.timings)) stageSeconds.observe({ stage }, seconds);
      for (const modality of MODALITIES) modalities.inc({ modality, status: answer.modalities[modality].status });
      emotions.inc({ emotion: answer.emotion });
    },
    engineEvent(event) {
      if (event.type === 'batch') {
        batchClips.observe(event.clips);
        for (const modality of MODALITIES) views.inc({ modality }, event.views[modality]);
      } else if (event.type === 'restarted') restarts.inc({ process: event.process });
      else if (event.type === 'retried') retries.inc({ process: event.process });
      else if (event.type === 'dropped') dropped.inc({ stage: event.process });
    },
    watch: (sources) => addGauges(registry, sources),
  };
}
