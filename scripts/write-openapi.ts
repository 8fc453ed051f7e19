// Writes docs/openapi.json, what GET /openapi.json answers: npx tsx scripts/write-openapi.ts
import path from 'node:path';
import { writeJsonAtomic } from '../common/files.js';
import { PROJECT_ROOT } from '../common/paths.js';
import { openApiDocument } from '../serving/http/openapi.js';

await writeJsonAtomic(path.join(PROJECT_ROOT, 'docs', 'openapi.json'), openApiDocument());
