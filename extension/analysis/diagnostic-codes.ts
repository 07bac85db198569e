/** Every kind of mistake that the analysis reports: one row for each, and a section of docs/diagnostics.md. */

export type Severity = 'error' | 'warning';

export interface DiagnosticKind {
  readonly severity: Severity;
  /** What it is about, in one line. */
  readonly title: string;
  /** The section of docs/diagnostics.md. */
  readonly anchor: string;
}

export type DiagnosticCode = keyof typeof kinds;

const kinds = {
  'invalid-id': ['error', 'An id is missing or not valid'],
  'duplicate-id': ['error', 'Two nodes of a pipeline have the same id'],
  'unknown-upstream': ['error', 'A node waits for one that does not exist'],
  cycle: ['error', 'Nodes wait for each other'],
  'unknown-option': ['error', 'An option does not exist'],
  'sql-source': ['error', 'A command has both sql and sqlFile, or neither'],
  'pipeline-error': ['error', 'A node, command or call is not valid'],
  'unknown-database': ['error', 'A command names a database that the project does not have'],
  'missing-file': ['error', 'A file that a command needs does not exist'],
  'missing-import': ['error', 'An import cannot be found'],
  'missing-export': ['error', 'A file does not export what is imported'],
  syntax: ['error', 'A file is not valid TypeScript'],
  'load-error': ['error', 'A file throws an error when it is loaded'],
  'unused-node': ['warning', 'A node is part of no pipeline'],
  'no-pipeline': ['warning', 'A pipeline file exports no pipeline'],
  'not-evaluated': ['warning', 'The graph is known only after loading'],
  'sql-syntax': ['error', 'SQL that Postgres cannot parse'],
  'missing-dependency': ['warning', 'SQL uses a table of a task that it does not wait for'],
  'table-cycle': ['warning', 'Tasks make tables from each other’s tables'],
  'unused-replacement': ['warning', 'A text in replace does not occur in the SQL'],
  'unreplaced-placeholder': ['warning', 'A placeholder in SQL is not replaced'],
  'own-schema': ['warning', 'A pipeline reads the schema that it publishes'],
} as const satisfies Readonly<Record<string, readonly [Severity, string]>>;

/** All codes, in the order of the documentation. */
export const diagnosticCodes = Object.keys(kinds) as readonly DiagnosticCode[];

/** What is known of a code. */
export function diagnosticKind(code: DiagnosticCode): DiagnosticKind {
  const [severity, title] = kinds[code];
  return { severity, title, anchor: `docs/diagnostics.md#${code}` };
}
