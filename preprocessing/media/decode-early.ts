import { type DecodeOptions, Decoding } from './decode.js';
import type { MediaLimits } from './media-limits.js';
import { guessMp4Info } from './mp4-header.js';
import { describeMedia, type MediaInfo } from './probe.js';
import { sniffFile } from './sniff.js';

/** What is to be decoded of a file. */
export interface DecodePlan {
  /** The file's description, less the streams that are not wanted. */
  info: MediaInfo;
  options: DecodeOptions;
}

/**
 * Probes a file and has the decoder start meanwhile where the file's header lets the outcome be guessed: each of the
 * two takes longer to start than a short clip takes to decode. The decoder is under all limits from its start, nothing
 * of its output is read before the probe has passed the file, and it is only kept if the probed facts ask for the very
 * same command; otherwise it is killed and started anew.
 *
 * @param plan what is to be decoded of a file that is described so; null for nothing
 * @returns what the file is, and the decoder at work
 * @throws MerError as `probeMedia` does
 */
export async function decodeEarly(
  file: string,
  limits: MediaLimits,
  plan: (info: MediaInfo) => DecodePlan,
): Promise<{ info: MediaInfo; decoding: Decoding }>;
export async function decodeEarly(
  file: string,
  limits: MediaLimits,
  plan: (info: MediaInfo) => DecodePlan | null,
): Promise<{ info: MediaInfo; decoding: Decoding | null }>;
export async function decodeEarly(
  file: string,
  limits: MediaLimits,
  plan: (info: MediaInfo) => DecodePlan | null,
): Promise<{ info: MediaInfo; decoding: Decoding | null }> {
  const demuxer = await sniffFile(file);
  const guessed = demuxer === 'mov' ? await guessMp4Info(file) : null;
  const early = guessed && start(file, plan(guessed));
  try {
    // The decoder first, for it has more to do.
    await early?.launched;
    const info = await describeMedia(file, demuxer, limits);
    const wanted = plan(info);
    if (early && wanted && early.suits(wanted.info, wanted.options)) return { info, decoding: early };
    early?.kill();
    return { info, decoding: start(file, wanted) };
  } catch (error) {
    early?.kill();
    throw error;
  }
}

function start(file: string, wanted: DecodePlan | null): Decoding | null {
  return wanted && new Decoding(file, wanted.info, wanted.options);
}
