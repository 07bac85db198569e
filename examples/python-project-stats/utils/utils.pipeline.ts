import { Pipeline, sqlLibrary } from 'millrace';

const pipeline = new Pipeline({
  id: 'utils',
  description: 'Makes the SQL functions and the time dimensions that the other pipelines use',
  labels: { Schema: 'time' },
});

// The GitHub archive, the older of the two sources, begins on that day.
pipeline.add(sqlLibrary({ chunks: 8, days: { from: '2011-02-12' } }));

export default pipeline;
