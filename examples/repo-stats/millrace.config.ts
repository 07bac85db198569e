import { defineConfig } from 'millrace';

// Without databases of its own, the project uses the alias `dwh`: a database in the embedded Postgres.
export default defineConfig({ dataDir: 'data' });
