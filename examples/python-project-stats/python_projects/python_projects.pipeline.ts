import {
  assertEqual,
  chunks,
  ExecuteSQL,
  ParallelExecuteSQL,
  Pipeline,
  replaceSchema,
  schemaMisuseCheck,
  Task,
} from 'millrace';

const pipeline = new Pipeline({
  id: 'python_projects',
  description: 'Downloads from PyPI and activity on GitHub by day and Python project',
  labels: { Schema: 'pp_dim' },
});

pipeline.addInitial(
  new Task({
    id: 'initialize_schemas',
    description: 'Makes the schemas that the new tables are built in',
    commands: [schemaMisuseCheck(), new ExecuteSQL({ sqlFile: 'initialize_schemas.sql' })],
  }),
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'extract_python_repo_activity',
    description: 'Adds up the activity of repositories that are called like a project on PyPI',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_python_repo_activity.sql' })],
    sqlFile: 'extract_python_repo_activity.sql',
    parameters: chunks(8),
    placeholders: ['@chunk@'],
  }),
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'transform_python_project_activity',
    description: 'Adds up the downloads of each project, and merges them with the activity on GitHub',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_python_project_activity.sql' })],
    sqlFile: 'transform_python_project_activity.sql',
    parameters: chunks(8),
    placeholders: ['@chunk@'],
  }),
  ['extract_python_repo_activity'],
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'create_python_project_activity_data_set',
    description: 'Creates a flat table of the activity, for tools that do not join',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_python_project_activity_data_set.sql' })],
    sqlFile: 'fill_python_project_activity_data_set.sql',
    parameters: chunks(8),
    placeholders: ['@chunk@'],
  }),
  ['transform_python_project_activity'],
);

pipeline.add(
  new Task({
    id: 'constrain_tables',
    description: 'Adds foreign keys between facts and dimensions',
    commands: [new ExecuteSQL({ sqlFile: 'constrain_tables.sql' })],
  }),
  ['transform_python_project_activity'],
);

pipeline.add(
  new Task({
    id: 'check_python_project_activity',
    description: 'Fails when downloads were lost or counted twice',
    commands: [
      assertEqual({
        description: 'Downloads by project are all downloads',
        sql: 'SELECT sum(number_of_downloads) FROM pp_dim_next.python_project_activity',
        otherSql: 'SELECT sum(number_of_downloads) FROM pypi_dim.download_counts',
      }),
    ],
  }),
  ['transform_python_project_activity'],
);

pipeline.addFinal(
  new Task({
    id: 'replace_schema',
    description: 'Puts the new tables into the place of the old ones, all at once',
    commands: [replaceSchema({ schema: 'pp_dim' })],
  }),
);

export default pipeline;
