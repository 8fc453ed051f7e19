import { main } from '../../cli/main.js';

/**
 * The `mer` command as a module that `forkModule` starts, from the sources and from dist/ alike. It ends with the
 * process that started it.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The channel is no reason to stay.
process.channel?.unref();
await main(process.argv);
