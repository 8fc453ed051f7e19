import fsp from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseTrainConfig, readTrainConfig } from '../../training/parse-config.js';
import { inTemporaryFolder } from '../helpers/temporary-folder.js';

describe('flags of mer train', () => {
  test.each([
    [{}, '--mode is not given'],
    [{ mode: 'smell' }, '--mode: "smell" is none of speech, face, text, multimodal'],
    [{ mode: 'spech' }, 'Did you mean speech?'],
    [{ mode: 'text', optim: 'rangr' }, 'Did you mean ranger?'],
    [{ mode: 'text', speech_coeff: 9 }, '--speech_coeff: 9 is none of'],
    [{ mode: 'text', batch_size: 'many' }, '--batch_size: "many" must be a number'],
    [{ mode: 'text', batch_size: '' }, '--batch_size: "" must be a number'],
    [{ mode: 'text', batch_size: true }, '--batch_size: true must be a number'],
    [{ mode: 'text', batch_size: '0' }, '--batch_size: "0" must be at least 1'],
    [{ mode: 'text', n_epoch: 1.5 }, '--n_epoch: 1.5 must be a whole number'],
    [{ mode: 'text', amp: 'yes' }, '--amp: "yes" must be True or False'],
    [{ mode: 'text', learning_rat: 1 }, '--learning_rat is unknown. Did you mean learning_rate?'],
  ])('%j is refused by name: %s', (flags, message) => {
    expect(() => parseTrainConfig(flags)).toThrow(message);
  });

  test('what training does beyond the reference is on by default', () => {
    const { ema, patience, select, class_weights } = parseTrainConfig({ mode: 'text' });
    expect({ ema, patience, select, class_weights }).toEqual({
      ema: 0.999,
      patience: 20,
      select: 'macro_f1',
      class_weights: 'auto',
    });
  });
});

test('--compat seed turns it off, but for what is asked for', () => {
  const { ema, patience, select, class_weights, clip_norm } = parseTrainConfig({
    mode: 'text',
    compat: 'seed',
    clip_norm: 2,
  });
  expect({ ema, patience, select, class_weights, clip_norm }).toEqual({
    ema: 0,
    patience: 0,
    select: 'loss',
    class_weights: 'off',
    clip_norm: 2,
  });
});

describe('--config', () => {
  const withFile = <T>(content: unknown, use: (file: string) => Promise<T>) =>
    inTemporaryFolder(async (folder) => {
      const file = path.join(folder, 'config.json');
      await fsp.writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
      return use(file);
    });

  test('gives what the command line does not', async () => {
    const config = await withFile({ mode: 'text', batch_size: 8, n_epoch: 7 }, (file) =>
      readTrainConfig({ config: file, n_epoch: '3' }),
    );
    expect(config).toMatchObject({ mode: 'text', batch_size: 8, n_epoch: 3, learning_rate: 4e-3 });
  });

  test('may be the status of an earlier run, whose start or resumption is not repeated', async () => {
    const earlier = { ...parseTrainConfig({ mode: 'text', batch_size: 8 }), resume: true };
    const config = await withFile({ config: earlier, best: {} }, (file) => readTrainConfig({ config: file }));
    expect(config).toEqual({ ...earlier, resume: false });
  });

  test.each([
    [{ mode: 'text', learning_rat: 1 }, /config\.json: learning_rat is unknown\. Did you mean learning_rate\?/],
    [{ mode: 'text', optim: 'adamv' }, /config\.json: optim: "adamv" is none of .* Did you mean adamw\?/],
    ['{"mode": ', /config\.json is not JSON/],
    ['[1]', /config\.json is no JSON object/],
  ])('%j is refused with the file named', async (content, message) => {
    await expect(withFile(content, (file) => readTrainConfig({ config: file }))).rejects.toThrow(message);
  });
});
