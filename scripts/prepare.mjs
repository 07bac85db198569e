// npm calls this after an installation in a clone, so that `dist/` is there. The scripts that install build by themselves.
import { ensureBuilt } from './setup.mjs';

if (process.env.MILLRACE_PREPARED === undefined) ensureBuilt();
