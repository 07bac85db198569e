/** The SQL of a project: what it cannot be, and which tables each task uses. */
import { formatPath, type NodePath, type SourceLocation } from '../../../runner/model.ts';
import type { Diagnostic, StaticNodeGraph } from '../analysis.ts';
import { diagnostic } from '../diagnostics.ts';
import type { FileSystem } from '../file-system.ts';
import type { SqlParser } from './parser.ts';
import { type Routine, type ScriptFacts, scriptFacts } from './script-facts.ts';
import { ScriptText } from './script-text.ts';
import type { Effects, TableUse } from './statement-tables.ts';
import type { FixEdit } from '../analysis.ts';
import type { TaskScript, TaskSql } from './task-sql.ts';

export interface SqlInput {
  readonly root: StaticNodeGraph;
  /** Whether the project has a root pipeline of its own, so that its children can wait for each other. */
  readonly hasOwnRoot: boolean;
  readonly tasks: readonly TaskSql[];
  /** The aliases of databases that are Postgres. */
  readonly postgres: ReadonlySet<string>;
  /** `undefined`: not known before the configuration is loaded. */
  readonly defaultDatabase: string | undefined;
}

/** The tables that a task uses, by name as in SQL, sorted. */
export interface TaskTables {
  readonly path: NodePath;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly creates: readonly string[];
}

export interface SqlAnalysis {
  readonly diagnostics: readonly Diagnostic[];
  readonly tables: readonly TaskTables[];
  /** The SQL files of all tasks, absolute. */
  readonly files: readonly string[];
}

/** A use of a table by a task, with its place. */
export interface PlacedUse {
  readonly kind: TableUse['kind'];
  readonly isLenient: boolean;
  /** Database and table. */
  readonly key: string;
  readonly table: string;
  readonly location: SourceLocation | undefined;
  /** Changes the schema that the name begins with. */
  readonly renameSchema: (from: string, to: string) => FixEdit | undefined;
}

export interface PlacedRename {
  readonly database: string;
  readonly from: string;
  readonly to: string;
}

/** A task with everything that it does to tables. */
export interface TaskFacts {
  readonly task: TaskSql;
  readonly uses: readonly PlacedUse[];
  readonly renames: readonly PlacedRename[];
}

interface ReadScript {
  readonly script: TaskScript;
  readonly database: string;
  readonly text: ScriptText;
  readonly facts: ScriptFacts;
}

export class SqlReader {
  readonly #parser: SqlParser;
  readonly #fileSystem: FileSystem;
  /** By the text of the script; what no task needs any more is dropped. */
  #known = new Map<string, ScriptFacts>();

  constructor(parser: SqlParser, fileSystem: FileSystem) {
    this.#parser = parser;
    this.#fileSystem = fileSystem;
  }

  /** Reads all scripts. The signal is looked at between them, and others get to run. */
  async read(
    { tasks, postgres, defaultDatabase }: SqlInput,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly facts: TaskFacts[]; readonly diagnostics: Diagnostic[]; readonly files: string[] }> {
    const used = new Map<string, ScriptFacts>();
    const texts = new Map<string, string | undefined>();
    const read = new Map<TaskSql, ReadScript[]>();
    let since = performance.now();
    for (const task of tasks) {
      const scripts: ReadScript[] = [];
      for (const script of task.scripts) {
        const database = script.database ?? defaultDatabase;
        const original = this.#original(script, texts);
        if (database === undefined || !postgres.has(database) || original === undefined) continue;
        const text = new ScriptText(script, original);
        let facts = used.get(text.text) ?? this.#known.get(text.text);
        if (facts === undefined) {
          facts = scriptFacts(this.#parser, text.text);
          if (performance.now() - since > 8) {
            await new Promise(resolve => setImmediate(resolve));
            since = performance.now();
          }
          signal?.throwIfAborted();
        }
        used.set(text.text, facts);
        scripts.push({ script, database, text, facts });
      }
      read.set(task, scripts);
    }
    this.#known = used;
    const all = [...read.values()].flat();
    const routines = routinesOf(all);
    const facts = tasks.map(task => ({
      task,
      ...factsOfTask(task, read.get(task) ?? [], routines, { postgres, defaultDatabase }),
    }));
    return { facts, diagnostics: textDiagnostics(all), files: [...texts.keys()] };
  }

  #original({ source }: TaskScript, texts: Map<string, string | undefined>): string | undefined {
    if (source.kind === 'text') return source.text;
    if (!texts.has(source.path)) texts.set(source.path, this.#fileSystem.readFile(source.path));
    return texts.get(source.path);
  }
}

/** What the text of SQL says by itself. */
function textDiagnostics(scripts: readonly ReadScript[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const unused = new Map<string, Diagnostic>();
  const usedPlaces = new Set<string>();
  for (const { script, text, facts } of scripts) {
    if (!script.isIncomplete) {
      for (const { message, offset } of facts.mistakes)
        diagnostics.push(diagnostic('sql-syntax', message, text.wordAt(offset)));
    }
    for (const { name, location } of text.unreplaced) {
      const message = `Nothing replaces ${name}: give it in the option replace of the command.`;
      diagnostics.push(diagnostic('unreplaced-placeholder', message, location));
    }
    for (const { text: replaced, location } of script.replacements) {
      if (location === undefined) continue;
      const place = `${location.file}:${String(location.line)}:${String(location.column)}`;
      if (text.has(replaced)) usedPlaces.add(place);
      else {
        const { source } = script;
        const where = source.kind === 'file' ? source.path.split(/[\\/]/).at(-1) : 'the SQL';
        const message = `"${replaced}" does not occur in ${String(where)}, so nothing is replaced.`;
        unused.set(place, diagnostic('unused-replacement', message, location));
      }
    }
  }
  // The same lines may make several commands.
  for (const [place, found] of unused) if (!usedPlaces.has(place)) diagnostics.push(found);
  return diagnostics;
}

type Routines = ReadonlyMap<string, readonly Routine[]>;

function routinesOf(scripts: readonly ReadScript[]): Routines {
  const routines = new Map<string, Routine[]>();
  for (const { database, facts } of scripts) {
    for (const routine of facts.routines) {
      const key = keyOf(database, publicName(routine.name));
      const known = routines.get(key);
      if (known === undefined) routines.set(key, [routine]);
      else known.push(routine);
    }
  }
  return routines;
}

function factsOfTask(
  task: TaskSql,
  scripts: readonly ReadScript[],
  routines: Routines,
  { postgres, defaultDatabase }: Pick<SqlInput, 'postgres' | 'defaultDatabase'>,
): Omit<TaskFacts, 'task'> {
  const uses: PlacedUse[] = [];
  const renames: PlacedRename[] = [];
  for (const { database, text, facts } of scripts) {
    const take = (effects: Effects, at: number | undefined, seen: readonly Routine[]): void => {
      for (const use of effects.uses) {
        const offset = at ?? use.offset;
        uses.push({
          ...use,
          key: keyOf(database, use.table),
          location: text.nameAt(offset),
          renameSchema: (from, to) => (at === undefined ? text.replaceWord(offset, from, to) : undefined),
        });
      }
      for (const { from, to } of effects.renames) renames.push({ database, from, to });
      for (const call of effects.calls) {
        for (const routine of routines.get(keyOf(database, publicName(call.name))) ?? [])
          if (!seen.includes(routine)) take(routine, at ?? call.offset, [...seen, routine]);
      }
    };
    take(facts, undefined, []);
  }
  for (const { table, database = defaultDatabase, location } of task.targets) {
    if (database === undefined || !postgres.has(database)) continue;
    const name = writtenName(table);
    if (name === undefined) continue;
    uses.push({
      kind: 'write',
      isLenient: false,
      key: keyOf(database, name),
      table: name,
      location,
      renameSchema: () => undefined,
    });
  }
  for (const { schema, by, database = defaultDatabase } of task.published)
    if (database !== undefined) renames.push({ database, from: by, to: schema });
  return { uses, renames };
}

export function keyOf(database: string, name: string): string {
  return `${database} ${name}`;
}

function publicName(name: string): string {
  return name.startsWith('public.') ? name.slice('public.'.length) : name;
}

/** The name of a table as an option gives it; `undefined` when it is not a name. */
function writtenName(table: string): string | undefined {
  const parts = [...table.matchAll(/\s*(?:"((?:[^"]|"")*)"|([a-z_][\w$]*))\s*(\.|$)/giy)];
  if (parts.length === 0 || parts.map(([text]) => text).join('') !== table) return undefined;
  const names = parts.map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.toLowerCase());
  return publicName(names.join('.'));
}

export function tablesOf({ task, uses }: TaskFacts): TaskTables {
  const named = (...kinds: readonly TableUse['kind'][]): string[] =>
    [...new Set(uses.filter(({ kind }) => kinds.includes(kind)).map(({ table }) => table))].sort();
  return { path: task.path, reads: named('read'), writes: named('write'), creates: named('create') };
}

export function taskName({ path }: TaskSql): string {
  return `"${formatPath(path)}"`;
}
