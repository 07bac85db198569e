import { Pipeline, Task } from 'millrace';
import { sqlFile } from '../sql-file.ts';

const pipeline = new Pipeline({
  id: 'facts',
  description: 'Builds the tables of commits and of changed files',
  labels: { Schema: 'repo_stats_next' },
});

pipeline.add(
  new Task({
    id: 'commit',
    description: 'One row per commit',
    commands: [sqlFile('commit.sql')],
  }),
);

pipeline.add(
  new Task({
    id: 'file_change',
    description: 'One row per file that a commit changed',
    commands: [sqlFile('file_change.sql')],
  }),
  ['commit'],
);

export default pipeline;
