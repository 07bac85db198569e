import { ExecuteSQL } from 'millrace';

/** Runs an SQL file that lies beside the pipeline, without printing every statement of it. */
export function sqlFile(file: string, replace: Readonly<Record<string, string>> = {}): ExecuteSQL {
  return new ExecuteSQL({ sqlFile: file, replace, echoQueries: false });
}
