import { Pipeline, RunFunction, Task } from 'millrace';
import { sqlFile } from '../sql-file.ts';
import { LoadFiles } from './load-files.ts';
import { readHistory } from './read-history.ts';

const pipeline = new Pipeline({
  id: 'load_history',
  description: 'Reads new commits from git and loads them',
  labels: { Schema: 'repo_raw' },
});

pipeline.addInitial(
  new Task({
    id: 'create_tables',
    description: 'Creates the raw tables that are not there yet',
    commands: [sqlFile('create_tables.sql')],
  }),
);

pipeline.add(
  new Task({
    id: 'read_history',
    description: 'Writes new commits and the files that they changed to files',
    commands: [sqlFile('forget_pending_read.sql'), new RunFunction(readHistory)],
  }),
);

pipeline.add(new LoadFiles({ id: 'load_files', description: 'Loads the files in parallel' }), [
  'read_history',
]);

pipeline.add(
  new Task({
    id: 'apply_read',
    description: 'Adds new commits, removes those that are gone',
    commands: [sqlFile('apply_read.sql')],
  }),
  ['load_files'],
);

export default pipeline;
