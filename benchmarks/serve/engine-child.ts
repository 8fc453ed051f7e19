import { runChild } from '../../common/child-main.js';
import { Engine } from '../../serving/engine/engine.js';
import { closedLoop } from '../load/loops.js';
import { engineConfigSchema, engineRequestSchema } from './protocol.js';

/** A process with a bare engine, fed from disk: the same processes as behind `mer serve`, without HTTP. */
runChild({
  configSchema: engineConfigSchema,
  requestSchema: engineRequestSchema,
  async setUp({ bundleDir, threads }) {
    const engine = await Engine.create(bundleDir, { device: 'cpu', threads });
    return {
      info: null,
      /** Clips a second. */
      async handle({ clip, words, clients, seconds }): Promise<number> {
        const { count, seconds: taken } = await closedLoop(clients, { seconds }, () => engine.predict({ clip, words }));
        return count / taken;
      },
    };
  },
});
