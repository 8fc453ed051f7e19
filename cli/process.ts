/**
 * The `mer` command as a child process of another command, which forked it as the leader of a process group of its own:
 * an error goes to the parent, and when the parent is gone, however it ended, this process and its threads go too.
 */
import { main } from './main.js';

const endGroup = () => process.kill(-process.pid, 'SIGKILL');
process.once('disconnect', endGroup);
// The parent may have gone before this line.
if (!process.connected) endGroup();
await main(process.argv, (error) => {
  process.send?.({ type: 'error', error: error.toJSON() });
});
process.off('disconnect', endGroup);
// What was sent before still arrives; an open channel would keep this process.
if (process.connected) process.disconnect();
