import {
  assertEqual,
  csv,
  ExecuteSQL,
  ParallelExecuteSQL,
  ParallelReadFile,
  Pipeline,
  replaceSchema,
  schemaMisuseCheck,
  Task,
} from 'millrace';
import { dayChunks } from '../day-chunks.ts';

const pipeline = new Pipeline({
  id: 'github',
  description: 'How active repositories on GitHub are: forks, commits and closed pull requests by day',
  labels: { Schema: 'gh_dim' },
});

pipeline.addInitial(
  new Task({
    id: 'initialize_schemas',
    description: 'Makes the schemas that the new tables are built in',
    commands: [schemaMisuseCheck(), new ExecuteSQL({ sqlFile: 'initialize_schemas.sql' })],
  }),
);

pipeline.add(
  new Task({
    id: 'create_repo_activity_table',
    description: 'Makes the table of what is read, when the script for it has changed',
    commands: [
      new ExecuteSQL({
        sqlFile: 'create_repo_activity_table.sql',
        fileDependencies: ['create_repo_activity_table.sql'],
      }),
    ],
  }),
);

pipeline.add(
  new ParallelReadFile({
    id: 'read_repo_activity',
    description: 'Loads the files of days that are not loaded yet',
    filePattern: '*/*/*/github/repo-activity-v1.csv.gz',
    readMode: 'onlyNew',
    dateRegex: /^(?<year>\d{4})\/(?<month>\d\d)\/(?<day>\d\d)\//,
    partitionByDay: true,
    fileDependencies: ['create_repo_activity_table.sql'],
    table: 'gh_data.repo_activity',
    format: csv({ delimiter: '\t', header: true }),
  }),
  ['create_repo_activity_table'],
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'preprocess_repo',
    description: 'Finds the repositories of each chunk of days',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_chunk_tables.sql' })],
    sqlFile: 'preprocess_repo.sql',
    parameters: dayChunks('gh_data.repo_activity'),
    placeholders: ['@chunk@', '@days@'],
  }),
  ['read_repo_activity'],
);

pipeline.add(
  new Task({
    id: 'transform_repo',
    description: 'Creates the dimension "repo"',
    commands: [new ExecuteSQL({ sqlFile: 'transform_repo.sql' })],
  }),
  ['preprocess_repo'],
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'transform_repo_activity',
    description: 'Maps the activity of repositories to their dimensions',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_repo_activity.sql' })],
    sqlFile: 'transform_repo_activity.sql',
    parameters: dayChunks('gh_data.repo_activity'),
    placeholders: ['@chunk@', '@days@'],
  }),
  ['transform_repo'],
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'create_repo_activity_data_set',
    description: 'Creates a flat table of the activity, for tools that do not join',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_repo_activity_data_set.sql' })],
    sqlFile: 'fill_repo_activity_data_set.sql',
    parameters: dayChunks('gh_data.repo_activity'),
    placeholders: ['@chunk@', '@days@'],
  }),
  ['transform_repo_activity'],
);

pipeline.add(
  new Task({
    id: 'constrain_tables',
    description: 'Adds foreign keys between facts and dimensions',
    commands: [new ExecuteSQL({ sqlFile: 'constrain_tables.sql' })],
  }),
  ['transform_repo_activity'],
);

pipeline.add(
  new Task({
    id: 'check_repo_activity',
    description: 'Fails when activity was lost or counted twice',
    commands: [
      assertEqual({
        description: 'All rows that were read are in the facts',
        sql: 'SELECT count(*) FROM gh_dim_next.repo_activity',
        otherSql: 'SELECT count(*) FROM gh_data.repo_activity',
      }),
    ],
  }),
  ['transform_repo_activity'],
);

pipeline.addFinal(
  new Task({
    id: 'replace_schema',
    description: 'Puts the new tables into the place of the old ones, all at once',
    commands: [replaceSchema({ schema: 'gh_dim' })],
  }),
);

export default pipeline;
