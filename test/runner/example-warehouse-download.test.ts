/** The download of real days: what it asks `bq` for, and what it makes of the answers. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { eventsOf, linesOf, outcomesOf } from '../support/project.ts';
import { exampleDirectory, type TestWarehouse, testWarehouse } from '../support/warehouse.ts';

const download = 'python_project_stats/collect_data/download';

/** Answers by day and data set, and notes what it was asked. */
const client = `#!/usr/bin/env bash
here="\${BASH_SOURCE[0]%/*}"
query="$(cat)"
day="$(grep -oE '^  [0-9]{8} AS day_id' <<< "$query" | grep -oE '[0-9]{8}')"
case "$query" in *file_downloads*) set="downloads";; *) set="activity";; esac
printf '%s\\n' "$day $set $*" >> "$here/calls"
printf '%s' "$query" > "$here/query-$set-$day"
answer="$here/answer-$set-$day"
[ -e "$answer" ] || answer="$here/answer-$set"
cat "$answer"
[ ! -e "$answer.exit" ] || exit "$(cat "$answer.exit")"
`;

const downloads = `day_id,project,project_version,python_version,installer,number_of_downloads
20180410,flask,0.10,2.6,pip,1
20180410,"odd, name",1.0,,"said ""x""",12
`;
const activity = `day_id,user,repository,number_of_forks,number_of_commits,number_of_closed_pull_requests
20180410,pallets,flask,10,6,3
`;

interface FakeClient {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  calls(): Promise<string[]>;
}

async function fakeClient(
  warehouse: TestWarehouse,
  answers: Readonly<Record<string, string>>,
): Promise<FakeClient> {
  const folder = join(warehouse.path, 'bin');
  await mkdir(folder);
  await writeFile(join(folder, 'bq'), client);
  await chmod(join(folder, 'bq'), 0o755);
  for (const [name, text] of Object.entries(answers)) await writeFile(join(folder, name), text);
  return {
    folder,
    env: {
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
      BIGQUERY_PROJECT: 'payer',
      MILLRACE_FIRST_DATE: '2018-04-08',
      MILLRACE_LAST_DATE: '2018-04-10',
    },
    async calls() {
      const text = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
      await writeFile(join(folder, 'calls'), '');
      return text.split('\n').filter(line => line !== '');
    },
  };
}

const options =
  '--headless --quiet --project_id=payer --format=csv query --use_legacy_sql=false --max_rows=2147483647 --maximum_bytes_billed=21474836480';

async function filesOf(warehouse: TestWarehouse): Promise<string[]> {
  const entries = await readdir(join(warehouse.path, 'data'), { recursive: true }).catch(() => []);
  return entries.filter(name => name.includes('.')).sort();
}

async function runDownload(
  warehouse: TestWarehouse,
  env: Readonly<Record<string, string>>,
  ...more: readonly string[]
): Promise<{ exitCode: number | null; lines: string[]; outcome: string | undefined; error: string | null }> {
  const { exitCode, stdout } = await warehouse.run(['run', download, '--json', ...more], { env });
  const events = eventsOf(stdout);
  const end = events.find(event => event.type === 'node_finished' && event.nodePath.at(-1) === 'download');
  return {
    exitCode,
    lines: linesOf(events, download),
    outcome: outcomesOf(events)[download],
    // Without the place in the project's code.
    error: end?.type === 'node_finished' ? (end.error?.replace(/\n {4}at .*$/, '') ?? null) : null,
  };
}

describe('examples/python-project-stats: download', function () {
  this.timeout(120_000);

  it('gets what is missing, from the last day backwards, and nothing twice', async () => {
    await using warehouse = await testWarehouse();
    const bq = await fakeClient(warehouse, {
      'answer-downloads': downloads,
      'answer-activity': activity,
      'answer-activity-20180409':
        'BigQuery error in query operation: Not found: Table githubarchive:day.20180409 was not found in location US\n',
      'answer-activity-20180409.exit': '2',
      // Without rows there are no names either.
      'answer-downloads-20180408': '',
    });
    const first = await runDownload(warehouse, bq.env);
    assert.equal(first.error, null);
    assert.equal(first.exitCode, 0);
    assert.deepEqual(await bq.calls(), [
      `20180410 downloads ${options}`,
      `20180410 activity ${options}`,
      `20180409 downloads ${options}`,
      `20180409 activity ${options}`,
      `20180408 downloads ${options}`,
      `20180408 activity ${options}`,
    ]);
    assert.deepEqual(await filesOf(warehouse), [
      '2018/04/08/github/repo-activity-v1.csv.gz',
      '2018/04/08/pypi/downloads-v1.csv.gz',
      '2018/04/09/pypi/downloads-v1.csv.gz',
      '2018/04/10/github/repo-activity-v1.csv.gz',
      '2018/04/10/pypi/downloads-v1.csv.gz',
    ]);
    const read = async (name: string): Promise<string> =>
      gunzipSync(await readFile(join(warehouse.path, 'data', name))).toString();
    assert.equal(
      await read('2018/04/10/pypi/downloads-v1.csv.gz'),
      'day_id\tproject\tproject_version\tpython_version\tinstaller\tnumber_of_downloads\n' +
        '20180410\tflask\t0.10\t2.6\tpip\t1\n' +
        '20180410\todd, name\t1.0\t\t"said ""x"""\t12\n',
    );
    assert.equal(
      await read('2018/04/08/pypi/downloads-v1.csv.gz'),
      'day_id\tproject\tproject_version\tpython_version\tinstaller\tnumber_of_downloads\n',
    );

    // Another run asks for what could not be had, and for nothing else.
    const second = await runDownload(warehouse, bq.env);
    assert.equal(second.exitCode, 0);
    assert.deepEqual(await bq.calls(), [`20180409 activity ${options}`]);
    assert.equal(
      second.lines.at(-2),
      'BigQuery has no table for 2018-04-09 yet: BigQuery error in query operation: Not found: Table githubarchive:day.20180409 was not found in location US',
    );
  });

  it('asks for one day, in the words of the queries of the project', async () => {
    await using warehouse = await testWarehouse();
    const bq = await fakeClient(warehouse, { 'answer-downloads': downloads, 'answer-activity': activity });
    await runDownload(warehouse, { ...bq.env, MILLRACE_FIRST_DATE: '2018-04-10' });
    for (const [set, file] of [
      ['downloads', 'pypi-downloads.sql'],
      ['activity', 'github-repo-activity.sql'],
    ] as const) {
      const query = await readFile(join(exampleDirectory, 'collect_data', 'bigquery', file), 'utf8');
      const expected = query.replaceAll('@day_id@', '20180410').replaceAll('@day@', '2018-04-10').trimEnd();
      assert.equal(await readFile(join(bq.folder, `query-${set}-20180410`), 'utf8'), expected);
      assert(!expected.includes('@'));
    }
  });

  it('stops after so many days', async () => {
    await using warehouse = await testWarehouse();
    const bq = await fakeClient(warehouse, { 'answer-downloads': downloads, 'answer-activity': activity });
    const { lines } = await runDownload(warehouse, bq.env, '--param', 'bigquery_days=1');
    assert.equal((await bq.calls()).length, 2);
    assert.equal(lines.at(-1), '2018-04-09 and earlier days are left for the next run (bigquery_days)');
  });

  it('leaves no file when a query fails, even in the middle of its answer', async () => {
    await using warehouse = await testWarehouse();
    const bq = await fakeClient(warehouse, { 'answer-downloads': downloads, 'answer-downloads.exit': '1' });
    const broken = await runDownload(warehouse, bq.env);
    assert.equal(broken.exitCode, 1);
    assert.equal(
      broken.error?.split('\n')[0],
      `bq ended with exit code 1: ${downloads.split('\n')[0] ?? ''}`,
    );
    assert.deepEqual(await filesOf(warehouse), []);

    const message = 'BigQuery error in query operation: Access Denied: Project payer: no permission, sorry\n';
    await writeFile(join(bq.folder, 'answer-downloads'), message);
    const denied = await runDownload(warehouse, bq.env);
    assert.equal(denied.error, `bq ended with exit code 1: ${message.trim()}`);

    await writeFile(join(bq.folder, 'answer-downloads.exit'), '0');
    await writeFile(join(bq.folder, 'answer-downloads'), 'project,day_id\nflask,20180410\n');
    const other = await runDownload(warehouse, bq.env);
    assert.equal(
      other.error,
      'bq did not answer with the columns day_id, project, project_version, python_version, installer, ' +
        'number_of_downloads, but with: project,day_id\nflask,20180410',
    );
    assert.deepEqual(await filesOf(warehouse), []);
  });

  it('does nothing without a project that pays, and puts no real days among invented ones', async () => {
    await using warehouse = await testWarehouse();
    const bq = await fakeClient(warehouse, { 'answer-downloads': downloads, 'answer-activity': activity });
    const idle = await runDownload(warehouse, { ...bq.env, BIGQUERY_PROJECT: '' });
    assert.equal(idle.outcome, 'unchanged');
    assert.deepEqual(idle.lines, [
      'downloadDays()',
      'no Google Cloud project is named, so nothing is downloaded (see README.md)',
    ]);
    await warehouse.run(['run', 'python_project_stats/collect_data', '--param', 'sample_rows=10']);
    const mixed = await runDownload(warehouse, bq.env);
    assert.equal(
      mixed.error,
      `${join(warehouse.path, 'data')} holds invented days (sample-data.txt), and real ones are not put among them. ` +
        'Name another directory, for example MILLRACE_DATA_DIR=real-data, or remove this one; then run: millrace reset',
    );
    assert.deepEqual(await bq.calls(), []);
  });

  it('says so when there is no bq', async () => {
    await using warehouse = await testWarehouse();
    const bq = await fakeClient(warehouse, {});
    const { error } = await runDownload(warehouse, { ...bq.env, PATH: join(warehouse.path, 'nowhere') });
    assert.equal(error, 'The program "bq" was not found. Is it installed, and on the PATH?');
  });
});
