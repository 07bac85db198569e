import { ExecuteSQL, Pipeline, Task } from 'millrace';
import collectData from './collect_data/collect_data.pipeline.ts';
import github from './github/github.pipeline.ts';
import pypi from './pypi/pypi.pipeline.ts';
import pythonProjects from './python_projects/python_projects.pipeline.ts';
import utils from './utils/utils.pipeline.ts';

const pipeline = new Pipeline({
  id: 'python_project_stats',
  description: 'Downloads from PyPI and activity on GitHub, merged by day and Python project',
  params: {
    bigquery_project: {
      type: 'string',
      default: '',
      description:
        'Google Cloud project that pays for real data; default: $BIGQUERY_PROJECT, else none is downloaded',
    },
    bigquery_days: {
      type: 'number',
      default: 7,
      description: 'At most so many missing days are downloaded by one run, newest first',
    },
    bigquery_max_gib: {
      type: 'number',
      default: 20,
      description: 'A query that would read more gibibytes than this fails before it costs anything',
    },
    sample_days: { type: 'number', default: 2, description: 'Invented days, where there are no real ones' },
    sample_rows: { type: 'number', default: 10_000, description: 'Rows of each file of an invented day' },
    sample_last_day: { type: 'date', default: '2018-04-10', description: 'The last invented day' },
  },
});

pipeline.addInitial(collectData);

pipeline.add(utils).add(pypi, [utils]).add(github, [utils]).add(pythonProjects, [pypi, github]);

pipeline.addFinal(
  new Task({
    id: 'show_flask',
    description: 'Asks the warehouse about the last days of one project',
    commands: [new ExecuteSQL({ sqlFile: 'show_flask.sql', echoQueries: false })],
  }),
);

export default pipeline;
