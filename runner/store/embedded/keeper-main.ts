/** The keeper's program. */
import { idleStop, runKeeper } from './keeper.ts';
import { stateHome } from './paths.ts';

await runKeeper({ home: stateHome(), resources: import.meta.dirname, idleStop: idleStop() });
