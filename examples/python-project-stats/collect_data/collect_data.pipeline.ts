import { ParallelRunFunction, Pipeline, RunFunction, Task } from 'millrace';
import { downloadDays } from './bigquery/download-days.ts';
import { sampleDays, writeSampleDay } from './sample/sample-days.ts';

const pipeline = new Pipeline({
  id: 'collect_data',
  description: 'Puts the files of days into the data directory: real ones, or invented ones to begin with',
});

pipeline.add(
  new Task({
    id: 'download',
    description: 'Downloads the days that are missing from BigQuery, if a project pays for it',
    commands: [new RunFunction(downloadDays)],
  }),
);

pipeline.add(
  new ParallelRunFunction({
    id: 'sample',
    description: 'Invents some days where there are no real ones',
    parameters: sampleDays,
    fn: writeSampleDay,
  }),
  ['download'],
);

export default pipeline;
