import type { Command } from 'commander';
import {
  addBatchFlags,
  addEngineFlags,
  type BatchFlags,
  batchOptions,
  bundleFolder,
  type EngineFlags,
  engineOptions,
} from './engine-flags.js';
import { positiveNumber, wholeNumber } from './flags.js';
import {
  addMediaFlags,
  addServerFlags,
  type MediaFlags,
  mediaLimits,
  readEnvironment,
  type ServerFlags,
  serverLimits,
} from './server-flags.js';
import { addWordFlags, type WordFlags, wordTableOption } from './word-flags.js';

interface ServeFlags extends EngineFlags, BatchFlags, WordFlags, ServerFlags, MediaFlags {
  port: number;
  host: string;
  preprocess_workers?: number;
  timeout_seconds: number;
}

export function addServeCommand(program: Command): void {
  const command = addWordFlags(addBatchFlags(addEngineFlags(readEnvironment(program.command('serve')))))
    .description('Serve a bundle over HTTP. GET /docs describes the API, docs/serving.md the rest.')
    .option('--port <n>', 'port to listen on; 0: any free one', wholeNumber(0), 8080)
    .option('--host <address>', 'address to listen on; 0.0.0.0: all of the machine', '127.0.0.1')
    .option('--preprocess_workers <n>', 'preprocessing processes (default: one a core but one)', wholeNumber(1))
    .option('--timeout_seconds <n>', 'longest time of one clip, waiting included', positiveNumber, 120);
  addMediaFlags(addServerFlags(command)).action(async (flags: ServeFlags) => {
    const bundleDir = await bundleFolder(flags);
    const [{ pino }, { startServer }] = await Promise.all([import('pino'), import('../serving/server.js')]);
    const log = pino({ base: null });
    const server = await startServer({
      ...engineOptions(flags),
      ...batchOptions(flags),
      ...wordTableOption(flags),
      ...(flags.preprocess_workers !== undefined && { workers: flags.preprocess_workers }),
      bundleDir,
      port: flags.port,
      host: flags.host,
      ...dataFolder(flags),
      limits: serverLimits(flags),
      mediaLimits: mediaLimits(flags),
      keep: flags.keep,
      ...(flags.api_keys_file !== undefined && { apiKeysFile: flags.api_keys_file }),
      corsOrigins: flags.cors_origin,
      trustedProxies: flags.trust_proxy,
      timeoutSeconds: flags.timeout_seconds,
      log,
    });
    const { bundle, info } = server.engine;
    if (info.fallback !== undefined) log.warn(info.fallback);
    const model = `${bundle.name} ${bundle.version}`;
    log.info({ url: server.url, model, device: info.device, bundle: bundleDir }, 'ready');
    process.stderr.write(
      `Serving ${model} on ${info.device} at ${server.url}\n  curl -F clip=@FILE ${server.url}/v1/predict\n`,
    );
    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      log.info({ signal }, 'stopping');
      await server.close();
      log.info('stopped');
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}

/** Who asks for any free port does not come back to it: there is nobody to find jobs of an earlier server. */
function dataFolder({ data_dir, port }: ServeFlags): { dataDir?: string } {
  if (data_dir !== undefined) return { dataDir: data_dir };
  return port === 0 ? {} : { dataDir: 'serve-data' };
}
