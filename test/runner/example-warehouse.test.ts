/** examples/python-project-stats, run through the real command line. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzeProject } from '../../extension/analysis/analysis-project.ts';
import { compareGraphs, loadProjects } from '../support/compare-graphs.ts';
import { testServer } from '../support/postgres.ts';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import { eventsOf, linesOf, outcomesOf } from '../support/project.ts';
import {
  exampleDirectory,
  expectedActivity,
  publishedActivity,
  readmeRows,
  type TestWarehouse,
  testWarehouse,
  writeDayFile,
} from '../support/warehouse.ts';
import { waitUntil } from '../support/wait.ts';

const ROWS = 400;
const first = { day: '2018-04-09', rows: ROWS, seed: 7 };
const second = { day: '2018-04-10', rows: ROWS, seed: 7 };
const third = { day: '2018-04-11', rows: ROWS, seed: 7 };

const readDownloads = 'python_project_stats/pypi/read_download_counts';
const readActivity = 'python_project_stats/github/read_repo_activity';

interface RunResult {
  readonly exitCode: number | null;
  readonly runId: number;
  readonly outcomes: Readonly<Record<string, string>>;
  /** What the two tasks that load files say of the files that they found. */
  readonly files: readonly (string | undefined)[];
  /** First lines of the errors. */
  readonly errors: readonly string[];
}

async function run(
  warehouse: TestWarehouse,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const { exitCode, stdout } = await warehouse.run(['run', '--json', ...args], { env });
  return resultOf(exitCode, stdout);
}

function resultOf(exitCode: number | null, stdout: string): RunResult {
  const events = eventsOf(stdout);
  const started = events.find(event => event.type === 'run_started');
  return {
    exitCode,
    runId: started?.runId ?? 0,
    outcomes: outcomesOf(events),
    files: [readDownloads, readActivity].map(path => linesOf(events, path).at(-1)),
    errors: events.flatMap(event =>
      event.type === 'node_finished' && event.error !== null && event.nodePath.length > 2
        ? [`${event.nodePath.at(-1) ?? ''}: ${event.error.split('\n')[0] ?? ''}`]
        : [],
    ),
  };
}

function assertSucceeded({ exitCode, errors }: RunResult): void {
  assert.deepEqual(errors, []);
  assert.equal(exitCode, 0);
}

describe('examples/python-project-stats', function () {
  this.timeout(300_000);

  describe('as it is', () => {
    let warehouse: TestWarehouse;
    before(async () => {
      warehouse = await testWarehouse();
      assertSucceeded(await run(warehouse, ['--param', 'sample_rows=300']));
    });
    after(() => warehouse[Symbol.asyncDispose]());

    it('answers the question of the README with what was on GitHub on that day', async () => {
      const query = await readFile(join(warehouse.path, 'show_flask.sql'), 'utf8');
      const { stdout } = await warehouse.run(['sql', 'dwh', '-c', query]);
      assert.equal(
        stdout,
        [
          '   _date    | project_name | number_of_downloads | number_of_forks | number_of_commits | number_of_closed_pull_requests',
          '------------+--------------+---------------------+-----------------+-------------------+--------------------------------',
          ' 2018-04-10 | flask        |                  10 |              11 |                67 |                              3',
          '(1 row)\n',
        ].join('\n'),
      );
    });

    it('makes a star schema: facts whose foreign keys name their dimensions', async () => {
      const keys = await warehouse.query<{ key: string }>(`
        SELECT conrelid::regclass || ' → ' || confrelid::regclass AS key FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND connamespace::regnamespace::text <> 'millrace_loaded'`);
      assert.deepEqual(keys.map(({ key }) => key.replaceAll('"', '')).sort(), [
        'gh_dim.repo_activity → gh_dim.repo',
        'gh_dim.repo_activity → time.day',
        'pp_dim.python_project_activity → pypi_dim.project',
        'pp_dim.python_project_activity → time.day',
        'pypi_dim.download_counts → pypi_dim.installer',
        'pypi_dim.download_counts → pypi_dim.project_version',
        'pypi_dim.download_counts → pypi_dim.python_version',
        'pypi_dim.download_counts → time.day',
        'pypi_dim.project_version → pypi_dim.project',
      ]);
      const [schemas] = await warehouse.query<{ names: string }>(
        "SELECT string_agg(nspname, ' ' ORDER BY nspname COLLATE \"C\") AS names FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)'",
      );
      assert.equal(
        schemas?.names,
        'gh_data gh_dim gh_tmp millrace_loaded pp_dim pp_tmp pypi_data pypi_dim pypi_tmp time util',
      );
    });

    it('has flat tables that say the same', async () => {
      const [flask] = await warehouse.query(`
        SELECT (SELECT sum("# Downloads")::int FROM pypi_dim.download_counts_data_set WHERE "Project" = 'flask') AS downloads,
          (SELECT string_agg(DISTINCT "Installer", ', ' ORDER BY "Installer") FROM pypi_dim.download_counts_data_set
            WHERE "Project" = 'flask') AS installers,
          (SELECT sum("# Forks")::int FROM gh_dim.repo_activity_data_set WHERE "Repo" = 'flask') AS forks,
          (SELECT "# Commits" FROM pp_dim.python_project_activity_data_set WHERE "Project" = 'flask') AS commits`);
      assert.deepEqual(flask, {
        downloads: 10,
        installers: 'Browser, bandersnatch, pip',
        forks: 11,
        commits: 67,
      });
    });

    it('is seen as it is by the static analysis', async () => {
      const [loaded] = await loadProjects([exampleDirectory]);
      assert(loaded !== undefined);
      const analysis = analyzeProject({ directory: exampleDirectory });
      const { wrong, exact, flagged } = compareGraphs(analysis, loaded);
      assert.deepEqual(wrong, []);
      assert.equal(flagged, 0);
      assert(exact > 40);
      assert.deepEqual(analysis.diagnostics, []);
    });

    it('invents nothing where there are days already', async () => {
      await rm(join(warehouse.path, 'data', 'sample-data.txt'));
      const { exitCode, stdout } = await warehouse.run([
        'run',
        'python_project_stats/collect_data',
        '--json',
      ]);
      assert.equal(exitCode, 0);
      assert.deepEqual(
        linesOf(eventsOf(stdout), 'python_project_stats/collect_data/sample')[0],
        `${join(warehouse.path, 'data')} holds days already, and invented ones are not put among them`,
      );
    });
  });

  it('holds what the files hold, on an external Postgres as well, and changes with them', async () => {
    await using server = await testServer();
    await using warehouse = await testWarehouse(server.url);
    const days = { [second.day]: await warehouse.writeDay(second) };
    await writeDayFile(warehouse.path, '2018-04-09', 'downloads', []);
    assertSucceeded(await run(warehouse));
    assert.deepEqual(await publishedActivity(warehouse), expectedActivity(days));

    // A new day: nothing else is loaded.
    const more = { ...days, [third.day]: await warehouse.writeDay(third) };
    const added = await run(warehouse);
    assertSucceeded(added);
    assert.deepEqual(added.files, ['1 of 3 files are to be loaded', '1 of 2 files are to be loaded']);
    assert.deepEqual(await publishedActivity(warehouse), expectedActivity(more));
    const [totals] = await warehouse.query(`
      SELECT (SELECT count(*)::int FROM pypi_dim.download_counts) AS downloads,
        (SELECT count(*)::int FROM gh_dim.repo_activity) AS activity,
        (SELECT sum(number_of_forks)::int FROM gh_dim.repo_activity) AS forks,
        (SELECT sum(number_of_downloads)::int FROM pypi_dim.download_counts) AS number_of_downloads`);
    const sum = (key: 'downloadRows' | 'activityRows' | 'forks' | 'downloads'): number =>
      Object.values(more).reduce((all, day) => all + day[key], 0);
    assert.deepEqual(totals, {
      downloads: sum('downloadRows'),
      activity: sum('activityRows'),
      forks: sum('forks'),
      number_of_downloads: sum('downloads'),
    });

    // Nothing new.
    const again = await run(warehouse);
    assertSucceeded(again);
    assert.deepEqual(again.files, ['No newer files (of 3)', 'No newer files (of 2)']);
    assert.equal(again.outcomes['python_project_stats/pypi/create_download_counts_table'], 'unchanged');

    // Another script for a table: that table is loaded again, the other one is not.
    const script = join(warehouse.path, 'pypi', 'create_download_counts_table.sql');
    const text = await readFile(script, 'utf8');
    await writeFile(script, text.replace('number_of_downloads integer', 'number_of_downloads bigint '));
    const changed = await run(warehouse);
    assertSucceeded(changed);
    assert.deepEqual(changed.files, ['3 of 3 files are to be loaded', 'No newer files (of 2)']);
    assert.deepEqual(await publishedActivity(warehouse), expectedActivity(more));

    // Other settings: what lies before the first day is left out.
    const later = await run(warehouse, [], { MILLRACE_FIRST_DATE: third.day });
    assertSucceeded(later);
    assert.deepEqual(later.files, ['1 of 1 files are to be loaded', '1 of 1 files are to be loaded']);
    const latest = more[third.day];
    assert(latest !== undefined);
    assert.deepEqual(await publishedActivity(warehouse), expectedActivity({ [third.day]: latest }));
  });

  it('takes its files from another directory when the environment says so', async () => {
    await using warehouse = await testWarehouse();
    const elsewhere = join(warehouse.path, 'elsewhere');
    assertSucceeded(await run(warehouse, ['--param', 'sample_rows=100'], { MILLRACE_DATA_DIR: elsewhere }));
    assert.match(await readFile(join(elsewhere, 'sample-data.txt'), 'utf8'), /invented/);
    assert.equal(Object.keys(await publishedActivity(warehouse)).includes('20180410 flask'), true);
  });

  it('counts the rows of the README as they are', async () => {
    await using warehouse = await testWarehouse();
    for (const file of ['downloads', 'activity'] as const)
      await writeDayFile(warehouse.path, second.day, file, await readmeRows(file));
    assertSucceeded(await run(warehouse));
    assert.deepEqual(await publishedActivity(warehouse), {
      '20180410 flask': { downloads: 10, forks: 11, commits: 67, pullRequests: 3 },
    });
  });

  it('leaves the old tables in place when a run fails', async () => {
    await using warehouse = await testWarehouse();
    const days = {
      [first.day]: await warehouse.writeDay(first),
      [second.day]: await warehouse.writeDay(second),
    };
    assertSucceeded(await run(warehouse));
    const before = await publishedActivity(warehouse);
    assert.deepEqual(before, expectedActivity(days));

    // A file with a mistake …
    await writeDayFile(warehouse.path, third.day, 'downloads', ['20180411\tnew\t1.0\t3.6\tpip\tmany']);
    const failed = await run(warehouse);
    assert.equal(failed.exitCode, 1);
    assert.match(failed.errors.join('\n'), /2018\/04\/11\/pypi\/downloads-v1\.csv\.gz/);
    assert.deepEqual(await publishedActivity(warehouse), before);

    // … or facts that do not add up, when pypi is through with everything but its publication.
    const more = { ...days, [third.day]: await warehouse.writeDay(third) };
    const script = join(warehouse.path, 'pypi', 'transform_download_counts.sql');
    const text = await readFile(script, 'utf8');
    await writeFile(script, text.replace('  number_of_downloads,\n', '  number_of_downloads + 1,\n'));
    const wrong = await run(warehouse);
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.errors.join('\n'), /All downloads that were read are in the facts/);
    assert.equal(wrong.outcomes['python_project_stats/pypi/replace_schema'], 'skipped');
    assert.deepEqual(await publishedActivity(warehouse), before);

    await writeFile(script, text);
    assertSucceeded(await run(warehouse));
    assert.deepEqual(await publishedActivity(warehouse), expectedActivity(more));
  });

  it('goes on where it was when it is killed', async function () {
    if (!canListProcesses) this.skip();
    await using warehouse = await testWarehouse();
    const days = { [first.day]: await warehouse.writeDay(first) };
    assertSucceeded(await run(warehouse));
    const before = await publishedActivity(warehouse);
    const more = { ...days, [second.day]: await warehouse.writeDay(second) };

    // The task that needs this table waits, so that the run is killed in its middle.
    const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'pypi_data.project_id'::regclass";
    const blocker = await warehouse.connect();
    const mark = new ProcessMark();
    let killed: RunResult;
    try {
      await blocker.query('BEGIN; LOCK TABLE pypi_data.project_id');
      await using running = await warehouse.start(['run', '--json'], { env: mark.env });
      await running.until(async () => {
        return (await blocker.query(waiting)).rows.length > 0;
      });
      running.signal('SIGKILL');
      killed = resultOf((await running.end).exitCode, running.stdout);
      await mark.untilGone();
      // The server notices, too.
      await waitUntil(async () => (await blocker.query(waiting)).rows.length === 0);
    } finally {
      await blocker.end();
    }
    assert.equal(killed.outcomes[readDownloads], 'succeeded');
    assert.deepEqual(await publishedActivity(warehouse), before);

    const resumed = await run(warehouse, ['--resume', String(killed.runId)]);
    assertSucceeded(resumed);
    assert.equal(resumed.outcomes[readDownloads], undefined);
    assert.equal(resumed.outcomes['python_project_stats/pypi/transform_project'], 'succeeded');
    assert.deepEqual(await publishedActivity(warehouse), expectedActivity(more));
  });
});
