import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requireTimeline } from '../../serving/engine/predict-options.js';
import { timelineWindows } from '../../serving/page/client/timeline-windows.js';

test('whatever the length of a clip, the page asks for windows that the engine takes, and for few of them', () => {
  fc.assert(
    fc.property(fc.option(fc.double({ min: 0.01, max: 4 * 3600, noNaN: true })), (duration) => {
      const { window, hop } = timelineWindows(duration);
      requireTimeline({ window, hop });
      expect((duration ?? 0) / hop).toBeLessThanOrEqual(60.001);
    }),
  );
});
