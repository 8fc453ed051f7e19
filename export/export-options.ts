import type { Precision } from '../common/bundle.js';
import type { Modality } from '../common/labels.js';
import type { Mode } from '../models/spec.js';

/** Where the weights of a bundle come from: a run (folder or checkpoint file), or a file for each network. */
export interface WeightFiles {
  run?: string | undefined;
  weights?: Partial<Record<Mode, string | undefined>> | undefined;
}

export interface ExportOptions extends WeightFiles {
  /** Folder of the bundle; a bundle that lies there is replaced. */
  out: string;
  /** What the bundle calls itself; the name of its folder by default. */
  name?: string | undefined;
  /**
   * Features whose validation clips it is measured and calibrated on. By default those that the run's configuration
   * names; where they are gone, the bundle is made without calibration and says so.
   */
  features?: string | undefined;
  /** Modalities that the bundle gets no branch for; they are then missing in every clip. */
  without?: readonly Modality[] | undefined;
  /** Also writes the branches and the fusion as one graph. */
  single?: boolean | undefined;
  /** `fp32` by default. */
  precision?: Precision | undefined;
  /** Takes a variant that answers otherwise than float32, or that there are no validation clips to compare on. */
  force?: boolean | undefined;
}
