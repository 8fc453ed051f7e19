import { runChild } from '../../common/child-main.js';
import { MODALITIES } from '../../common/labels.js';
import { preprocessClip } from '../../preprocessing/clip.js';
import { createParallelDetector } from '../../preprocessing/faces/parallel-detector.js';
import { WordTable } from '../../preprocessing/words/word-table.js';
import { clipTaskSchema, type PreparedClip, preprocessingConfigSchema } from './tasks.js';
import { planClip } from './windows.js';

/** A preprocessing process: from the files of a clip to the inputs of the networks. */
runChild({
  configSchema: preprocessingConfigSchema,
  requestSchema: clipTaskSchema,
  async setUp({ detectorDir, threads, compat, maxFrames, subject, inputs, modalities, seedFrames, limits, wordTable }) {
    const detector = await createParallelDetector({ directory: detectorDir }, threads);
    const lookUp = wordTable && {
      wordTable: await WordTable.open(wordTable.file),
      maxOutOfVocabulary: wordTable.maxOutOfVocabulary,
    };
    const settings = {
      ...{ compat, maxFrames, framesPerSpan: true, faces: modalities.includes('face'), subject, threads },
      ...{ wordDim: inputs.wordDim, limits },
      ...lookUp,
    };
    const spec = { ...inputs, maxFrames };
    return {
      info: null,
      async handle({ files: { clip, words, transcript }, timeline }, { signal, progress }): Promise<PreparedClip> {
        const input = { clip, ...(words !== undefined && { words }), ...(transcript !== undefined && { transcript }) };
        const features = await preprocessClip(input, { ...settings, signal, onStage: progress }, detector);
        const missing: PreparedClip['missing'] = {};
        for (const modality of MODALITIES) {
          const value = features[modality];
          if (value.status !== 'used') missing[modality] = { status: value.status, reason: value.reason };
        }
        const { duration, span, timings, warnings } = features;
        const plan = planClip(features, { spec, modalities, seedFrames, ...(timeline && { timeline }) });
        return { plan, missing, duration, span, timings, warnings };
      },
    };
  },
});
