import type { Emotion } from '../../common/labels.js';
import type { Random } from '../../common/random.js';
import { blend, drawExpression, type FaceState, REST } from './expressions.js';
import type { Pose } from './face.js';

/** A face over time. */
export type FaceMotion = (seconds: number, mouthOpening: number) => { state: FaceState; pose: Pose };

/** Seconds in which an expression comes up, and how much of it is there from the start. */
const ONSET_SECONDS = 0.4;
const ONSET_SHARE = 0.6;
/** How far speech drops the jaw at most, beside the expression's own drop. */
const SPEECH_JAW = 0.26;
const BLINK_SECONDS = 0.22;

/** The face of a clip: the expression comes up and lives a little, the mouth speaks, the head sways, the eyes blink. */
export function createFaceMotion(emotion: Emotion, seconds: number, random: Random): FaceMotion {
  const expression = drawExpression(emotion, random);
  const sway = () => {
    const [slow, fast, a, b] = [random.between(0.2, 0.5), random.between(0.6, 1.1), random.uniform(), random.uniform()];
    return (time: number) =>
      0.7 * Math.sin(2 * Math.PI * (slow * time + a)) + 0.3 * Math.sin(2 * Math.PI * (fast * time + b));
  };
  const [x, y, roll, yaw, strength] = [sway(), sway(), sway(), sway(), sway()];
  const offset = {
    x: random.between(-7, 7),
    y: random.between(-6, 6),
    roll: random.between(-3, 3),
    yaw: random.between(-0.5, 0.5),
  };
  const blinkAt = random.between(0.3, seconds + 0.8);
  return (time, mouthOpening) => {
    const up = Math.min(1, ONSET_SHARE + ((1 - ONSET_SHARE) * time) / ONSET_SECONDS);
    const state = blend(REST, expression, up * (1 + 0.08 * strength(time)));
    const jaw = state.jaw * 0.85 + SPEECH_JAW * mouthOpening;
    return {
      state: { ...state, jaw, lipPress: state.lipPress * (1 - 0.6 * mouthOpening) },
      pose: {
        x: offset.x + 3 * x(time),
        y: offset.y + 2.5 * y(time),
        roll: offset.roll + 2 * roll(time),
        yaw: offset.yaw + 0.5 * yaw(time),
        blink: Math.max(0, 1 - Math.abs(time - blinkAt) / (BLINK_SECONDS / 2)),
      },
    };
  };
}
