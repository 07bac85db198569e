import { Pipeline } from 'millrace';
import checks from './checks/checks.pipeline.ts';
import dimensions from './dimensions/dimensions.pipeline.ts';
import facts from './facts/facts.pipeline.ts';
import loadHistory from './history/history.pipeline.ts';
import results from './results/results.pipeline.ts';

const pipeline = new Pipeline({
  id: 'repo_stats',
  description: 'Statistics of a git repository: who commits, when, and which files change most',
  params: {
    repository: {
      type: 'string',
      default: '',
      description:
        'Directory of a git repository; default: $REPO_STATS_REPOSITORY, else the one of this example',
    },
    reread: {
      type: 'boolean',
      default: false,
      description: 'Read all commits again, not just new ones',
    },
  },
});

pipeline
  .add(loadHistory)
  .add(dimensions, [loadHistory])
  .add(facts, [dimensions])
  .add(checks, [facts])
  .add(results, [checks]);

export default pipeline;
