import { Pipeline, RunBash, Task } from 'millrace';

const pipeline = new Pipeline({
  id: 'demo',
  description: 'A small pipeline that demonstrates the interplay between pipelines, tasks and commands',
});

pipeline.add(
  new Task({
    id: 'ping_localhost',
    description: 'Pings localhost',
    commands: [new RunBash('bash ping.sh localhost')],
  }),
);

const subPipeline = new Pipeline({ id: 'sub_pipeline', description: 'Pings a number of hosts' });

for (const host of ['google', 'amazon', 'facebook']) {
  subPipeline.add(
    new Task({
      id: `ping_${host}`,
      description: `Pings ${host}`,
      commands: [new RunBash(`bash ping.sh ${host}.com`)],
    }),
  );
}

subPipeline.addDependency('ping_amazon', 'ping_facebook');

// There is no host of that name: this is what a failure looks like.
subPipeline.add(
  new Task({
    id: 'ping_foo',
    description: 'Pings foo',
    commands: [new RunBash('bash ping.sh foo')],
  }),
  ['ping_amazon'],
);

pipeline.add(subPipeline, ['ping_localhost']);

pipeline.add(
  new Task({
    id: 'sleep',
    description: 'Sleeps for 2 seconds',
    commands: [new RunBash('sleep 2')],
  }),
  ['sub_pipeline'],
);

export default pipeline;
