import path from 'node:path';
import { z } from 'zod';
import { MODALITIES, type Modality } from '../../common/labels.js';
import type { ModelSpec } from '../../models/spec.js';

const fileSchema = z.object({ file: z.string(), sha256: z.string().length(64) });

export const STEM_STARTS = ['average', 'random'] as const;

/** Where the first weights of one modality's network came from. Nothing of it: all were random. */
export const originSchema = z.object({
  /** The file of the reference that was imported. */
  imported: fileSchema.optional(),
  /** The weights that the EfficientNet began with; `stem` says how a network of one channel took its first filters. */
  backbone: fileSchema.extend({ stem: z.enum(STEM_STARTS).optional() }).optional(),
  /** The checkpoint that the run started from; the others then say where that one began. */
  checkpoint: fileSchema.optional(),
});

export const originsSchema = z.partialRecord(z.enum(MODALITIES), originSchema);

export type Origin = z.infer<typeof originSchema>;
export type Origins = z.infer<typeof originsSchema>;

const BACKBONES = ['speech', 'face'] as const;

/** Modalities of `spec` whose EfficientNet began with random weights where the reference begins with ImageNet's. */
export function randomBackbones(spec: ModelSpec, origins: Origins): Modality[] {
  return BACKBONES.filter((modality) => {
    if (spec.mode !== 'multimodal' && spec.mode !== modality) return false;
    const origin = origins[modality];
    // Nobody has ImageNet weights of the tiny network.
    return !origin?.imported && !origin?.backbone && spec[`${modality}Coefficient`] !== 'tiny';
  });
}

/** One line on where a modality's weights began, for logs and model cards: files without their folders. */
export function describeOrigin({ imported, backbone, checkpoint }: Origin): string {
  const named = ({ file, sha256 }: { file: string; sha256: string }) => `${path.basename(file)} (sha256 ${sha256})`;
  const parts: string[] = [];
  if (checkpoint) parts.push(`checkpoint ${named(checkpoint)}`);
  if (imported) parts.push(`weights of the reference, ${named(imported)}`);
  if (backbone) {
    const stem = { average: ', first filters averaged over RGB', random: ', first filters random' };
    parts.push(`EfficientNet weights ${named(backbone)}${backbone.stem ? stem[backbone.stem] : ''}`);
  }
  if (!imported && !backbone) parts.push('random weights');
  return parts.join(', which began with ');
}
