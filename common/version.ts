import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PROJECT_ROOT } from './paths.js';

/** The version of this program, as package.json has it. */
export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(fs.readFileSync(path.join(PROJECT_ROOT, 'package.json'), 'utf8'))).version;
