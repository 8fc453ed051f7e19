// Writes what docs/ says of the server by the code: docs/openapi.json and the table of flags in docs/serving.md.
//   npx tsx scripts/write-serving-docs.ts
import fsp from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic, writeJsonAtomic } from '../common/files.js';
import { PROJECT_ROOT } from '../common/paths.js';
import { openApiDocument } from '../serving/http/openapi.js';
import { FLAG_TABLE, serveFlagTable } from './serving-docs.js';

const docs = path.join(PROJECT_ROOT, 'docs');
await writeJsonAtomic(path.join(docs, 'openapi.json'), openApiDocument());
const guide = path.join(docs, 'serving.md');
await writeFileAtomic(guide, (await fsp.readFile(guide, 'utf8')).replace(FLAG_TABLE, serveFlagTable));
