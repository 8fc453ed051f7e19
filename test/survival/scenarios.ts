import { abortedUploads } from './aborted-uploads.js';
import { engineKills } from './engine-kills.js';
import { hostileMedia } from './hostile-media.js';
import { killNine } from './kill-nine.js';
import type { Scenario } from './scenario.js';
import { sigterm } from './sigterm.js';
import { soak } from './soak.js';

export const SCENARIOS: readonly Scenario[] = [soak, hostileMedia, abortedUploads, engineKills, sigterm, killNine];
