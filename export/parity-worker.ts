/** Child process of the parity gate: runs ONNX Runtime where no TensorFlow is loaded, answers once, and ends. */
import { OnnxNetwork, openGraph, runSingle, SINGLE } from './onnx-network.js';
import { type BatchLogits, type ParityReply, requestSchema } from './parity-protocol.js';

process.once('message', async (message) => {
  const reply = await answer(message);
  process.send?.(reply, () => process.disconnect());
});

async function answer(message: unknown): Promise<ParityReply> {
  try {
    const { directory, batches } = requestSchema.parse(message);
    const network = await OnnxNetwork.open(directory);
    const single = await openGraph(directory, SINGLE);
    const results: BatchLogits[] = [];
    for (const batch of batches) {
      results.push({ parts: await network.run(batch), single: single && (await runSingle(single, batch)) });
    }
    await network.dispose();
    await single?.release();
    return { results };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
