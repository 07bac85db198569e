import { defineConfig } from 'millrace';
import { dataDirectory } from './data-directory.ts';

// Without databases of its own, the project uses the alias `dwh`: a database in the embedded Postgres.
export default defineConfig({ dataDir: dataDirectory });
