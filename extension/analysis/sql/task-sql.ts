/** The SQL of the tasks of a graph, as plain data: what it takes to find out which tables they use. */
import { resolve } from 'node:path';
import type { Command } from '../../../runner/api/command.ts';
import { isParallelTask, isTask, lineage, type Node } from '../../../runner/api/node.ts';
import {
  Copy,
  CopyIncrementally,
  ExecuteSQL,
  ParallelExecuteSQL,
  ParallelReadFile,
  ParallelReadSQLite,
  ReadFile,
  ReadScriptOutput,
  ReadSQLite,
  WriteFile,
} from '../../../runner/commands/index.ts';
import type { NodePath, SourceLocation } from '../../../runner/model.ts';
import { optionsLiteral, optionValue } from '../diagnostics.ts';
import type { NodeInfos } from '../evaluator/node-info.ts';
import { Dyn } from '../evaluator/values.ts';
import { locationOf, rangeOf, type SyntaxNode, ts } from '../syntax.ts';

/** Where SQL comes from. */
export type SqlSource =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'text';
      readonly text: string;
      /** Where it stands. */
      readonly location: SourceLocation;
      /** Whether the text stands there as it is, from the start of the location on. */
      readonly isLiteral: boolean;
    };

export interface SqlReplacement {
  readonly text: string;
  /** `undefined`: only running can tell. */
  readonly value: string | undefined;
  /** Where the text stands that is replaced, if the command says it itself. */
  readonly location: SourceLocation | undefined;
}

export interface TaskScript {
  readonly source: SqlSource;
  /** Alias; `undefined`: the default one. */
  readonly database: string | undefined;
  readonly replacements: readonly SqlReplacement[];
  /** Placeholders get their values when the task runs. */
  readonly isIncomplete: boolean;
}

/** A table that a command fills without SQL. */
export interface TaskTarget {
  readonly table: string;
  readonly database: string | undefined;
  readonly location: SourceLocation | undefined;
}

/** A schema that a command puts in place of another one. */
export interface PublishedSchema {
  readonly schema: string;
  readonly by: string;
  readonly database: string | undefined;
}

export interface TaskSql {
  readonly path: NodePath;
  /** Where the task is made. */
  readonly location: SourceLocation | undefined;
  /** Whether the task is there for sure, and once. */
  readonly isCertain: boolean;
  readonly scripts: readonly TaskScript[];
  readonly targets: readonly TaskTarget[];
  readonly published: readonly PublishedSchema[];
  /** Schemas that nothing in the pipeline of the task may read. */
  readonly guarded: readonly string[];
}

type Options = Readonly<Record<string, unknown>>;

interface Found {
  readonly scripts: TaskScript[];
  readonly targets: TaskTarget[];
  readonly published: PublishedSchema[];
  readonly guarded: string[];
  readonly madeText: (fn: unknown) => string | undefined;
}

/**
 * The SQL of a task; `undefined` when it has none that is known.
 *
 * @param madeText what a function in the place of a text gives, if that is known before a run
 */
export function taskSql(
  infos: NodeInfos,
  node: Node,
  path: NodePath,
  madeText: (fn: unknown) => string | undefined,
): TaskSql | undefined {
  const found: Found = { scripts: [], targets: [], published: [], guarded: [], madeText };
  const info = infos.of(node);
  if (isTask(node)) for (const command of node.commands ?? []) readCommand(infos, node, command, found);
  if (isParallelTask(node)) {
    for (const command of [...node.commandsBefore, ...node.commandsAfter])
      readCommand(infos, node, command, found);
    if (isRecord(info.options) && info.placeholder === undefined && info.unknown.size === 0) {
      const { options, made } = info;
      if (node instanceof ParallelExecuteSQL) readScript(node, options, 'db', made, found, true);
      if (node instanceof ParallelReadFile || node instanceof ParallelReadSQLite)
        readTarget(options, 'db', made, found);
    }
  }
  const { scripts, targets, published, guarded } = found;
  if (scripts.length + targets.length + published.length + guarded.length === 0) return undefined;
  return {
    path,
    location: info.made === undefined ? undefined : locationOf(info.made),
    isCertain: lineage(node).every(each => infos.isCertain(each)),
    scripts,
    targets,
    published,
    guarded,
  };
}

function readCommand(infos: NodeInfos, node: Node, command: Command, found: Found): void {
  const info = infos.commands.get(command);
  if (info?.unknown !== undefined) return;
  const made = info?.made ?? infos.of(node).made;
  const [given] = info?.args ?? [];
  const isOwn = info !== undefined && isRecord(given);
  // Commands that a function of the API has made know their options themselves.
  const spec = isOwn ? undefined : command.spec();
  const options = isOwn ? given : spec?.options;
  const kind = spec?.kind ?? info?.kind;
  if (!isRecord(options)) return;
  if (command instanceof ExecuteSQL || command instanceof WriteFile) {
    readScript(node, options, 'db', made, found);
  } else if (command instanceof Copy || command instanceof CopyIncrementally) {
    readScript(node, options, 'from', made, found);
    readTarget(options, 'to', made, found);
  } else if (
    command instanceof ReadFile ||
    command instanceof ReadScriptOutput ||
    command instanceof ReadSQLite
  ) {
    readTarget(options, 'db', made, found);
  } else if (kind === 'ConsistencyCheck') {
    readScript(node, options, 'db', made, found);
  } else if (kind === 'ReplaceSchema') {
    const { schema, by, db } = options;
    if (typeof schema !== 'string') return;
    const next = typeof by === 'string' ? by : `${schema}_next`;
    found.published.push({ schema, by: next, database: textOf(db) });
  } else if (kind === 'SchemaMisuseCheck') {
    const label = lineage(node).find(each => (each.labels['Schema'] ?? '') !== '')?.labels['Schema'];
    const schema = textOf(options['schema']) ?? label;
    if (schema !== undefined) found.guarded.push(schema);
  }
}

function readScript(
  node: Node,
  options: Options,
  databaseOption: string,
  made: SyntaxNode | undefined,
  found: Found,
  isParallel = false,
): void {
  if (made === undefined) return;
  const source = sourceOf(node, options, made, found);
  const replacements = replacementsOf(options['replace'], made, found);
  const database = options[databaseOption];
  if (source === undefined || replacements === undefined) return;
  if (database !== undefined && typeof database !== 'string') return;
  const placeholders = isParallel && Array.isArray(options['placeholders']) ? options['placeholders'] : [];
  found.scripts.push({
    source,
    database,
    replacements: [
      ...replacements,
      ...placeholders
        .filter(text => typeof text === 'string')
        .map(text => ({ text, value: undefined, location: undefined })),
    ],
    isIncomplete: isParallel && options['placeholders'] === undefined,
  });
}

function sourceOf(
  node: Node,
  { sql: given, sqlFile }: Options,
  made: SyntaxNode,
  { madeText }: Found,
): SqlSource | undefined {
  if (typeof sqlFile === 'string') return { kind: 'file', path: resolve(node.basePath, sqlFile) };
  const sql = typeof given === 'function' ? madeText(given) : given;
  if (typeof sql !== 'string') return undefined;
  const written = optionValue(made, 'sql');
  const literal = written !== undefined && ts.isStringLiteralLike(written) ? written : undefined;
  if (literal === undefined) {
    return { kind: 'text', text: sql, location: locationOf(written ?? made), isLiteral: false };
  }
  const file = literal.getSourceFile();
  const [start, end] = [literal.getStart(file) + 1, literal.end - 1];
  const isLiteral = file.text.slice(start, end) === sql;
  const location = isLiteral ? rangeOf(file, start, end) : locationOf(literal);
  return { kind: 'text', text: sql, location, isLiteral };
}

/** `undefined`: only running can tell what is replaced. */
function replacementsOf(value: unknown, made: SyntaxNode, { madeText }: Found): SqlReplacement[] | undefined {
  if (value === undefined) return [];
  if (!isRecord(value)) return undefined;
  const written = optionValue(made, 'replace');
  const literal =
    written !== undefined && ts.isObjectLiteralExpression(written) && optionsLiteral(made) !== undefined
      ? written
      : undefined;
  return Object.entries(value).map(([text, replacement]) => {
    const key = literal?.properties.find(
      ({ name }) =>
        name !== undefined && (ts.isStringLiteralLike(name) || ts.isIdentifier(name)) && name.text === text,
    )?.name;
    return {
      text,
      value:
        typeof replacement === 'string' || typeof replacement === 'number'
          ? String(replacement)
          : madeText(replacement),
      location: key === undefined ? undefined : locationOf(key),
    };
  });
}

function readTarget(
  options: Options,
  databaseOption: string,
  made: SyntaxNode | undefined,
  found: Found,
): void {
  const { table } = options;
  const database = options[databaseOption];
  if (typeof table !== 'string' || (database !== undefined && typeof database !== 'string')) return;
  const location = made === undefined ? undefined : locationOf(optionValue(made, 'table') ?? made);
  found.targets.push({ table, database, location });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isRecord(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Dyn);
}
