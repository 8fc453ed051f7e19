import { runChild } from '../../common/child-main.js';
import { MODALITIES } from '../../common/labels.js';
import { preprocessClip } from '../../preprocessing/clip.js';
import { createFaceDetector } from '../../preprocessing/faces/face-detector.js';
import { evaluationInputs } from '../../preprocessing/model-inputs.js';
import { clipFilesSchema, type PreparedClip, preprocessingConfigSchema } from './tasks.js';

/** A preprocessing process: from the files of a clip to the inputs of the networks. */
runChild({
  configSchema: preprocessingConfigSchema,
  requestSchema: clipFilesSchema,
  async setUp({ detectorDir, threads, compat, maxFrames, inputs, seedFrames }) {
    const detector = await createFaceDetector({ directory: detectorDir, threads });
    return {
      info: null,
      async handle({ clip, words }): Promise<PreparedClip> {
        const settings = { compat, maxFrames, wordDim: inputs.wordDim };
        const features = await preprocessClip(words === undefined ? { clip } : { clip, words }, settings, detector);
        const missing: PreparedClip['missing'] = {};
        for (const modality of MODALITIES) {
          const value = features[modality];
          if (value.status !== 'used') missing[modality] = { status: value.status, reason: value.reason };
        }
        const { duration, span, speech, timings, warnings } = features;
        const speechFrames = speech.status === 'used' ? speech.frames : 0;
        const prepared = evaluationInputs(features, inputs, seedFrames);
        return { inputs: prepared, missing, duration, span, speechFrames, timings, warnings };
      },
    };
  },
});
