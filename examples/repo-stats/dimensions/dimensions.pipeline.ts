import { Pipeline, Task } from 'millrace';
import { sqlFile } from '../sql-file.ts';

const pipeline = new Pipeline({
  id: 'dimensions',
  description: 'Builds what commits and changed files are counted by',
  labels: { Schema: 'repo_stats_next' },
});

pipeline.addInitial(
  new Task({
    id: 'create_next_schema',
    description: 'Creates the schema that new tables are built in, and its functions',
    commands: [sqlFile('create_next_schema.sql'), sqlFile('create_functions.sql')],
  }),
);

const dimensions = {
  day: 'The days on which somebody committed',
  author: 'The people who committed',
  directory: 'The directories with changed files',
  file: 'The files that were changed',
};

for (const [id, description] of Object.entries(dimensions)) {
  pipeline.add(new Task({ id, description, commands: [sqlFile(`${id}.sql`)] }));
}

pipeline.addDependency('directory', 'file');

export default pipeline;
