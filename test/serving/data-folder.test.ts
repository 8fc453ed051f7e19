import fsp from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { processStart } from '../../common/child.js';
import { openDataFolder } from '../../serving/data-folder.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';

test('the folder of a running server is refused to another one', () =>
  inTemporaryFolder(async (folder) => {
    await fsp.writeFile(path.join(folder, 'lock'), `${process.ppid} ${processStart(process.ppid)}`);
    await expect(openDataFolder(folder)).rejects.toMatchObject({ code: 'bad_argument' });
  }));

test('the number of a killed server that is another process by now does not hold its folder', () =>
  inTemporaryFolder(async (folder) => {
    await fsp.writeFile(path.join(folder, 'lock'), `${process.ppid} ${processStart(process.ppid)}0`);
    const { unlock } = await openDataFolder(folder);
    expect(await fsp.readdir(folder)).toContain('lock');
    await unlock();
    expect(await fsp.readdir(folder)).not.toContain('lock');
  }));

test('what a killed server was receiving is removed', () =>
  inTemporaryFolder(async (folder) => {
    await fsp.mkdir(path.join(folder, 'uploads', 'request-1'), { recursive: true });
    const { uploads } = await openDataFolder(folder);
    expect(await fsp.readdir(uploads)).toEqual([]);
  }));
