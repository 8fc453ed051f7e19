import { InvalidArgumentError } from 'commander';

/** A commander parser for whole numbers of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least) throw new InvalidArgumentError(`It is not a whole number >= ${least}.`);
    return value;
  };
}

/** A commander parser for numbers above zero. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('It is not a number above zero.');
  }
  return value;
}
