import { main } from '../../cli/main.js';

/** The `mer` command from the sources. */
await main(process.argv);
