import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { PipelineError } from '../../runner/api/errors.ts';
import type { Node } from '../../runner/api/node.ts';
import { makeRoot, Pipeline, setDefaultBasePath } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';

function task(id: string): Task {
  return new Task({ id });
}

/** A pipeline `p` of tasks; every edge is written `a>b`. */
function pipelineOf(ids: string, ...edges: string[]): Pipeline {
  const pipeline = new Pipeline({ id: 'p' }).addAll(Array.from(ids, task));
  for (const edge of edges) {
    const [upstream = '', downstream = ''] = edge.split('>');
    pipeline.addDependency(upstream, downstream);
  }
  return pipeline;
}

function edgesOf(pipeline: Pipeline): string[] {
  return [...pipeline.nodes.values()]
    .flatMap(node => [...node.downstreams].map(downstream => `${node.id}>${downstream.id}`))
    .sort();
}

function assertMistake(act: () => unknown, message: string): void {
  assert.throws(act, error => {
    assert(error instanceof PipelineError);
    assert.equal(error.message, message);
    return true;
  });
}

/** For callers without types. */
function untyped(value: unknown): never {
  return value as never;
}

describe('api: Pipeline', () => {
  it('has children with dependencies by id and as objects', () => {
    const a = task('a');
    const pipeline = new Pipeline({ id: 'p', description: 'Does it', labels: { team: 'core' } });
    const sub = new Pipeline({ id: 'sub' });
    assert.equal(pipeline.add(a), pipeline);
    pipeline.add(sub, ['a']).add(task('b'), [a, sub]);
    assert.deepEqual([...pipeline.nodes.keys()], ['a', 'sub', 'b']);
    assert.deepEqual(edgesOf(pipeline), ['a>b', 'a>sub', 'sub>b']);
    assert.equal(a.parent, pipeline);
    assert.deepEqual(
      [...a.downstreams].map(node => node.id),
      ['sub', 'b'],
    );
    assert.equal(pipeline.description, 'Does it');
    assert.deepEqual(pipeline.labels, { team: 'core' });
  });

  it('knows the paths of nodes, without the root', () => {
    const leaf = task('leaf');
    const inner = new Pipeline({ id: 'inner' }).add(leaf);
    const outer = new Pipeline({ id: 'outer' }).add(inner);
    assert.deepEqual(leaf.path, ['outer', 'inner', 'leaf']);
    assert.deepEqual(outer.path, ['outer']);
    const root = makeRoot(new Pipeline({ id: 'root' })).add(outer);
    assert.deepEqual(leaf.path, ['outer', 'inner', 'leaf']);
    assert.deepEqual(root.path, []);
    assert.equal(String(leaf), 'Task "outer/inner/leaf"');
    assert.equal(String(root), 'The root pipeline');
    assert.equal(root.find('outer/inner/leaf'), leaf);
    assert.equal(root.find([]), root);
    assert.equal(root.find('outer/inner/leaf/more'), undefined);
    assert.equal(root.find('outer/other'), undefined);
  });

  it('inherits the base path and resolves a relative one', () => {
    const base = join(process.cwd(), 'project');
    const leaf = task('leaf');
    const plain = new Pipeline({ id: 'plain' }).add(leaf);
    const relative = new Pipeline({ id: 'relative', basePath: 'sql' });
    const absolute = new Pipeline({ id: 'absolute', basePath: join(base, 'elsewhere') });
    const top = new Pipeline({ id: 'top' }).addAll([plain, relative, absolute]);
    assert.equal(leaf.basePath, process.cwd());
    top[setDefaultBasePath](base);
    assert.equal(leaf.basePath, base);
    assert.equal(relative.basePath, join(base, 'sql'));
    assert.equal(absolute.basePath, join(base, 'elsewhere'));
  });

  describe('initial and final node', () => {
    it('are attached the same way whatever the order of calls', () => {
      const first = new Pipeline({ id: 'p' });
      first.addInitial(task('i')).addFinal(task('f')).add(task('a')).add(task('b'), ['a']).add(task('c'));
      const last = new Pipeline({ id: 'p' });
      last.add(task('a')).add(task('b')).addFinal(task('f')).add(task('c')).addInitial(task('i'));
      last.addDependency('a', 'b');
      assert.deepEqual(edgesOf(first), ['a>b', 'b>f', 'c>f', 'i>a', 'i>c']);
      assert.deepEqual(edgesOf(last), edgesOf(first));
      assert.equal(first.initialNode?.id, 'i');
      assert.equal(first.finalNode?.id, 'f');
    });

    it('follow each other in an empty pipeline, and part when a node comes between', () => {
      const pipeline = new Pipeline({ id: 'p' }).addFinal(task('f')).addInitial(task('i'));
      assert.deepEqual(edgesOf(pipeline), ['i>f']);
      pipeline.add(task('a'));
      assert.deepEqual(edgesOf(pipeline), ['a>f', 'i>a']);
      pipeline.remove('a');
      assert.deepEqual(edgesOf(pipeline), ['i>f']);
    });

    it('take up nodes whose dependency is removed', () => {
      const pipeline = pipelineOf('ab', 'a>b').addInitial(task('i')).addFinal(task('f'));
      assert.deepEqual(edgesOf(pipeline), ['a>b', 'b>f', 'i>a']);
      pipeline.removeDependency('a', 'b');
      assert.deepEqual(edgesOf(pipeline), ['a>f', 'b>f', 'i>a', 'i>b']);
    });

    it('take up the neighbours of a removed node', () => {
      const pipeline = pipelineOf('abc', 'a>b', 'b>c').addInitial(task('i')).addFinal(task('f'));
      pipeline.remove('a').remove('c');
      assert.deepEqual(edgesOf(pipeline), ['b>f', 'i>b']);
    });

    it('can be removed and added again', () => {
      const pipeline = pipelineOf('a').addInitial(task('i')).addFinal(task('f'));
      const { initialNode } = pipeline;
      pipeline.remove('i').remove('f');
      assert.deepEqual(edgesOf(pipeline), []);
      assert.equal(pipeline.initialNode, undefined);
      assert(initialNode !== undefined);
      pipeline.addInitial(initialNode);
      assert.deepEqual(edgesOf(pipeline), ['i>a']);
    });
  });

  it('remove() bridges', () => {
    const pipeline = pipelineOf('abxcd', 'a>x', 'b>x', 'x>c', 'x>d');
    const removed = pipeline.nodes.get('x');
    assert(removed !== undefined);
    assert.equal(pipeline.remove('x'), pipeline);
    assert.deepEqual(edgesOf(pipeline), ['a>c', 'a>d', 'b>c', 'b>d']);
    assert.equal(removed.parent, undefined);
    assert.equal(removed.upstreams.size, 0);
    assert.equal(removed.downstreams.size, 0);
  });

  it('replace() keeps dependencies, position and role', () => {
    const pipeline = pipelineOf('abc', 'a>b', 'b>c').addInitial(task('i'));
    const other = task('other');
    pipeline.replace('b', other);
    assert.deepEqual([...pipeline.nodes.keys()], ['a', 'other', 'c', 'i']);
    assert.deepEqual(edgesOf(pipeline), ['a>other', 'i>a', 'other>c']);
    const sameId = task('other');
    pipeline.replace(other, sameId);
    assert.equal(pipeline.nodes.get('other'), sameId);
    assert.equal(other.parent, undefined);
    const initial = task('start');
    pipeline.replace('i', initial).add(task('d'));
    assert.equal(pipeline.initialNode, initial);
    assert.deepEqual(edgesOf(pipeline), ['a>other', 'other>c', 'start>a', 'start>d']);
  });

  describe('mistakes', () => {
    const cases: readonly (readonly [string, () => unknown, string])[] = [
      [
        'an invalid id',
        () => new Pipeline({ id: 'Load-Customers' }),
        'Pipeline has the invalid id "Load-Customers": ids are made of lower-case letters, digits and "_". Use "load_customers", for example.',
      ],
      [
        'an invalid id without any good letter',
        () => task(''),
        'Task has the invalid id "": ids are made of lower-case letters, digits and "_".',
      ],
      [
        'no id',
        () => new Pipeline(untyped({})),
        'Pipeline needs an id, a string like "load_customers", not undefined.',
      ],
      [
        'no options',
        () => new Task(untyped(undefined)),
        'Task takes one object with options, not undefined.',
      ],
      [
        'unknown options',
        () => new Pipeline(untyped({ id: 'p', onFail: 'stop', maxParallelTask: 3 })),
        'Pipeline "p" has unknown options: "onFail" (did you mean "onFailure"?), "maxParallelTask" (did you mean "maxParallelTasks"?).',
      ],
      [
        'an unknown option that is like none',
        () => new Pipeline(untyped({ id: 'p', colour: 'red' })),
        'Pipeline "p" has an unknown option: "colour". It takes: id, description, labels, maxParallelTasks, basePath, onFailure, params.',
      ],
      [
        'a wrong description',
        () => new Pipeline(untyped({ id: 'p', description: 1 })),
        'Pipeline "p": description must be a string, not 1.',
      ],
      [
        'wrong labels',
        () => new Pipeline(untyped({ id: 'p', labels: ['a'] })),
        'Pipeline "p": labels must be an object with strings as values, not an array.',
      ],
      [
        'a wrong label',
        () => new Pipeline(untyped({ id: 'p', labels: { a: 1 } })),
        'Pipeline "p": the label "a" must be a string, not 1.',
      ],
      [
        'a wrong onFailure',
        () => new Pipeline({ id: 'p', onFailure: untyped('retry') }),
        'Pipeline "p": onFailure must be one of "stop", "skipDownstream", "runAll", "ignore", not "retry".',
      ],
      [
        'a wrong basePath',
        () => new Pipeline({ id: 'p', basePath: untyped(new URL('file:///a')) }),
        'Pipeline "p": basePath must be a string, not an object (URL).',
      ],
      [
        'no slots',
        () => new Pipeline({ id: 'p', maxParallelTasks: 0 }),
        'Pipeline "p": maxParallelTasks must be a whole number of at least 1, not 0.',
      ],
      [
        'half a slot',
        () => new Pipeline({ id: 'p', maxParallelTasks: 1.5 }),
        'Pipeline "p": maxParallelTasks must be a whole number of at least 1, not 1.5.',
      ],
      [
        'a duplicate id',
        () => pipelineOf('a').add(task('a')),
        'Pipeline "p" already has a node with the id "a". Give one of the two another id.',
      ],
      [
        'the same node twice',
        () => {
          const node = task('a');
          new Pipeline({ id: 'p' }).add(node).add(node);
        },
        'Pipeline "p" already contains this node "a". Add it once.',
      ],
      [
        'two parents',
        () => {
          const node = task('a');
          new Pipeline({ id: 'p' }).add(node);
          new Pipeline({ id: 'q' }).add(node);
        },
        'Task "p/a" cannot be added to pipeline "q" as well: a node has one parent. Remove it from there first, or make another node.',
      ],
      [
        'a pipeline in itself',
        () => {
          const pipeline = new Pipeline({ id: 'p' });
          pipeline.add(pipeline);
        },
        'Pipeline "p" cannot be added to itself. Make another pipeline for it.',
      ],
      [
        'a pipeline in its descendant',
        () => {
          const inner = new Pipeline({ id: 'inner' });
          const outer = new Pipeline({ id: 'outer' }).add(inner);
          inner.add(outer);
        },
        'Pipeline "outer" cannot be added to pipeline "outer/inner", which lies below it. Make another pipeline for one of the two.',
      ],
      [
        'the root in another pipeline',
        () => new Pipeline({ id: 'p' }).add(makeRoot(new Pipeline({ id: 'root' }))),
        'The root pipeline cannot be added to pipeline "p": it contains all others.',
      ],
      [
        'a child as root',
        () => {
          const inner = new Pipeline({ id: 'inner' });
          new Pipeline({ id: 'outer' }).add(inner);
          makeRoot(inner);
        },
        'Pipeline "outer/inner" cannot be the root pipeline, because it is part of pipeline "outer".',
      ],
      [
        'something else than a node',
        () => new Pipeline({ id: 'p' }).add(untyped(Task)),
        'Pipeline "p" can only have tasks, parallel tasks and pipelines as children, not the class Task.',
      ],
      [
        'a promise of a node',
        () => new Pipeline({ id: 'p' }).add(untyped(Promise.resolve(task('a')))),
        'Pipeline "p" can only have tasks, parallel tasks and pipelines as children, not a promise.',
      ],
      [
        'upstreams that are no array',
        () => pipelineOf('a').add(task('b'), untyped('a')),
        'Pipeline "p": the upstreams of "b" must be an array, not "a".',
      ],
      [
        'a mistyped upstream',
        () => new Pipeline({ id: 'p' }).add(task('ping_localhost')).add(task('b'), ['ping_lcoalhost']),
        'Pipeline "p" has no node "ping_lcoalhost" (wanted as an upstream of "b"). Did you mean "ping_localhost"?',
      ],
      [
        'an unknown upstream that is like none',
        () => pipelineOf('ab').add(task('c'), ['customers']),
        'Pipeline "p" has no node "customers" (wanted as an upstream of "c"). It has: "a", "b".',
      ],
      [
        'an upstream of another pipeline',
        () => pipelineOf('a').add(task('b'), [...new Pipeline({ id: 'q' }).add(task('a')).nodes.values()]),
        'Pipeline "p" does not contain task "q/a" (wanted as an upstream of "b"): it belongs to another pipeline. Dependencies are only possible between children of one pipeline.',
      ],
      [
        'an upstream of no pipeline',
        () => pipelineOf('a').addDependency('a', task('z')),
        'Pipeline "p" does not contain task "z" (wanted as a downstream): it was not added to any pipeline. Dependencies are only possible between children of one pipeline.',
      ],
      [
        'an upstream that is neither',
        () => pipelineOf('a').add(task('b'), [untyped(undefined)]),
        'Pipeline "p": undefined is neither a node nor the id of one (wanted as an upstream of "b").',
      ],
      [
        'a node that waits for itself',
        () => pipelineOf('a').addDependency('a', 'a'),
        'Pipeline "p": "a" cannot wait for itself.',
      ],
      [
        'a new node that waits for itself',
        () => pipelineOf('a').add(task('b'), ['b']),
        'Pipeline "p": "b" cannot wait for itself.',
      ],
      [
        'a cycle of two',
        () => pipelineOf('ab', 'a>b', 'b>a'),
        'Pipeline "p": "a" cannot wait for "b", because that would close a cycle: b -> a -> b. Remove one of these dependencies.',
      ],
      [
        'a longer cycle',
        () => pipelineOf('abcdx', 'a>b', 'b>c', 'c>d', 'b>x', 'd>a'),
        'Pipeline "p": "a" cannot wait for "d", because that would close a cycle: d -> a -> b -> c -> d. Remove one of these dependencies.',
      ],
      [
        'a second initial node',
        () => new Pipeline({ id: 'p' }).addInitial(task('i')).addInitial(task('j')),
        'Pipeline "p" already has the initial node "i", so "j" cannot be another one. Use replace("i", …), or put both into one pipeline.',
      ],
      [
        'a second final node',
        () => new Pipeline({ id: 'p' }).addFinal(task('f')).addFinal(task('g')),
        'Pipeline "p" already has the final node "f", so "g" cannot be another one. Use replace("f", …), or put both into one pipeline.',
      ],
      [
        'an initial node that waits',
        () => pipelineOf('a').addInitial(task('i')).addDependency('a', 'i'),
        'Pipeline "p": the initial node "i" runs before all others, so it cannot wait for "a".',
      ],
      [
        'a new node after the final one',
        () => pipelineOf('a').addFinal(task('f')).add(task('b'), ['f']),
        'Pipeline "p": the final node "f" runs after all others, so "b" cannot wait for it.',
      ],
      [
        'a node after the final one',
        () => pipelineOf('a').addFinal(task('f')).addDependency('f', 'a'),
        'Pipeline "p": the final node "f" runs after all others, so "a" cannot wait for it.',
      ],
      [
        'removing a dependency that is not there',
        () => pipelineOf('abc', 'a>b').removeDependency('c', 'b'),
        'Pipeline "p": "b" does not wait for "c", so that dependency cannot be removed. It waits for: "a".',
      ],
      [
        'removing the dependency on the initial node',
        () => pipelineOf('a').addInitial(task('i')).removeDependency('i', 'a'),
        'Pipeline "p": "a" cannot start before the initial node "i". Remove the initial node, or add it with add().',
      ],
      [
        'removing the dependency of the final node',
        () => pipelineOf('a').addFinal(task('f')).removeDependency('a', 'f'),
        'Pipeline "p": the final node "f" cannot start before "a" is done. Remove the final node, or add it with add().',
      ],
      [
        'removing an unknown node',
        () => pipelineOf('a').remove('b'),
        'Pipeline "p" has no node "b" (wanted as removed). It has: "a".',
      ],
      [
        'replacing by a node that is there',
        () => {
          const pipeline = pipelineOf('ab');
          pipeline.replace('a', pipeline.nodes.get('b') ?? task('b'));
        },
        'Pipeline "p" already contains this node "b". Add it once.',
      ],
    ];
    for (const [name, act, message] of cases) {
      it(name, () => {
        assertMistake(act, message);
      });
    }

    it('leave the pipeline as it was', () => {
      const pipeline = pipelineOf('ab', 'a>b').addInitial(task('i'));
      const before = edgesOf(pipeline);
      const node = task('c');
      assert.throws(() => pipeline.add(node, ['a', 'nowhere']));
      assert.throws(() => pipeline.addDependency('b', 'a'));
      assert.throws(() => pipeline.addInitial(node));
      assert.throws(() => pipeline.replace('a', task('b')));
      assert.deepEqual(edgesOf(pipeline), before);
      assert.deepEqual([...pipeline.nodes.keys()], ['a', 'b', 'i']);
      assert.equal(node.parent, undefined);
    });
  });

  it('holds 100,000 children with an initial and a final node', () => {
    const pipeline = new Pipeline({ id: 'p' }).addInitial(task('first')).addFinal(task('last'));
    let previous = 'n0';
    pipeline.add(task(previous));
    for (let index = 1; index < 100_000; index++) {
      const id = `n${String(index)}`;
      pipeline.add(task(id), index % 3 === 0 ? [previous] : []);
      previous = id;
    }
    assert.equal(pipeline.finalNode?.upstreams.size, 100_000 - 33_333);
    assert.equal(pipeline.initialNode?.downstreams.size, 100_000 - 33_333);
  });
});

type Step =
  | { readonly call: 'add' | 'addInitial' | 'addFinal'; readonly picks: readonly number[] }
  | { readonly call: 'addDependency' | 'removeDependency'; readonly picks: readonly number[] }
  | { readonly call: 'remove' | 'replace'; readonly picks: readonly number[] };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    call: fc.constantFrom<Step['call'][]>(
      'add',
      'add',
      'add',
      'addInitial',
      'addFinal',
      'addDependency',
      'addDependency',
      'removeDependency',
      'remove',
      'replace',
    ),
    picks: fc.array(fc.nat(1000), { minLength: 2, maxLength: 4 }),
  }),
  { minLength: 10, maxLength: 40, size: 'max' },
);

/** Takes a step; one that is a mistake must change nothing. Returns what the step was about. */
function take(pipeline: Pipeline, { call, picks }: Step, newId: string): void {
  const children = [...pipeline.nodes.values()];
  const picked = picks.flatMap(pick => children[pick % children.length] ?? []);
  const [first = '', second = ''] = picked;
  const before = edgesOf(pipeline);
  try {
    switch (call) {
      case 'add':
        pipeline.add(task(newId), picked.slice(1));
        break;
      case 'addInitial':
      case 'addFinal':
        pipeline[call](task(newId));
        break;
      case 'addDependency':
      case 'removeDependency':
        pipeline[call](first, second);
        break;
      case 'remove':
        pipeline.remove(first);
        break;
      case 'replace':
        pipeline.replace(first, task(newId));
        break;
    }
  } catch (error) {
    assert(error instanceof PipelineError, String(error));
    assert.deepEqual(edgesOf(pipeline), before);
  }
}

/** For every node all that must be done before it. Fails on a cycle. */
function ancestors(pipeline: Pipeline): Map<Node, Set<Node>> {
  const known = new Map<Node, Set<Node>>();
  const open = new Set<Node>();
  const visit = (node: Node): Set<Node> => {
    const done = known.get(node);
    if (done !== undefined) return done;
    assert(!open.has(node), 'a cycle');
    open.add(node);
    const all = new Set<Node>();
    for (const upstream of node.upstreams) {
      all.add(upstream);
      for (const further of visit(upstream)) all.add(further);
    }
    open.delete(node);
    known.set(node, all);
    return all;
  };
  for (const node of pipeline.nodes.values()) visit(node);
  return known;
}

function assertSound(pipeline: Pipeline): void {
  const order = ancestors(pipeline);
  const { initialNode, finalNode } = pipeline;
  for (const [id, node] of pipeline.nodes) {
    assert.equal(node.id, id);
    assert.equal(node.parent, pipeline);
    for (const upstream of node.upstreams) {
      assert.equal(pipeline.nodes.get(upstream.id), upstream);
      assert(upstream.downstreams.has(node));
    }
    for (const downstream of node.downstreams) assert(downstream.upstreams.has(node));
    if (initialNode !== undefined && node !== initialNode) assert(order.get(node)?.has(initialNode));
    if (finalNode !== undefined && node !== finalNode) assert(order.get(finalNode)?.has(node));
  }
}

function orderOf(pipeline: Pipeline, without: ReadonlySet<Node>): string[] {
  return [...ancestors(pipeline)]
    .flatMap(([node, all]) => [...all].map(ancestor => [ancestor, node] as const))
    .filter(pair => pair.every(node => !without.has(node)))
    .map(([ancestor, node]) => `${ancestor.id}<${node.id}`)
    .sort();
}

describe('api: Pipeline, properties', () => {
  it('edges stay among siblings and acyclic; initial and final nodes keep their place', () => {
    fc.assert(
      fc.property(steps, all => {
        const pipeline = new Pipeline({ id: 'p' });
        for (const [index, step] of all.entries()) {
          take(pipeline, step, `n${String(index)}`);
          assertSound(pipeline);
        }
      }),
    );
  });

  it('remove keeps the order of the rest', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, pick) => {
        const pipeline = new Pipeline({ id: 'p' });
        for (const [index, step] of all.entries()) take(pipeline, step, `n${String(index)}`);
        const children = [...pipeline.nodes.values()];
        const node = children[pick % children.length];
        if (node === undefined) return;
        const expected = orderOf(pipeline, new Set([node]));
        pipeline.remove(node);
        assert.deepEqual(orderOf(pipeline, new Set()), expected);
      }),
    );
  });

  it('replace keeps the edges', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, pick) => {
        const pipeline = new Pipeline({ id: 'p' });
        for (const [index, step] of all.entries()) take(pipeline, step, `n${String(index)}`);
        const ids = [...pipeline.nodes.keys()];
        const id = ids[pick % ids.length];
        if (id === undefined) return;
        const renamed = (name: string): string => (name === id ? 'new' : name);
        const expected = edgesOf(pipeline).map(edge => edge.split('>').map(renamed).join('>'));
        pipeline.replace(id, task('new'));
        assert.deepEqual(edgesOf(pipeline), expected.sort());
        assert.deepEqual([...pipeline.nodes.keys()], ids.map(renamed));
      }),
    );
  });

  it('the order of calls does not matter to the edges of the initial and the final node', () => {
    const graph = fc.record({
      size: fc.integer({ min: 0, max: 6 }),
      edges: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 8 }),
      initialAt: fc.nat(14),
      finalAt: fc.nat(14),
    });
    fc.assert(
      fc.property(graph, ({ size, edges, initialAt, finalAt }) => {
        const calls: ((pipeline: Pipeline) => unknown)[] = [];
        for (let index = 0; index < size; index++) calls.push(p => p.add(task(`n${String(index)}`)));
        for (const [one, two] of edges) {
          const [low, high] = [Math.min(one, two), Math.max(one, two)];
          if (low === high || high >= size) continue;
          calls.push(p => p.addDependency(`n${String(low)}`, `n${String(high)}`));
        }
        const build = (positions: readonly [number, number]): Pipeline => {
          const pipeline = new Pipeline({ id: 'p' });
          for (let index = 0; index <= 14; index++) {
            if (positions[0] === index) pipeline.addInitial(task('i'));
            if (positions[1] === index) pipeline.addFinal(task('f'));
            calls[index]?.(pipeline);
          }
          return pipeline;
        };
        assert.deepEqual(edgesOf(build([initialAt, finalAt])), edgesOf(build([14, 14])));
      }),
    );
  });
});
