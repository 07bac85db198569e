import { Pipeline, Task } from 'millrace';
import { sqlFile } from '../sql-file.ts';

const pipeline = new Pipeline({
  id: 'consistency_checks',
  description: 'Fails when the facts do not add up to what was read from git',
  // All checks say what they found, also when another one has failed.
  onFailure: 'runAll',
});

pipeline.addInitial(
  new Task({
    id: 'assert_equal',
    description: 'Creates the function that compares two numbers',
    commands: [sqlFile('assert_equal.sql')],
  }),
);

pipeline.add(
  new Task({
    id: 'check_commits',
    description: 'No commit is lost or counted twice',
    commands: [sqlFile('commits.sql')],
  }),
);

pipeline.add(
  new Task({
    id: 'check_file_changes',
    description: 'No changed file and no line is lost or counted twice',
    commands: [sqlFile('file_changes.sql')],
  }),
);

export default pipeline;
