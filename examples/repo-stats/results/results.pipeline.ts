import { Pipeline, RunFunction, Task } from 'millrace';
import { sqlFile } from '../sql-file.ts';
import { printResults } from './print-results.ts';

const pipeline = new Pipeline({
  id: 'results',
  description: 'Builds the result tables, publishes them and prints what they say',
  labels: { Schema: 'repo_stats' },
});

pipeline.add(
  new Task({
    id: 'commits_per_week',
    description: 'How busy each week was',
    commands: [sqlFile('commits_per_week.sql')],
  }),
);

pipeline.add(
  new Task({
    id: 'hot_spot',
    description: 'The files that change most',
    commands: [sqlFile('hot_spot.sql', { '@number_of_hot_spots@': '100' })],
  }),
);

pipeline.add(
  new Task({
    id: 'author_activity',
    description: 'What each author did',
    commands: [sqlFile('author_activity.sql')],
  }),
);

pipeline.add(
  new Task({
    id: 'check_results',
    description: 'Fails when the results do not add up to the facts',
    commands: [sqlFile('check_results.sql')],
  }),
  ['commits_per_week', 'hot_spot', 'author_activity'],
);

pipeline.add(
  new Task({
    id: 'publish',
    description: 'Puts the new tables in place of the old ones, all at once',
    commands: [sqlFile('publish.sql')],
  }),
  ['check_results'],
);

pipeline.add(
  new Task({
    id: 'print_results',
    description: 'Who commits most, when, and where',
    commands: [new RunFunction(printResults)],
  }),
  ['publish'],
);

export default pipeline;
