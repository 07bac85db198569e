/** The commands that pipelines are made of, and the formats of files. */
export {
  type AlmostEqualOptions,
  assertAlmostEqual,
  assertBiggerThanOrEqual,
  assertEqual,
  assertNotEqual,
  assertNotFound,
  assertSmallerThanOrEqual,
  type CheckedValue,
  type CheckOptions,
  type ComparedWith,
  type ComparisonOptions,
  type ConsistencyCheck,
} from './consistency-check.ts';
export { Copy, type CopyFormatOptions, type CopyOptions } from './copy.ts';
export { CopyIncrementally, type CopyIncrementallyOptions } from './copy-incrementally.ts';
export { CopyFile, type CopyFileOptions } from './copy-file.ts';
export { ExecuteSQL, type ExecuteSQLOptions } from './execute-sql.ts';
export {
  csv,
  type CsvFormat,
  type CsvOptions,
  type FileFormat,
  jsonl,
  type JsonLinesFormat,
  parquet,
  type ParquetFormat,
  type TextFormat,
} from './formats.ts';
export { HttpRequest, type HttpRequestOptions } from './http-request.ts';
export type { Compression } from './input.ts';
export { ReadFile, type ReadFileOptions } from './read-file.ts';
export { ReadScriptOutput, type ReadScriptOutputOptions } from './read-script-output.ts';
export { ReadSQLite, type ReadSQLiteOptions } from './read-sqlite.ts';
export { RemoveFile, type RemoveFileOptions } from './remove-file.ts';
export type { ReadMode } from './parallel/loaded-files.ts';
export {
  ParallelExecuteSQL,
  type ParallelExecuteSQLOptions,
  type SqlParameter,
  type SqlParameters,
} from './parallel/parallel-execute-sql.ts';
export type { ParallelReadOptions } from './parallel/parallel-read.ts';
export { ParallelReadFile, type ParallelReadFileOptions } from './parallel/parallel-read-file.ts';
export { ParallelReadSQLite, type ParallelReadSQLiteOptions } from './parallel/parallel-read-sqlite.ts';
export { ParallelRunFunction, type ParallelRunFunctionOptions } from './parallel/parallel-run-function.ts';
export { ParallelRunScript, type ParallelRunScriptOptions } from './parallel/parallel-run-script.ts';
export type { ParameterSource } from './parallel/parallel-by-parameters.ts';
export { chunks } from './sql-library/chunks.ts';
export { copySchema, type CopySchemaOptions } from './sql-library/copy-schema.ts';
export { replaceSchema, type ReplaceSchemaOptions } from './sql-library/replace-schema.ts';
export { schemaMisuseCheck, type SchemaMisuseCheckOptions } from './sql-library/schema-misuse-check.ts';
export { sqlLibrary, type SqlLibraryOptions } from './sql-library/sql-library.ts';
export type { Replacement, Replacements } from './replace.ts';
export { RunBash, type RunBashOptions } from './run-bash.ts';
export { RunFunction, type RunFunctionOptions, type TaskFunction } from './run-function.ts';
export { RunProcess, type RunProcessOptions } from './run-process.ts';
export { RunScript, type RunScriptOptions } from './run-script.ts';
export { WriteFile, type WriteFileOptions } from './write-file.ts';
