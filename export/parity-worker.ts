/** Child process of the parity gate: runs ONNX Runtime where no TensorFlow is loaded, answers once, and ends. */
import { type NetworkLogits, OnnxNetwork } from './onnx-network.js';
import { type ParityReply, requestSchema } from './parity-protocol.js';

process.once('message', async (message) => {
  const reply = await answer(message);
  process.send?.(reply, () => process.disconnect());
});

async function answer(message: unknown): Promise<ParityReply> {
  try {
    const { directory, batches } = requestSchema.parse(message);
    const network = await OnnxNetwork.open(directory);
    const results: NetworkLogits[] = [];
    for (const batch of batches) results.push(await network.run(batch));
    await network.dispose();
    return { results };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
