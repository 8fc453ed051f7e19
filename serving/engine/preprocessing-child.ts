import { runChild } from '../../common/child-main.js';
import { MODALITIES } from '../../common/labels.js';
import { preprocessClip } from '../../preprocessing/clip.js';
import { createFaceDetector } from '../../preprocessing/faces/face-detector.js';
import { evaluationInputs } from '../../preprocessing/model-inputs.js';
import { WordTable } from '../../preprocessing/words/word-table.js';
import { clipFilesSchema, type PreparedClip, preprocessingConfigSchema } from './tasks.js';

/** A preprocessing process: from the files of a clip to the inputs of the networks. */
runChild({
  configSchema: preprocessingConfigSchema,
  requestSchema: clipFilesSchema,
  async setUp({ detectorDir, threads, compat, maxFrames, subject, inputs, seedFrames, wordTable }) {
    const detector = await createFaceDetector({ directory: detectorDir });
    const lookUp = wordTable && {
      wordTable: await WordTable.open(wordTable.file),
      maxOutOfVocabulary: wordTable.maxOutOfVocabulary,
    };
    const settings = { compat, maxFrames, subject, threads, wordDim: inputs.wordDim, ...lookUp };
    return {
      info: null,
      async handle({ clip, words, transcript }): Promise<PreparedClip> {
        const input = { clip, ...(words !== undefined && { words }), ...(transcript !== undefined && { transcript }) };
        const features = await preprocessClip(input, settings, detector);
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
