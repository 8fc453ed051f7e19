import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { unzipSync, type Zippable, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT, VENV_PYTHON } from '../../../common/paths.js';

const GOLDEN = path.join(PROJECT_ROOT, 'test', 'golden');
const READ = `
import json, sys
sys.path.insert(0, ${JSON.stringify(path.join(PROJECT_ROOT, 'export', 'python'))})
from torch_file import UntrustedFile, read_state_dict
try:
    state = read_state_dict(sys.argv[1])
    print(json.dumps({name: [str(array.dtype), list(array.shape), array.tolist()] for name, array in state.items()}))
except UntrustedFile as error:
    print(json.dumps(str(error)))
`;

/** The tensors of a file as [dtype, shape, values], or the reason why it was refused. */
function read(file: string): unknown {
  return JSON.parse(execFileSync(VENV_PYTHON, ['-c', READ, file], { encoding: 'utf8' }));
}

/** What PyTorch 2.2.2 saved in both files: dtypes, a transposed and a partial view, a parameter, an empty tensor. */
const SAVED = {
  '0.weight': [
    'float32',
    [2, 3],
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
  ],
  '0.bias': ['float32', [2], [0, 1]],
  '1.weight': ['float32', [2], [0, 1]],
  '1.bias': ['float32', [2], [0, 1]],
  '1.running_mean': ['float32', [2], [0, 1]],
  '1.running_var': ['float32', [2], [0, 1]],
  '1.num_batches_tracked': ['int64', [], 7],
  transposed: [
    'float32',
    [4, 3],
    [
      [0, 4, 8],
      [1, 5, 9],
      [2, 6, 10],
      [3, 7, 11],
    ],
  ],
  tail: ['float32', [4], [8, 9, 10, 11]],
  half: ['float16', [2], [0.5, -2]],
  bfloat16: ['float32', [2], [1.5, -3]],
  double: ['float64', [1], [0.1]],
  flags: ['bool', [2], [true, false]],
  bytes: ['uint8', [2], [1, 255]],
  parameter: [
    'float32',
    [2, 2],
    [
      [4, 4],
      [4, 4],
    ],
  ],
  empty: ['float32', [0, 3], []],
};

describe('files of torch.save are read without PyTorch', () => {
  it.each(['zip', 'legacy'])('reads every tensor of a state dict in the %s format', (format) => {
    expect(read(path.join(GOLDEN, `state-dict-${format}.pt`))).toEqual(SAVED);
  });
});

describe('checkpoints of training scripts', () => {
  it.each(['zip', 'legacy'])('reads the state dict beside an optimizer, in the %s format', (format) => {
    expect(read(path.join(GOLDEN, `checkpoint-${format}.pt`))).toEqual({
      'module.fc.weight': [
        'float32',
        [2, 3],
        [
          [0, 1, 2],
          [3, 4, 5],
        ],
      ],
      'module.fc.bias': ['float32', [2], [1, 2]],
      'module.bn.weight': ['float32', [2], [2, 3]],
      'module.bn.bias': ['float32', [2], [3, 4]],
      'module.bn.running_mean': ['float32', [2], [0.5, 0.5]],
      'module.bn.running_var': ['float32', [2], [2, 2]],
      'module.bn.num_batches_tracked': ['int64', [], 1],
    });
  });
});

describe('files of torch.save are not trusted', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mer-torch-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function readBytes(bytes: Uint8Array): unknown {
    const file = path.join(folder, 'weights.pt');
    fs.writeFileSync(file, bytes);
    return read(file);
  }

  /** The golden archive with entries exchanged. */
  function archive(change: (entries: Record<string, Uint8Array>) => Zippable, level: 0 | 9 = 0): Uint8Array {
    const entries = unzipSync(fs.readFileSync(path.join(GOLDEN, 'state-dict-zip.pt')));
    return zipSync(change(entries), { level });
  }

  /** A pickle that runs a shell command when an ordinary unpickler opens it. */
  const hostile = () => Buffer.from(`cposix\nsystem\n(Vtouch ${path.join(folder, 'owned')}\ntR.`);

  it('runs no function that an old-format file names', () => {
    expect(readBytes(hostile())).toMatch('asks for posix.system');
    expect(fs.existsSync(path.join(folder, 'owned'))).toBe(false);
  });

  it('runs no function that an archive names', () => {
    const reason = readBytes(archive((entries) => ({ ...entries, 'state-dict-zip/data.pkl': hostile() })));
    expect(reason).toMatch('asks for posix.system');
    expect(fs.existsSync(path.join(folder, 'owned'))).toBe(false);
  });

  it('refuses a whole network by the name of its class', () => {
    expect(readBytes(Buffer.from('ctorch.nn.modules.linear\nLinear\n.'))).toMatch(
      'asks for torch.nn.modules.linear.Linear, which no state dict needs',
    );
  });

  it('refuses a mapping without a state dict, and says what it holds', () => {
    const reason = readBytes(
      archive((entries) => ({ ...entries, 'state-dict-zip/data.pkl': Buffer.from('(dVepoch\nI3\ns.') })),
    );
    expect(reason).toBe("it holds no state dict, only 'epoch'");
  });

  it('refuses a mapping that holds itself', () => {
    const pickle = Buffer.from('(dp0\nVmodel\ng0\ns.');
    const reason = readBytes(archive((entries) => ({ ...entries, 'state-dict-zip/data.pkl': pickle })));
    expect(reason).toBe('its state dict lies too deep');
  });

  it('refuses tensors that repeat their data until memory is full', () => {
    const storage = '(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI6\ntQ';
    const tensor = (name: string) =>
      `V${name}\nctorch._utils\n_rebuild_tensor_v2\n(${storage}I0\n(I6\nt(I1\ntI00\nNtRs`;
    const names = Array.from({ length: 17 }, (_, index) => tensor(`t${index}`));
    const pickle = Buffer.from(`(d${names.join('')}.`);
    const reason = readBytes(archive((entries) => ({ ...entries, 'state-dict-zip/data.pkl': pickle })));
    expect(reason).toMatch('share their data so often');
  });

  it.each(['builtins\neval', 'torch\nload', 'numpy\nndarray', 'collections\ndefaultdict'])(
    'refuses a file that names %j',
    (global) => {
      expect(readBytes(Buffer.from(`c${global}\n.`))).toMatch(`asks for ${global.replace('\n', '.')}`);
    },
  );

  it('refuses tensors that reach beyond their data', () => {
    const cut = archive((entries) => ({ ...entries, 'state-dict-zip/data/0': new Uint8Array(4) }));
    expect(readBytes(cut)).toBe('the data of 0.weight is cut short');
  });

  it('refuses compressed tensor data, which could unpack to any size', () => {
    expect(readBytes(archive((entries) => entries, 9))).toMatch('is compressed or too large');
  });

  it('refuses a file that is cut short', () => {
    const whole = fs.readFileSync(path.join(GOLDEN, 'state-dict-legacy.pt'));
    expect(readBytes(whole.subarray(0, whole.length - 8))).toMatch('is damaged');
  });

  it.each([
    ['a list', '(lp0\n.'],
    ['a number', 'I3\n.'],
    ['text', 'hello'],
    ['nothing', ''],
  ])('refuses %s', (_kind, content) => {
    expect(readBytes(Buffer.from(content))).toBeTypeOf('string');
  });
});
