import { SPLITS, type Split } from '../../features.js';

const OTHER_NAMES: Record<string, Split> = {
  training: 'train',
  valid: 'val',
  validation: 'val',
  dev: 'val',
  testing: 'test',
};

/** A split by the names that corpora give it, in any case; null for anything else. */
export function parseSplit(text: string): Split | null {
  const name = text.trim().toLowerCase();
  return SPLITS.find((split) => split === name) ?? OTHER_NAMES[name] ?? null;
}
