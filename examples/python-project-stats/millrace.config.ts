import { defineConfig, embeddedPostgres, postgres } from 'millrace';

const url = process.env['DWH_URL'] ?? '';

// Each of these can be set without changing the file: MILLRACE_DATA_DIR, MILLRACE_FIRST_DATE, MILLRACE_LAST_DATE, …
export default defineConfig({
  // The warehouse: a database in the embedded Postgres, unless DWH_URL names another one.
  databases: { dwh: url === '' ? embeddedPostgres() : postgres({ url }) },
  dataDir: 'data',
  // Days before it are neither downloaded nor loaded. Another day makes everything load again.
  firstDate: '2017-01-01',
});
