import type { Variant } from '../common/bundle.js';

/** A variant's figures in one line. */
export function describeVariant({ maxError, agreement, bytes, seconds }: Variant): string {
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(0)} %`;
  const same =
    agreement === null
      ? 'emotions were not compared'
      : `${(100 * agreement.share).toFixed(1)} % of ${agreement.clips} validation clips get the same emotion`;
  const milliseconds = (value: number) => `${(1000 * value).toFixed(0)} ms`;
  return (
    `logits differ by up to ${maxError.toExponential(1)} * max(1, |logit|); ${same}; ${percent(bytes.variant, bytes.fp32)} of the ` +
    `size; ${milliseconds(seconds.variant)} a clip on the CPU instead of ${milliseconds(seconds.fp32)} (${seconds.threads} threads)`
  );
}
