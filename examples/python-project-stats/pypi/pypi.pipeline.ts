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
  id: 'pypi',
  description: 'How often Python packages are downloaded from PyPI, by version, installer and day',
  labels: { Schema: 'pypi_dim' },
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
    id: 'create_download_counts_table',
    description: 'Makes the table of what is read, when the script for it has changed',
    commands: [
      new ExecuteSQL({
        sqlFile: 'create_download_counts_table.sql',
        fileDependencies: ['create_download_counts_table.sql'],
      }),
    ],
  }),
);

pipeline.add(
  new ParallelReadFile({
    id: 'read_download_counts',
    description: 'Loads the files of days that are not loaded yet',
    filePattern: '*/*/*/pypi/downloads-v1.csv.gz',
    readMode: 'onlyNew',
    dateRegex: /^(?<year>\d{4})\/(?<month>\d\d)\/(?<day>\d\d)\//,
    partitionByDay: true,
    fileDependencies: ['create_download_counts_table.sql'],
    table: 'pypi_data.download_counts',
    format: csv({ delimiter: '\t', header: true }),
  }),
  ['create_download_counts_table'],
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'preprocess_versions',
    description: 'Finds the versions, installers and Pythons of each chunk of days',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_chunk_tables.sql' })],
    sqlFile: 'preprocess_versions.sql',
    parameters: dayChunks('pypi_data.download_counts'),
    placeholders: ['@chunk@', '@days@'],
  }),
  ['read_download_counts'],
);

pipeline.add(
  new Task({
    id: 'transform_project',
    description: 'Creates the dimension "project"',
    commands: [new ExecuteSQL({ sqlFile: 'transform_project.sql' })],
  }),
  ['preprocess_versions'],
);

pipeline.add(
  new Task({
    id: 'transform_project_version',
    description: 'Creates the dimension "project_version"',
    commands: [new ExecuteSQL({ sqlFile: 'transform_project_version.sql' })],
  }),
  ['transform_project'],
);

pipeline.add(
  new Task({
    id: 'transform_installer',
    description: 'Creates the dimension "installer"',
    commands: [new ExecuteSQL({ sqlFile: 'transform_installer.sql' })],
  }),
  ['preprocess_versions'],
);

pipeline.add(
  new Task({
    id: 'transform_python_version',
    description: 'Creates the dimension "python_version"',
    commands: [new ExecuteSQL({ sqlFile: 'transform_python_version.sql' })],
  }),
  ['preprocess_versions'],
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'transform_download_counts',
    description: 'Maps the download counts to their dimensions',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_download_counts.sql' })],
    sqlFile: 'transform_download_counts.sql',
    parameters: dayChunks('pypi_data.download_counts'),
    placeholders: ['@chunk@', '@days@'],
  }),
  ['transform_project_version', 'transform_installer', 'transform_python_version'],
);

pipeline.add(
  new ParallelExecuteSQL({
    id: 'create_download_counts_data_set',
    description: 'Creates a flat table of the download counts, for tools that do not join',
    commandsBefore: [new ExecuteSQL({ sqlFile: 'create_download_counts_data_set.sql' })],
    sqlFile: 'fill_download_counts_data_set.sql',
    parameters: dayChunks('pypi_data.download_counts'),
    placeholders: ['@chunk@', '@days@'],
  }),
  ['transform_download_counts'],
);

pipeline.add(
  new Task({
    id: 'constrain_tables',
    description: 'Adds foreign keys between facts and dimensions',
    commands: [new ExecuteSQL({ sqlFile: 'constrain_tables.sql' })],
  }),
  ['transform_download_counts'],
);

pipeline.add(
  new Task({
    id: 'check_download_counts',
    description: 'Fails when downloads were lost or counted twice',
    commands: [
      assertEqual({
        description: 'All downloads that were read are in the facts',
        sql: 'SELECT sum(number_of_downloads) FROM pypi_dim_next.download_counts',
        otherSql: 'SELECT sum(number_of_downloads) FROM pypi_data.download_counts',
      }),
    ],
  }),
  ['transform_download_counts'],
);

pipeline.addFinal(
  new Task({
    id: 'replace_schema',
    description: 'Puts the new tables into the place of the old ones, all at once',
    commands: [replaceSchema({ schema: 'pypi_dim' })],
  }),
);

export default pipeline;
