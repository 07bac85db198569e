/** Failure policies, retries, cancel and limits, step by step. A run is driven by hand; decisions are read as text. */
import assert from 'node:assert/strict';
import { formatPath, parsePath } from '../../runner/model.ts';
import type { Decision, SchedulerEvent } from '../../runner/scheduler/decision.ts';
import type { PlanNode } from '../../runner/scheduler/plan.ts';
import { flatten } from '../../runner/scheduler/run-graph.ts';
import { Scheduler, type SchedulerOptions } from '../../runner/scheduler/scheduler.ts';
import { parallel, pipeline, placed, plan, task, type Draft } from '../support/plans.ts';

class ManualRun {
  readonly scheduler: Scheduler;
  readonly started: string[];

  constructor(root: PlanNode, options: Partial<SchedulerOptions> = {}) {
    this.scheduler = new Scheduler(flatten(root), { slots: 8, defaultMaxRetries: 0, ...options });
    this.started = this.#describe(this.scheduler.start());
  }

  succeed(path: string): string[] {
    return this.send({ type: 'attempt_finished', node: this.index(path), outcome: 'succeeded' });
  }

  fail(path: string): string[] {
    return this.send({ type: 'attempt_finished', node: this.index(path), outcome: 'failed' });
  }

  expand(path: string, children: readonly Draft[], maxParallelTasks?: number): string[] {
    return this.send({
      type: 'expanded',
      node: this.index(path),
      children: placed(children, parsePath(path)),
      ...(maxParallelTasks !== undefined && { maxParallelTasks }),
    });
  }

  retry(path: string): string[] {
    return this.send({ type: 'retry_due', node: this.index(path) });
  }

  send(event: SchedulerEvent): string[] {
    return this.#describe(this.scheduler.handle(event));
  }

  index(path: string): number {
    const node = this.scheduler.graph.nodes.find(each => formatPath(each.path) === path);
    assert.ok(node, path);
    return node.index;
  }

  #describe(decisions: readonly Decision[]): string[] {
    return decisions.map(decision => {
      if (decision.type === 'finished') {
        const counts = Object.entries(decision.counts).filter(([, count]) => count > 0);
        return [
          'run',
          decision.outcome,
          ...counts.map(([outcome, count]) => `${outcome}=${String(count)}`),
        ].join(' ');
      }
      const path = formatPath(this.scheduler.graph.pathOf(decision.node));
      switch (decision.type) {
        case 'start':
          return `start ${path}${decision.attempt > 1 ? ` #${String(decision.attempt)}` : ''}`;
        case 'retry':
          return `retry ${path} #${String(decision.attempt)} in ${String(decision.seconds)} s`;
        case 'retry_dropped':
        case 'skipped':
          return `${decision.type} ${path}: ${decision.reason} (${formatPath(decision.cause)})`;
        case 'pipeline_finished':
        case 'parallel_finished':
          return `${decision.type} ${path} ${decision.outcome}`;
        default:
          return `${decision.type} ${path}`;
      }
    });
  }
}

describe('scheduler: success', () => {
  it('runs everything in order and reports pipelines', () => {
    const run = new ManualRun(
      plan([task('a'), pipeline('p', ['a'], [task('x'), task('y', ['x'])]), task('b', ['p'])]),
    );
    assert.deepEqual(run.started, ['pipeline_started ', 'start a']);
    assert.deepEqual(run.succeed('a'), ['pipeline_started p', 'start p/x']);
    assert.deepEqual(run.succeed('p/x'), ['start p/y']);
    assert.deepEqual(run.succeed('p/y'), ['pipeline_finished p succeeded', 'start b']);
    assert.deepEqual(run.succeed('b'), ['pipeline_finished  succeeded', 'run succeeded succeeded=4']);
    assert.deepEqual(run.send({ type: 'cancel' }), []);
  });

  it('ends an empty run and empty pipelines at once', () => {
    assert.deepEqual(new ManualRun(plan([])).started, [
      'pipeline_started ',
      'pipeline_finished  succeeded',
      'run succeeded',
    ]);
    assert.deepEqual(new ManualRun(plan([pipeline('p', [], []), task('a', ['p'])])).started, [
      'pipeline_started ',
      'pipeline_started p',
      'pipeline_finished p succeeded',
      'start a',
    ]);
  });

  it('has nothing to do but to report the run when nothing is to be repeated', () => {
    const root = plan([pipeline('p', [], [task('x')]), task('a', ['p'])]);
    const graph = flatten(root, { unrepeated: new Set(['p/x', 'a']) });
    const scheduler = new Scheduler(graph, { slots: 1, defaultMaxRetries: 0 });
    assert.deepEqual(
      scheduler.start().map(decision => decision.type),
      ['pipeline_started', 'pipeline_finished', 'finished'],
    );
  });

  it('counts unchanged as success; a pipeline is unchanged when everything in it is', () => {
    const run = new ManualRun(plan([pipeline('p', [], [task('x'), task('y', ['x'])]), task('b', ['p'])]));
    const unchanged = (path: string) =>
      run.send({ type: 'attempt_finished', node: run.index(path), outcome: 'unchanged' });
    assert.deepEqual(unchanged('p/x'), ['start p/y']);
    assert.deepEqual(unchanged('p/y'), ['pipeline_finished p unchanged', 'start b']);
    assert.deepEqual(run.succeed('b'), [
      'pipeline_finished  succeeded',
      'run succeeded succeeded=1 unchanged=2',
    ]);
  });

  it('starts what is declared first when nothing else decides', () => {
    const run = new ManualRun(plan([task('a'), pipeline('p', [], [task('x')]), parallel('q'), task('b')]), {
      slots: 1,
    });
    assert.deepEqual(run.started.slice(-1), ['start a']);
    assert.deepEqual(run.succeed('a'), ['start p/x']);
    assert.deepEqual(run.succeed('p/x'), ['pipeline_finished p succeeded', 'start q']);
    assert.deepEqual(run.expand('q', [task('x'), task('y')]), ['start q/x']);
    assert.deepEqual(run.succeed('q/x'), ['start q/y']);
    assert.deepEqual(run.succeed('q/y'), ['parallel_finished q succeeded', 'start b']);
  });
});

describe('scheduler: onFailure', () => {
  it('stop: nothing more starts, running tasks finish, the rest is skipped', () => {
    const run = new ManualRun(
      plan([
        pipeline('load', [], [task('x'), task('y'), task('z', ['y'])]),
        task('other'),
        task('report', ['load']),
      ]),
      { slots: 2 },
    );
    assert.deepEqual(run.started.slice(-2), ['start load/y', 'start load/x']);
    assert.deepEqual(run.fail('load/x'), [
      'skipped load/z: pipeline "load" stopped after "load/x" failed (load/x)',
      'skipped other: the run stopped after "load/x" failed (load/x)',
      'skipped report: the run stopped after "load/x" failed (load/x)',
    ]);
    assert.deepEqual(run.succeed('load/y'), [
      'pipeline_finished load failed',
      'pipeline_finished  failed',
      'run failed succeeded=1 failed=1 skipped=3',
    ]);
  });

  it('stop: everything in pipelines that never started is skipped, too', () => {
    const run = new ManualRun(plan([task('a'), pipeline('p', ['a'], [pipeline('q', [], [task('x')])])]));
    const why = 'the run stopped after "a" failed (a)';
    assert.deepEqual(run.fail('a'), [
      `skipped p: ${why}`,
      `skipped p/q: ${why}`,
      `skipped p/q/x: ${why}`,
      'pipeline_finished  failed',
      'run failed failed=1 skipped=1',
    ]);
  });

  it('stop: a pipeline that has begun without a failure ends as skipped when the one around it stops', () => {
    const run = new ManualRun(plan([task('a'), pipeline('p', [], [task('x'), task('y', ['x'])])]));
    const why = 'the run stopped after "a" failed (a)';
    assert.deepEqual(run.fail('a'), [`skipped p/y: ${why}`]);
    assert.deepEqual(run.succeed('p/x'), [
      `skipped p: ${why}`,
      'pipeline_finished  failed',
      'run failed succeeded=1 failed=1 skipped=1',
    ]);
  });

  it('stop: a pipeline of which nothing is left to skip succeeds', () => {
    const run = new ManualRun(plan([task('a'), pipeline('p', [], [task('x')])]));
    assert.deepEqual(run.fail('a'), []);
    assert.deepEqual(run.succeed('p/x').slice(0, 2), [
      'pipeline_finished p succeeded',
      'pipeline_finished  failed',
    ]);
  });

  it('skipDownstream: only what waits for the failed node is skipped', () => {
    const run = new ManualRun(
      plan([task('a'), task('b', ['a']), pipeline('p', ['b'], [task('x')]), task('c'), task('d', ['c'])], {
        onFailure: 'skipDownstream',
      }),
    );
    assert.deepEqual(run.fail('a'), [
      'skipped b: upstream "a" failed (a)',
      'skipped p: upstream "a" failed (a)',
      'skipped p/x: upstream "a" failed (a)',
    ]);
    assert.deepEqual(run.succeed('c'), ['start d']);
    assert.deepEqual(run.succeed('d'), [
      'pipeline_finished  failed',
      'run failed succeeded=2 failed=1 skipped=2',
    ]);
  });

  it('runAll: everything still runs, and the pipeline failed', () => {
    const run = new ManualRun(plan([task('a'), task('b', ['a'])], { onFailure: 'runAll' }));
    assert.deepEqual(run.fail('a'), ['start b']);
    assert.deepEqual(run.succeed('b'), ['pipeline_finished  failed', 'run failed succeeded=1 failed=1']);
  });

  it('ignore: everything still runs, and the pipeline succeeded', () => {
    const run = new ManualRun(plan([task('a'), task('b', ['a'])], { onFailure: 'ignore' }));
    assert.deepEqual(run.fail('a'), ['start b']);
    assert.deepEqual(run.succeed('b'), [
      'pipeline_finished  succeeded',
      'run succeeded succeeded=1 failed=1',
    ]);
  });

  it('composes: a nested runAll has its effect under stop, while its siblings stop at once', () => {
    const run = new ManualRun(
      plan([
        pipeline('all', [], [task('x'), task('y', ['x']), task('z', ['y'])], { onFailure: 'runAll' }),
        pipeline('other', [], [task('u'), task('v', ['u'])]),
        task('after', ['all']),
      ]),
    );
    const why = 'the run stopped after "all/x" failed (all/x)';
    assert.deepEqual(run.fail('all/x'), [`skipped other/v: ${why}`, `skipped after: ${why}`, 'start all/y']);
    assert.deepEqual(run.succeed('other/u'), [`skipped other: ${why}`]);
    assert.deepEqual(run.succeed('all/y'), ['start all/z']);
    assert.deepEqual(run.succeed('all/z'), [
      'pipeline_finished all failed',
      'pipeline_finished  failed',
      'run failed succeeded=3 failed=1 skipped=2',
    ]);
  });

  it('composes: another failure under stop stops the failing pipeline that went on', () => {
    const run = new ManualRun(
      plan([
        pipeline('all', [], [task('x'), task('y', ['x']), task('z', ['y'])], { onFailure: 'runAll' }),
        task('other'),
      ]),
    );
    assert.deepEqual(run.fail('all/x'), ['start all/y']);
    assert.deepEqual(run.fail('other'), ['skipped all/z: the run stopped after "other" failed (other)']);
    assert.deepEqual(run.fail('all/y'), [
      'pipeline_finished all failed',
      'pipeline_finished  failed',
      'run failed failed=3 skipped=1',
    ]);
  });

  it('composes: a retry that the stop drops is no failure that stops more', () => {
    const run = new ManualRun(
      plan([
        pipeline('all', [], [task('x'), task('y', ['x']), task('z', ['y'])], { onFailure: 'runAll' }),
        pipeline('other', [], [task('u', [], { maxRetries: 1 })]),
      ]),
    );
    assert.deepEqual(run.fail('other/u'), ['retry other/u #2 in 8 s']);
    assert.deepEqual(run.fail('all/x'), [
      'retry_dropped other/u: the run stopped after "all/x" failed (all/x)',
      'pipeline_finished other failed',
      'start all/y',
    ]);
    assert.deepEqual(run.retry('other/u'), []);
    assert.deepEqual(run.succeed('all/y'), ['start all/z']);
    assert.deepEqual(run.succeed('all/z').slice(-1), ['run failed succeeded=2 failed=2']);
  });

  it('composes: what waits for a failing pipeline is skipped at once, or waits until it is done', () => {
    const nodes = [pipeline('p', [], [task('x'), task('y')], { onFailure: 'runAll' }), task('after', ['p'])];
    const skipping = new ManualRun(plan(nodes, { onFailure: 'skipDownstream' }));
    assert.deepEqual(skipping.fail('p/x'), ['skipped after: upstream "p" failed (p/x)']);
    const running = new ManualRun(plan(nodes, { onFailure: 'runAll' }));
    assert.deepEqual(running.fail('p/x'), []);
    assert.deepEqual(running.succeed('p/y'), ['pipeline_finished p failed', 'start after']);
  });

  it('composes: a pipeline that ignores failures hides them from the one around', () => {
    const run = new ManualRun(
      plan([pipeline('p', [], [task('x'), task('y', ['x'])], { onFailure: 'ignore' }), task('after', ['p'])]),
    );
    assert.deepEqual(run.fail('p/x'), ['start p/y']);
    assert.deepEqual(run.succeed('p/y'), ['pipeline_finished p succeeded', 'start after']);
    assert.deepEqual(run.succeed('after').slice(-1), ['run succeeded succeeded=2 failed=1']);
  });
});

describe('scheduler: parallel tasks', () => {
  it('expand in a slot, then stand for their children', () => {
    const run = new ManualRun(plan([parallel('p'), task('after', ['p'])]), { slots: 1 });
    assert.deepEqual(run.started.slice(-1), ['start p']);
    assert.deepEqual(run.expand('p', [task('x', ['y']), task('y')]), ['start p/y']);
    assert.deepEqual(run.succeed('p/y'), ['start p/x']);
    assert.deepEqual(run.succeed('p/x'), ['parallel_finished p succeeded', 'start after']);
    assert.deepEqual(run.succeed('after').slice(-1), ['run succeeded succeeded=4']);
  });

  it('succeed when they make nothing', () => {
    const run = new ManualRun(plan([parallel('p')]));
    assert.deepEqual(run.expand('p', []).slice(0, 1), ['parallel_finished p succeeded']);
  });

  it('fail like a task when they cannot be expanded, with retries', () => {
    const run = new ManualRun(
      plan([pipeline('q', [], [parallel('p', [], { maxRetries: 1 })]), task('a', ['q'])]),
    );
    assert.deepEqual(run.fail('q/p'), ['retry q/p #2 in 8 s']);
    assert.deepEqual(run.retry('q/p'), ['start q/p #2']);
    assert.deepEqual(run.fail('q/p'), [
      'skipped a: the run stopped after "q/p" failed (q/p)',
      'pipeline_finished q failed',
      'pipeline_finished  failed',
      'run failed failed=1 skipped=1',
    ]);
  });

  it('stop after a child failed', () => {
    const run = new ManualRun(plan([parallel('p', [], { maxParallelTasks: 1 })]));
    assert.deepEqual(run.expand('p', [task('x'), task('y')]), ['start p/x']);
    assert.deepEqual(run.fail('p/x'), [
      'skipped p/y: parallel task "p" stopped after "p/x" failed (p/x)',
      'parallel_finished p failed',
      'pipeline_finished  failed',
      'run failed failed=2 skipped=1',
    ]);
  });

  it('skip their children when their pipeline stopped meanwhile', () => {
    const run = new ManualRun(plan([parallel('p'), task('a')]));
    assert.deepEqual(run.fail('a'), []);
    const why = 'the run stopped after "a" failed (a)';
    assert.deepEqual(run.expand('p', [task('x'), pipeline('q', [], [task('y')])]), [
      `skipped p/x: ${why}`,
      `skipped p/q: ${why}`,
      `skipped p/q/y: ${why}`,
      `skipped p: ${why}`,
      'pipeline_finished  failed',
      'run failed failed=1 skipped=3',
    ]);
  });

  it('are still running when their children cannot be run, so that the caller can fail them', () => {
    const run = new ManualRun(plan([parallel('p')]));
    assert.throws(() => run.expand('p', [task('x', ['nothing'])]), {
      message: '"p/x" waits for "nothing", which is not in pipeline "p"',
    });
    assert.deepEqual(run.fail('p').slice(-1), ['run failed failed=1']);
  });
});

describe('scheduler: limits', () => {
  it('counts everything below a pipeline', () => {
    const run = new ManualRun(
      plan([
        pipeline('p', [], [task('a'), pipeline('q', [], [task('x'), task('y')]), parallel('r')], {
          maxParallelTasks: 2,
        }),
        task('b'),
      ]),
    );
    assert.deepEqual(run.started.slice(-3), ['start p/a', 'start p/q/x', 'start b']);
    assert.deepEqual(run.succeed('p/a'), ['start p/q/y']);
    assert.deepEqual(run.succeed('p/q/x'), ['start p/r']);
    assert.deepEqual(run.expand('p/r', [task('u'), task('v')]), ['start p/r/u']);
    assert.deepEqual(run.succeed('p/q/y'), ['pipeline_finished p/q succeeded', 'start p/r/v']);
  });

  it('takes the limit that an expansion brings', () => {
    const run = new ManualRun(plan([parallel('p')]));
    assert.deepEqual(run.expand('p', [task('x'), task('y')], 1), ['start p/x']);
    assert.deepEqual(run.succeed('p/x'), ['start p/y']);
  });

  it('follows the number of slots', () => {
    const run = new ManualRun(plan([task('a'), task('b'), task('c'), task('d')]), { slots: 2 });
    assert.deepEqual(run.send({ type: 'slots', count: 3 }), ['start c']);
    assert.deepEqual(run.send({ type: 'slots', count: 1 }), []);
    assert.deepEqual([run.succeed('a'), run.succeed('b')], [[], []]);
    assert.deepEqual(run.succeed('c'), ['start d']);
  });
});

describe('scheduler: retries', () => {
  it('waits 8, 16, 32 … seconds with its slot free', () => {
    const run = new ManualRun(plan([task('a'), task('b')]), { slots: 1, defaultMaxRetries: 3 });
    assert.deepEqual(run.fail('a'), ['retry a #2 in 8 s', 'start b']);
    assert.deepEqual(run.retry('a'), []);
    assert.deepEqual(run.succeed('b'), ['start a #2']);
    assert.deepEqual(run.fail('a'), ['retry a #3 in 16 s']);
    assert.deepEqual(run.retry('a'), ['start a #3']);
    assert.deepEqual(run.fail('a'), ['retry a #4 in 32 s']);
    assert.deepEqual(run.retry('a'), ['start a #4']);
    assert.deepEqual(run.fail('a'), ['pipeline_finished  failed', 'run failed succeeded=1 failed=1']);
  });

  it('takes number and delay of the task; 0 overrides the default', () => {
    const run = new ManualRun(
      plan([task('a', [], { maxRetries: 0 }), task('b', [], { maxRetries: 2, retryDelay: 0.5 })], {
        onFailure: 'runAll',
      }),
      { defaultMaxRetries: 5 },
    );
    assert.deepEqual(run.fail('a'), []);
    assert.deepEqual(run.fail('b'), ['retry b #2 in 0.5 s']);
    run.retry('b');
    assert.deepEqual(run.fail('b'), ['retry b #3 in 1 s']);
  });

  it('does not retry in a pipeline that has stopped', () => {
    const nodes = [task('a'), task('b', [], { maxRetries: 1 })];
    const waiting = new ManualRun(plan(nodes));
    assert.deepEqual(waiting.fail('b'), ['retry b #2 in 8 s']);
    assert.deepEqual(waiting.fail('a'), [
      'retry_dropped b: the run stopped after "a" failed (a)',
      'pipeline_finished  failed',
      'run failed failed=2',
    ]);
    const running = new ManualRun(plan(nodes));
    assert.deepEqual(running.fail('a'), []);
    assert.deepEqual(running.fail('b'), ['pipeline_finished  failed', 'run failed failed=2']);
  });
});

describe('scheduler: cancel', () => {
  it('starts nothing new and waits for what runs', () => {
    const run = new ManualRun(
      plan([
        pipeline('p', [], [task('x'), task('y', ['x'])]),
        task('a'),
        task('retrying', [], { maxRetries: 1 }),
        pipeline('q', ['a'], [task('z')]),
      ]),
    );
    assert.deepEqual(run.fail('retrying'), ['retry retrying #2 in 8 s']);
    assert.deepEqual(run.send({ type: 'cancel' }), [
      'cancelled p/y',
      'cancelled retrying',
      'cancelled q',
      'cancelled q/z',
    ]);
    assert.deepEqual(run.send({ type: 'cancel' }), []);
    assert.deepEqual(run.succeed('p/x'), ['pipeline_finished p cancelled']);
    assert.deepEqual(run.send({ type: 'attempt_finished', node: run.index('a'), outcome: 'cancelled' }), [
      'pipeline_finished  cancelled',
      'run cancelled succeeded=1 cancelled=4',
    ]);
  });

  it('keeps failures as they are and does not retry', () => {
    const run = new ManualRun(plan([task('a', [], { maxRetries: 1 }), task('b', ['a'])]));
    assert.deepEqual(run.send({ type: 'cancel' }), ['cancelled b']);
    assert.deepEqual(run.fail('a'), ['pipeline_finished  failed', 'run cancelled failed=1 cancelled=1']);
  });

  it('cancels the children of a parallel task that was being expanded', () => {
    const run = new ManualRun(plan([parallel('p')]));
    assert.deepEqual(run.send({ type: 'cancel' }), []);
    assert.deepEqual(run.expand('p', [task('x')]), [
      'cancelled p/x',
      'parallel_finished p cancelled',
      'pipeline_finished  cancelled',
      'run cancelled cancelled=2',
    ]);
  });

  it('takes an attempt that was cancelled without a cancel of the run for a failure', () => {
    const run = new ManualRun(plan([task('a')]));
    assert.deepEqual(run.send({ type: 'attempt_finished', node: run.index('a'), outcome: 'cancelled' }), [
      'pipeline_finished  failed',
      'run failed failed=1',
    ]);
  });
});

describe('scheduler: misuse', () => {
  it('throws on events that cannot be', () => {
    const scheduler = new Scheduler(flatten(plan([task('a'), task('b', ['a'])])), {
      slots: 1,
      defaultMaxRetries: 0,
    });
    assert.throws(() => scheduler.handle({ type: 'cancel' }), { message: 'the run has not been started' });
    scheduler.start();
    assert.throws(() => scheduler.start(), { message: 'the run has already been started' });
    const finish = (node: number) => () =>
      scheduler.handle({ type: 'attempt_finished', node, outcome: 'succeeded' });
    assert.throws(finish(2), { message: '"b" is not running: it is waiting' });
    finish(1)();
    assert.throws(finish(1), { message: '"a" is not running: it is succeeded' });
    assert.throws(finish(9), { message: 'there is no node with index 9' });
    assert.equal(scheduler.outcome(1), 'succeeded');
    assert.equal(scheduler.outcome(2), null);
  });
});
