import { Random } from '../../common/random.js';
import { forgedFiles } from './forged-files.js';
import { type HostileFile, ONE_SIDED_NAMES, STRANGE_NAMES, WHOLE_NAMES } from './media-bases.js';

const TRUNCATIONS = 5;
const FLIPS = 8;
/** Where containers keep their description: damage there does more than in the pictures. */
const HEAD_BYTES = 2048;

type Damage = (random: Random, whole: Buffer) => Buffer;

/** What may happen to a file on its way, or what somebody may do to it. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  truncated: (random, whole) => whole.subarray(0, Math.ceil(random.uniform() ** 2 * whole.length)),
  'without its head': (random, whole) => whole.subarray(Math.floor(random.uniform() * whole.length)),
  'bits flipped': (random, whole) => flip(random, whole, whole.length, 1 + random.integer(200)),
  'bits of its head flipped': (random, whole) => flip(random, whole, HEAD_BYTES, 1 + random.integer(40)),
  'bits of its end flipped': (random, whole) =>
    Buffer.from(flip(random, Buffer.from(whole).reverse(), HEAD_BYTES, 1 + random.integer(40))).reverse(),
  'a stretch of zeros': (random, whole) => {
    const start = random.integer(whole.length);
    return Buffer.from(whole).fill(0, start, start + random.integer(whole.length - start));
  },
  'a stretch of noise': (random, whole) => {
    const copy = Buffer.from(whole);
    const start = HEAD_BYTES + random.integer(Math.max(1, copy.length - HEAD_BYTES));
    for (let i = start; i < Math.min(copy.length, start + 5000); i++) copy[i] = random.integer(256);
    return copy;
  },
  'a stretch twice': (random, whole) => {
    const [start, end] = [random.integer(whole.length), random.integer(whole.length)].sort((a, b) => a - b);
    return Buffer.concat([whole.subarray(0, end), whole.subarray(start)]);
  },
  'noise after its head': (random, whole) => {
    const noise = Buffer.from(Array.from({ length: 4000 }, () => random.integer(256)));
    return Buffer.concat([whole.subarray(0, 16 + random.integer(200)), noise]);
  },
  'numbers of its head at their largest': (random, whole) => {
    const copy = Buffer.from(whole);
    for (let i = 0; i < 3; i++) {
      const start = random.integer(Math.min(HEAD_BYTES, copy.length));
      copy.fill(0xff, start, start + 4);
    }
    return copy;
  },
};

/** Malformed and hostile files, always the same ones for a seed: more than 300 of them. */
export function hostileFiles(seed: number, secret: string): HostileFile[] {
  const damaged = [...WHOLE_NAMES, ...ONE_SIDED_NAMES].flatMap((base) =>
    Object.entries(DAMAGES).flatMap(([what, damage]) => {
      const often = what === 'truncated' ? TRUNCATIONS : what.startsWith('bits of its head') ? FLIPS : 1;
      return Array.from({ length: often }, (_, i): HostileFile => {
        const name = `${base}, ${what} (${i})`;
        return { name, make: async (bases) => damage(Random.for(seed, name), await bases.get(base)) };
      });
    }),
  );
  const whole = [...WHOLE_NAMES, ...ONE_SIDED_NAMES, ...STRANGE_NAMES].map(
    (name): HostileFile => ({ name, make: (bases) => bases.get(name) }),
  );
  return [...forgedFiles(secret), ...whole, ...damaged];
}

function flip(random: Random, whole: Buffer, within: number, count: number): Buffer {
  const copy = Buffer.from(whole);
  for (let i = 0; i < count; i++) {
    const at = random.integer(Math.min(within, copy.length));
    copy[at] = copy[at]! ^ (1 << random.integer(8));
  }
  return copy;
}
