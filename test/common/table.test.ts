import { expect, test } from 'vitest';
import { formatMarkdownTable, formatTable } from '../../common/table.js';

test('columns of numbers are aligned to the right, others to the left', () => {
  const rows = [
    ['face', '9.5', '12.0%'],
    ['speech', '10', '3.5%'],
  ];
  expect(formatTable(['name', 'ms', 'share'], rows)).toBe(
    ['name     ms  share', '------  ---  -----', 'face    9.5  12.0%', 'speech   10   3.5%'].join('\n'),
  );
});

test('a table of Markdown aligns its columns likewise', () => {
  expect(formatMarkdownTable(['name', 'faster'], [['720p', '8.1x']])).toBe(
    ['| name | faster |', '| --- | ---: |', '| 720p | 8.1x |'].join('\n'),
  );
});
