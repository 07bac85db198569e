import { join } from 'node:path';

/** Where files are kept between git and the database. */
export const dataDirectory = process.env['MILLRACE_DATA_DIR'] ?? join(import.meta.dirname, 'data');
