import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT_ROOT, VENV_PYTHON } from '../../common/paths.js';

const PARSE = `
import ast, sys
for file in sys.argv[1:]:
    ast.parse(open(file, encoding="utf8").read(), file, feature_version=(3, 9))
`;

it('the Python files keep to the syntax of Python 3.9, the oldest that set-up takes', () => {
  const files = ['export/python', 'scripts/wheels'].flatMap((folder) =>
    fs
      .readdirSync(path.join(PROJECT_ROOT, folder))
      .filter((name) => name.endsWith('.py'))
      .map((name) => path.join(PROJECT_ROOT, folder, name)),
  );
  expect(files.length).toBeGreaterThan(2);
  expect(() => execFileSync(VENV_PYTHON, ['-c', PARSE, ...files], { stdio: 'pipe' })).not.toThrow();
});
