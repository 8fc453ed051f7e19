/** Child process that scores features with ONNX files: ONNX Runtime where no TensorFlow is loaded. */
import { runChild } from '../common/child-main.js';
import { loadClipFeatures } from '../preprocessing/corpus/feature-store.js';
import { collate, evaluationInputs } from '../preprocessing/model-inputs.js';
import { OnnxNetwork } from './onnx-network.js';
import { configSchema, requestSchema } from './validation-protocol.js';

runChild({
  configSchema,
  requestSchema,
  async setUp({ directory, featuresDir, split, spec }) {
    const network = await OnnxNetwork.open(directory);
    return {
      info: null,
      async handle(record) {
        const features = await loadClipFeatures(featuresDir, split, record);
        return network.runSubsets(collate([evaluationInputs(features, spec)], spec));
      },
    };
  },
});
