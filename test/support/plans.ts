/** Plans for tests of the scheduler: written by hand, or arbitrary. */
import fc from 'fast-check';
import { formatPath, type NodePath, type OnFailure } from '../../runner/model.ts';
import type { PlanNode } from '../../runner/scheduler/plan.ts';
import type { AttemptScript } from './simulate.ts';

/** A node without its path, which follows from where it is put. */
export type Draft = Omit<PlanNode, 'path' | 'children'> & {
  readonly children: readonly Draft[];
  /** What a parallel task makes when it is expanded. */
  readonly makes?: readonly Draft[];
};

type Settings = Pick<PlanNode, 'maxParallelTasks' | 'onFailure' | 'maxRetries' | 'retryDelay'>;

export function task(id: string, upstreams: readonly string[] = [], settings: Settings = {}): Draft {
  return { id, kind: 'task', upstreams, children: [], ...settings };
}

export function parallel(id: string, upstreams: readonly string[] = [], settings: Settings = {}): Draft {
  return { id, kind: 'parallel', upstreams, children: [], ...settings };
}

export function pipeline(
  id: string,
  upstreams: readonly string[],
  children: readonly Draft[],
  settings: Settings = {},
): Draft {
  return { id, kind: 'pipeline', upstreams, children, ...settings };
}

/** The implicit root pipeline with these children. */
export function plan(children: readonly Draft[], settings: Settings = {}): PlanNode {
  return { ...pipeline('root', [], [], settings), path: [], children: placed(children, []) };
}

/** Drafts as children of the node at a path. */
export function placed(drafts: readonly Draft[], parent: NodePath): PlanNode[] {
  return drafts.map(draft => {
    const path = [...parent, draft.id];
    return { ...draft, path, children: placed(draft.children, path) };
  });
}

/** What the parallel tasks of drafts make, by their path. */
export function expansionsOf(drafts: readonly Draft[], parent: NodePath = []): Map<string, PlanNode[]> {
  const expansions = new Map<string, PlanNode[]>();
  for (const draft of drafts) {
    const path = [...parent, draft.id];
    if (draft.makes !== undefined) expansions.set(formatPath(path), placed(draft.makes, path));
    for (const [key, value] of expansionsOf([...draft.children, ...(draft.makes ?? [])], path)) {
      expansions.set(key, value);
    }
  }
  return expansions;
}

/** All nodes of a plan, in declaration order. */
export function allNodes(node: PlanNode): PlanNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}

const onFailure = fc.constantFrom<OnFailure>('stop', 'skipDownstream', 'runAll', 'ignore');
const limit = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 });
const retries = fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined, freq: 2 });

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}

/** Siblings with edges that have no cycle, in an order that has nothing to do with the edges. */
export function draftsArbitrary(depth: number, maxLength = 5): fc.Arbitrary<Draft[]> {
  return fc
    .array(fc.tuple(draftArbitrary(depth), fc.array(fc.nat({ max: 20 }), { maxLength: 3 })), {
      maxLength,
      size: 'max',
    })
    .map(entries =>
      entries.map(([draft, picks], index) => ({
        ...draft,
        id: `${draft.kind.slice(0, 2)}${String(index)}`,
        upstreams: picks.flatMap(pick => {
          const upstream = pick % (index + 2);
          const kind = entries[upstream]?.[0].kind;
          return upstream < index && kind !== undefined ? [`${kind.slice(0, 2)}${String(upstream)}`] : [];
        }),
      })),
    )
    .chain(drafts => fc.shuffledSubarray(drafts, { minLength: drafts.length }));
}

function draftArbitrary(depth: number): fc.Arbitrary<Draft> {
  const tasks = retries.map(maxRetries => task('', [], given('maxRetries', maxRetries)));
  if (depth === 0) return tasks;
  const settings = fc
    .record({ limit, onFailure: fc.option(onFailure, { nil: undefined }) })
    .map(({ limit: maxParallelTasks, onFailure: policy }) => ({
      ...given('maxParallelTasks', maxParallelTasks),
      ...given('onFailure', policy),
    }));
  const children = draftsArbitrary(depth - 1);
  const pipelines = fc.tuple(children, settings).map(([nodes, rest]) => pipeline('', [], nodes, rest));
  const parallels = fc.tuple(children, settings, retries).map(([makes, rest, maxRetries]) => ({
    ...parallel('', [], { ...rest, ...given('maxRetries', maxRetries) }),
    makes,
  }));
  return fc.oneof(
    { weight: 4, arbitrary: tasks },
    { weight: 2, arbitrary: pipelines },
    { weight: 1, arbitrary: parallels },
  );
}

/** A run that could happen: what there is to do, and how everything turns out. */
export interface Scenario {
  readonly root: PlanNode;
  readonly slots: number;
  readonly defaultMaxRetries: number;
  readonly averageDurations: ReadonlyMap<string, number>;
  readonly unrepeated: ReadonlySet<string>;
  readonly cancelAt: number | null;
  readonly slotsAt: readonly { readonly time: number; readonly count: number }[];
  readonly attempt: (path: string, attempt: number) => AttemptScript;
}

export const scenarioArbitrary: fc.Arbitrary<Scenario> = fc
  .record({
    drafts: draftsArbitrary(3, 8),
    rootPolicy: onFailure,
    rootLimit: limit,
    slots: fc.integer({ min: 1, max: 4 }),
    defaultMaxRetries: fc.integer({ min: 0, max: 1 }),
    seed: fc.nat(),
    failing: fc.constantFrom(0, 0.1, 0.2, 0.4),
    hasHistory: fc.boolean(),
    repeats: fc.constantFrom(1, 1, 0.5),
    cancelAt: fc.option(fc.integer({ min: 0, max: 20 }), { nil: null, freq: 3 }),
    slotsAt: fc.array(
      fc.record({ time: fc.integer({ min: 0, max: 20 }), count: fc.integer({ min: 1, max: 4 }) }),
      {
        maxLength: 2,
      },
    ),
  })
  .map(({ drafts, rootPolicy, rootLimit, seed, failing, hasHistory, repeats, ...rest }) => {
    const root = plan(drafts, { onFailure: rootPolicy, ...given('maxParallelTasks', rootLimit) });
    const expansions = expansionsOf(drafts);
    const everything = [
      ...allNodes(root),
      ...[...expansions.values()].flatMap(nodes => nodes.flatMap(allNodes)),
    ];
    const paths = everything.map(node => formatPath(node.path));
    const chance = (what: string) => hash(`${String(seed)} ${what}`);
    return {
      ...rest,
      root,
      averageDurations: new Map(
        hasHistory
          ? paths.flatMap(path =>
              chance(`known ${path}`) < 0.7 ? [[path, whole(chance(`average ${path}`))]] : [],
            )
          : [],
      ),
      unrepeated: new Set(paths.filter(path => chance(`repeat ${path}`) >= repeats)),
      attempt: (path, attempt) => {
        const key = `${path} ${String(attempt)}`;
        const seconds = whole(chance(`seconds ${key}`));
        const luck = chance(`outcome ${key}`);
        if (luck < failing) return { seconds, outcome: 'failed' };
        const children = expansions.get(path);
        if (children !== undefined) {
          const limited = chance(`limit ${key}`) < 0.2;
          return { seconds, children, ...(limited && { maxParallelTasks: 1 }) };
        }
        return { seconds, outcome: luck > 0.85 ? 'unchanged' : 'succeeded' };
      },
    };
  });

function whole(chance: number): number {
  return 1 + Math.floor(chance * 5);
}

/** A number from 0 to 1 that depends on nothing but the text (FNV-1a, mixed). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}
