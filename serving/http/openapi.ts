import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode } from '../../common/errors.js';
import { VERSION } from '../../common/version.js';
import { answerSchema } from '../answer.js';
import { jobSchema } from '../jobs/job.js';
import { formFieldsSchema, SECONDS } from './fields.js';
import {
  errorBodySchema,
  inferenceLiveSchema,
  inferenceReadySchema,
  liveSchema,
  modelsSchema,
  readySchema,
} from './schemas.js';

/** What every request that brings a clip may be refused with. */
const CLIP_ERRORS = [
  'bad_field',
  'unauthorized',
  'too_large',
  'rate_limited',
  'overloaded',
  'not_ready',
] as const satisfies ErrorCode[];
/** What is found wrong with a clip when it is worked on. */
const MEDIA_ERRORS = [
  'unsupported_media',
  'empty_file',
  'undecodable_media',
  'truncated_media',
  'bad_words',
  'nothing_to_score',
  'timeout',
  'internal',
] as const satisfies ErrorCode[];

// The schemas that the document names.
const answer = answerSchema.meta({ id: 'Answer' });
const job = jobSchema.extend({ answer: answer.optional() }).meta({ id: 'Job' });
const models = modelsSchema.meta({ id: 'Models' });
const error = errorBodySchema.meta({ id: 'Error' });

type Document = ReturnType<OpenApiGeneratorV31['generateDocument']>;

/** The OpenAPI 3.1 document of the server, made of the schemas that it works with. */
export function openApiDocument(): Document {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('securitySchemes', 'header', { type: 'apiKey', in: 'header', name: 'X-API-Key' });

  const json = (description: string, schema: z.ZodType) => ({
    description,
    content: { 'application/json': { schema } },
  });
  const refusals = (codes: readonly ErrorCode[]): RouteConfig['responses'] => {
    const responses: RouteConfig['responses'] = {};
    for (const status of new Set(codes.map((code) => ERROR_STATUS[code]))) {
      const names = codes.filter((code) => ERROR_STATUS[code] === status).map((code) => `\`${code}\``);
      const retry = status === 429 || status === 503 ? '; the header Retry-After says when to try again' : '';
      responses[status] = json(names.join(', ') + retry, error);
    }
    return responses;
  };
  // Without --api_keys_file no key is needed.
  const security = [{ bearer: [] }, { header: [] }, {}];
  const clip = { body: { required: true, content: { 'multipart/form-data': { schema: clipForm() } } } };
  const byId = { params: z.object({ id: z.uuid() }) };
  const get = (path: string, tag: string, summary: string, responses: RouteConfig['responses']): void =>
    registry.registerPath({ method: 'get', path, tags: [tag], summary, responses });

  registry.registerPath({
    method: 'post',
    path: '/v1/predict',
    tags: ['clips'],
    summary: 'Answer a clip',
    security,
    request: clip,
    responses: { 200: json('The emotion of the clip', answer), ...refusals([...CLIP_ERRORS, ...MEDIA_ERRORS]) },
  });
  registry.registerPath({
    method: 'post',
    path: '/v1/jobs',
    tags: ['jobs'],
    summary: 'Accept a clip, to be answered later',
    description: 'The job is on disk when it is accepted: it is finished or reported even if the server is killed.',
    security,
    request: clip,
    responses: {
      202: { ...json('The job', job), headers: z.object({ Location: z.string() }) },
      ...refusals(CLIP_ERRORS),
    },
  });
  registry.registerPath({
    method: 'get',
    path: '/v1/jobs/{id}',
    tags: ['jobs'],
    summary: 'How a job stands',
    security,
    request: byId,
    responses: { 200: json('The job', job), ...refusals(['unauthorized', 'not_found']) },
  });
  registry.registerPath({
    method: 'delete',
    path: '/v1/jobs/{id}',
    tags: ['jobs'],
    summary: 'Cancel a job',
    description: 'A job that is over already stays as it is.',
    security,
    request: byId,
    responses: { 200: json('The job', job), ...refusals(['unauthorized', 'not_found']) },
  });
  registry.registerPath({
    method: 'get',
    path: '/v1/jobs/{id}/events',
    tags: ['jobs'],
    summary: 'Follow a job by server-sent events',
    description:
      'The job as it stands, at once and at each change: events `progress`, and at last one of `done`, `failed` and `cancelled`. The data of each is a Job.',
    security,
    request: byId,
    responses: {
      200: { description: 'The events', content: { 'text/event-stream': { schema: z.string() } } },
      ...refusals(['unauthorized', 'not_found', 'overloaded']),
    },
  });
  registry.registerPath({
    method: 'get',
    path: '/v1/models',
    tags: ['models'],
    summary: 'The model that is served, and what it takes',
    security,
    responses: { 200: json('The models', models), ...refusals(['unauthorized']) },
  });
  const notReady = refusals(['not_ready']);
  get('/health/live', 'health', 'Whether the server lives', { 200: json('It does', liveSchema) });
  get('/health/ready', 'health', 'Whether clips are answered now', { 200: json('They are', readySchema), ...notReady });
  get('/v2/health/live', 'health', 'The same, for clients of the Open Inference Protocol', {
    200: json('It does', inferenceLiveSchema),
  });
  get('/v2/health/ready', 'health', 'The same, for clients of the Open Inference Protocol', {
    200: json('They are', inferenceReadySchema),
    ...notReady,
  });
  get('/metrics', 'health', 'Metrics in the format of Prometheus', {
    200: { description: 'The metrics', content: { 'text/plain': { schema: z.string() } } },
  });
  get('/openapi.json', 'documentation', 'This document', {
    200: { description: 'The document', content: { 'application/json': { schema: z.looseObject({}) } } },
  });
  get('/docs', 'documentation', 'This document as a page', {
    200: { description: 'The page', content: { 'text/html': { schema: z.string() } } },
  });

  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'mer: multimodal emotion recognition',
      version: VERSION,
      description:
        'A clip of a person speaking goes in; one of seven emotions comes out, integrated over face, voice and words.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
  });
}

/** The form as clients write it: files beside the text fields that the server reads. */
function clipForm(): z.ZodType {
  const binary = (description: string) => z.string().meta({ format: 'binary', description });
  const { transcript, tta } = formFieldsSchema.shape;
  const seconds = ([least, most]: readonly [number, number], description: string) =>
    z.number().min(least).max(most).optional().meta({ description });
  return z.object({
    clip: binary('A video or audio file'),
    words: binary(
      'Word vectors, words x dimensions: .npz with the key word_embed, or JSON, as a file or as text',
    ).optional(),
    transcript: transcript.meta({ description: 'What is said; needs a server with --word_vectors. Not beside words' }),
    tta: tta.meta({ description: 'Test-time augmentation: the mean over variants of the face frames; slower' }),
    window: seconds(SECONDS.window, 'Seconds of each window of the timeline; without it there is no timeline'),
    hop: seconds(SECONDS.hop, 'Seconds from one window to the next; by default half of the window'),
  });
}
