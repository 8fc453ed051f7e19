import { expect, test } from 'vitest';
import type { Variant } from '../../common/bundle.js';
import { requireAgreement } from '../../export/variant.js';

const VARIANT: Variant = {
  maxError: 0.03,
  agreement: { clips: 200, share: 0.99 },
  bytes: { fp32: 4e6, variant: 2e6 },
  seconds: { fp32: 0.02, variant: 0.01, threads: 2 },
};

test('a variant that gives 99 % of the clips the emotion of float32 is taken', () => {
  expect(() => requireAgreement('int8', VARIANT)).not.toThrow();
});

test('one that gives fewer is refused with the figures and the way around', () => {
  const worse = { ...VARIANT, agreement: { clips: 200, share: 0.985 } };
  expect(() => requireAgreement('int8', worse)).toThrow(
    expect.objectContaining({
      code: 'parity_failed',
      message: expect.stringContaining('98.5 % of 200 validation clips'),
      remedy: expect.stringContaining('--force'),
    }),
  );
});

test('one that was compared on no clips is not taken for equal', () => {
  expect(() => requireAgreement('fp16', { ...VARIANT, agreement: null })).toThrow(
    expect.objectContaining({ code: 'parity_failed', remedy: expect.stringContaining('--features') }),
  );
});
