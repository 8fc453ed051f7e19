import fs from 'node:fs';
import { runChild } from '../../common/child-main.js';
import { pictureBytes } from '../media/picture.js';
import type { NetRun } from './detection-net.js';
import { type DetectorResult, detectorConfigSchema, detectorRequestSchema } from './detector-protocol.js';
import { createFaceDetector } from './face-detector.js';

/** A process that looks for faces in the frames that its parent leaves in a file. */
runChild({
  configSchema: detectorConfigSchema,
  requestSchema: detectorRequestSchema,
  async setUp({ directory, frames }) {
    const runs: NetRun[] = [];
    let milliseconds = 0;
    const detector = await createFaceDetector({
      directory,
      onRun: (run) => runs.push(run),
      onDetection: (elapsed) => {
        milliseconds += elapsed;
      },
    });
    const file = fs.openSync(frames, 'r');
    let room = new Uint8Array(0);
    return {
      info: null,
      async handle({ minFace, enough, ...shape }): Promise<DetectorResult> {
        const size = pictureBytes(shape);
        if (room.length !== size) room = new Uint8Array(size);
        fs.readSync(file, room, 0, size, 0);
        runs.length = 0;
        milliseconds = 0;
        const faces = await detector.detect({ data: room, ...shape }, minFace, enough);
        return { faces, runs: runs.map((run) => ({ ...run, shape: [...run.shape] })), milliseconds };
      },
    };
  },
});
