/** Tasks that use the tables of others without waiting for them, or the ones that an earlier run has left. */
import type { NodePath, SourceLocation } from '../../../runner/model.ts';
import type { Diagnostic, Fix, RelatedLocation, StaticNodeGraph } from '../analysis.ts';
import { diagnostic } from '../diagnostics.ts';
import { TaskOrder } from './order.ts';
import { keyOf, type PlacedUse, type SqlInput, type TaskFacts, taskName } from './sql-analysis.ts';
import type { TaskSql } from './task-sql.ts';

/** A task that uses a table of another one. */
interface Relation {
  readonly creator: TaskFacts;
  readonly creation: SourceLocation | undefined;
  readonly user: TaskFacts;
  readonly use: PlacedUse;
}

/** Finds the way to make one child of a pipeline wait for another one. */
export type FindFix = (
  pipeline: StaticNodeGraph,
  upstream: StaticNodeGraph,
  downstream: StaticNodeGraph,
) => Fix | undefined;

interface Creation {
  readonly facts: TaskFacts;
  readonly location: SourceLocation | undefined;
}

/** Puts what stands in a schema in the place of another one. */
interface Publication {
  readonly facts: TaskFacts;
  readonly database: string;
  readonly schema: string;
  readonly by: string;
}

export class TableChecks {
  readonly #facts: readonly TaskFacts[];
  readonly #order: TaskOrder;
  readonly #findFix: FindFix;
  readonly #creations = new Map<string, Creation[]>();
  readonly #publications: Publication[] = [];
  /** The tasks that check that nothing reads a schema. */
  readonly #guards: readonly TaskSql[];

  constructor({ root, hasOwnRoot }: SqlInput, facts: readonly TaskFacts[], findFix: FindFix) {
    this.#facts = facts;
    this.#order = new TaskOrder(root, hasOwnRoot);
    this.#findFix = findFix;
    this.#guards = facts.map(({ task }) => task).filter(({ guarded }) => guarded.length > 0);
    for (const each of facts) {
      for (const { kind, key, location } of each.uses)
        if (kind === 'create') this.#noteCreation(key, { facts: each, location });
    }
    for (const each of facts) {
      for (const { database, from, to } of each.renames) this.#notePublication(each, database, from, to);
    }
  }

  diagnostics(): Diagnostic[] {
    return [...this.#ownSchemas(), ...this.#dependencies()];
  }

  #noteCreation(key: string, creation: Creation): void {
    const known = this.#creations.get(key);
    if (known === undefined) this.#creations.set(key, [creation]);
    else if (!known.some(({ facts }) => facts === creation.facts)) known.push(creation);
  }

  #notePublication(facts: TaskFacts, database: string, by: string, schema: string): void {
    const prefix = keyOf(database, `${by}.`);
    const built = [...this.#creations.keys()].filter(key => key.startsWith(prefix));
    if (built.length === 0) return;
    this.#publications.push({ facts, database, schema, by });
    for (const key of built) {
      const published = keyOf(database, `${schema}.${key.slice(prefix.length)}`);
      if (!this.#creations.has(published))
        this.#noteCreation(published, { facts, location: facts.task.location });
    }
  }

  /** Uses of tables that others make, without the tasks of which it is not certain that they are there. */
  *#relations(): Generator<Relation> {
    for (const user of this.#facts) {
      if (!user.task.isCertain) continue;
      const seen = new Set<string>();
      for (const use of user.uses) {
        if (use.kind === 'create' || use.kind === 'drop' || seen.has(use.key)) continue;
        seen.add(use.key);
        const creations = this.#creations.get(use.key) ?? [];
        if (creations.some(({ facts }) => facts === user || !facts.task.isCertain)) continue;
        // With one of them in order, the table is there.
        const orders = creations.map(({ facts }) => this.#order.order(facts.task.path, user.task.path));
        const index = orders.includes('before') ? orders.indexOf('before') : 0;
        const creation = creations[index];
        if (creation !== undefined) yield { creator: creation.facts, creation: creation.location, user, use };
      }
    }
  }

  #dependencies(): Diagnostic[] {
    const missing: Relation[] = [];
    const made = new Map<TaskFacts, Relation[]>();
    for (const relation of this.#relations()) {
      const { creator, user } = relation;
      const creations = this.#creations.get(relation.use.key) ?? [];
      const orders = creations.map(({ facts }) => this.#order.order(facts.task.path, user.task.path));
      // To read a table before it is made anew is to read what the last run has left, on purpose.
      if (orders.includes('after') && !orders.includes('before')) continue;
      const list = made.get(creator);
      if (list === undefined) made.set(creator, [relation]);
      else list.push(relation);
      if (orders.every(order => order === 'none')) missing.push(relation);
    }
    const diagnostics: Diagnostic[] = [];
    const inCycles = new Set<string>();
    const reported = new Set<string>();
    for (const relation of missing) {
      const cycle = cycleThrough(relation, made);
      if (cycle === undefined) {
        const pair = `${taskName(relation.creator.task)} ${taskName(relation.user.task)}`;
        // One dependency mends them all.
        if (!reported.has(pair)) diagnostics.push(this.#missing(relation));
        reported.add(pair);
        continue;
      }
      const tasks = cycle.map(({ user }) => taskName(user.task)).sort();
      if (!inCycles.has(tasks.join())) diagnostics.push(describeCycle(cycle));
      inCycles.add(tasks.join());
    }
    return diagnostics;
  }

  #missing({ creator, creation, user, use }: Relation): Diagnostic {
    const siblings = this.#order.siblings(creator.task.path, user.task.path);
    const [upstream = '', downstream = ''] = [siblings?.first.id, siblings?.second.id];
    const message =
      `Task ${taskName(user.task)} ${use.kind === 'read' ? 'reads' : 'writes to'} ${use.table}, which task ` +
      `${taskName(creator.task)} makes, but does not wait for it: let "${downstream}" wait for "${upstream}".`;
    const fix =
      siblings === undefined ? undefined : this.#findFix(siblings.pipeline, siblings.first, siblings.second);
    return diagnostic('missing-dependency', message, placeOf(use, user), {
      related: relatedPlaces([
        [`${taskName(creator.task)} makes ${use.table}`, creation ?? creator.task.location],
        [`${taskName(user.task)} is made here`, user.task.location],
      ]),
      ...(fix === undefined ? {} : { fixes: [fix] }),
    });
  }

  #ownSchemas(): Diagnostic[] {
    const diagnostics: Diagnostic[] = [];
    for (const user of this.#facts) {
      for (const use of user.uses) {
        if (use.kind !== 'read') continue;
        const found = this.#publishedLater(user, use) ?? this.#guarded(user, use);
        if (found === undefined) continue;
        const { schema, by, location } = found;
        const edit = use.renameSchema(schema, by);
        const table = `${by}.${use.table.slice(schema.length + 1)}`;
        const message =
          `Schema ${schema} is replaced by ${by} later in this run, so ${use.table} is what an earlier run has left. ` +
          `Read ${table} instead.`;
        diagnostics.push(
          diagnostic('own-schema', message, placeOf(use, user), {
            related: relatedPlaces([[`${schema} is replaced here`, location]]),
            ...(edit === undefined ? {} : { fixes: [{ title: `Read ${table}`, edits: [edit] }] }),
          }),
        );
      }
    }
    return diagnostics;
  }

  #publishedLater(
    user: TaskFacts,
    use: PlacedUse,
  ):
    | { readonly schema: string; readonly by: string; readonly location: SourceLocation | undefined }
    | undefined {
    for (const { facts, database, schema, by } of this.#publications) {
      if (facts === user || !use.key.startsWith(keyOf(database, `${schema}.`))) continue;
      const isBuilt = this.#creations.has(keyOf(database, `${by}.${use.table.slice(schema.length + 1)}`));
      if (!isBuilt || this.#order.order(user.task.path, facts.task.path) !== 'before') continue;
      return { schema, by, location: facts.task.location };
    }
    return undefined;
  }

  #guarded(
    user: TaskFacts,
    use: PlacedUse,
  ):
    | { readonly schema: string; readonly by: string; readonly location: SourceLocation | undefined }
    | undefined {
    for (const task of this.#guards) {
      const schema = task.guarded.find(guarded => use.table.startsWith(`${guarded}.`));
      if (schema === undefined || !isBelow(this.#guardedPipeline(task.path, schema), user.task.path))
        continue;
      return { schema, by: `${schema}_next`, location: task.location };
    }
    return undefined;
  }

  /** The pipeline with the label of the schema, or the one that holds the check. */
  #guardedPipeline(path: NodePath, schema: string): NodePath {
    for (let length = path.length - 1; length > 0; length--) {
      const pipeline = path.slice(0, length);
      if (this.#order.node(pipeline)?.labels['Schema'] === schema) return pipeline;
    }
    return path.slice(0, -1);
  }
}

/** A way from the user of a table back to its maker, through tables. */
function cycleThrough(
  relation: Relation,
  made: ReadonlyMap<TaskFacts, readonly Relation[]>,
): Relation[] | undefined {
  const cameBy = new Map<TaskFacts, Relation>();
  const open = [relation.user];
  for (const task of open) {
    for (const next of made.get(task) ?? []) {
      if (cameBy.has(next.user)) continue;
      cameBy.set(next.user, next);
      open.push(next.user);
    }
    if (!cameBy.has(relation.creator)) continue;
    const cycle: Relation[] = [];
    for (let at = relation.creator; at !== relation.user;) {
      const step = cameBy.get(at);
      if (step === undefined) break;
      cycle.unshift(step);
      at = step.creator;
    }
    return [relation, ...cycle];
  }
  return undefined;
}

function describeCycle(cycle: readonly Relation[]): Diagnostic {
  const steps = cycle.map(
    ({ creator, user, use }) =>
      `${taskName(user.task)} ${use.kind === 'read' ? 'reads' : 'writes to'} ${use.table} of ${taskName(creator.task)}`,
  );
  const [first] = cycle;
  const message = `Tasks need each other's tables, so none of them can be the first: ${steps.join(', ')}.`;
  const location = first === undefined ? { file: '', line: 1 } : placeOf(first.use, first.user);
  return diagnostic('table-cycle', message, location, {
    related: relatedPlaces(
      cycle.map((relation, index) => [steps[index] ?? '', placeOf(relation.use, relation.user)] as const),
    ),
  });
}

function placeOf(use: PlacedUse, { task }: TaskFacts): SourceLocation {
  return use.location ?? task.location ?? { file: '', line: 1 };
}

function relatedPlaces(
  places: readonly (readonly [string, SourceLocation | undefined])[],
): RelatedLocation[] {
  return places.flatMap(([message, location]) => (location === undefined ? [] : [{ message, location }]));
}

function isBelow(pipeline: NodePath, path: NodePath): boolean {
  return pipeline.length < path.length && pipeline.every((id, index) => path[index] === id);
}
