import assert from 'node:assert/strict';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Client } from 'pg';
import { eventsOf, testProject, type TestProject } from '../support/project.ts';
import { temporaryHome } from '../support/store.ts';

const shop = `
import { Pipeline, RunBash, Task } from 'millrace';
const shop = new Pipeline({ id: 'shop' });
shop.add(new Task({ id: 'nasty', commands: [new RunBash(
  "printf 'tab\\\\there, back\\\\\\\\slash, \\\\\\\\. and \\\\\\\\N\\\\n\\\\\\\\.\\\\n日本語 🦊\\\\n'; seq 20000"
)] }));
const slow = new Pipeline({ id: 'slow' });
slow.add(new Task({ id: 'waits', commands: [new RunBash('echo begun; until test -e go; do sleep 0.05; done')] }));
export { shop, slow };
`;

/** What a backup says, without its first line, which has a time. */
async function contentsOf(file: string): Promise<{ header: string; rest: string }> {
  const text = gunzipSync(await readFile(file)).toString('utf8');
  const end = text.indexOf('\n');
  return { header: text.slice(0, end), rest: text.slice(end) };
}

describe('millrace store', () => {
  let project: TestProject;
  let home: string;
  before(async () => {
    home = await temporaryHome();
    project = await testProject({ 'shop.pipeline.ts': shop });
    assert.equal((await project.run(['run', 'shop'])).exitCode, 0);
  });
  after(() => project[Symbol.asyncDispose]());

  async function says(args: readonly string[], message: string, code = 0, where = project): Promise<void> {
    const { exitCode, stdout, stderr } = await where.run(['store', ...args]);
    assert.equal(stderr, `millrace: ${message}\n`);
    assert.equal(stdout, '');
    assert.equal(exitCode, code);
  }

  it('says where it is and what it holds', async () => {
    const { stdout } = await project.run(['store', 'status']);
    assert.match(
      stdout,
      new RegExp(
        `^store {5}embedded Postgres in ${home}
state {5}running for \\d+ (?:s|min) as process \\d+, \\d+ clients?
database {2}millrace_test_\\w+
server {4}Postgres \\d+\\.\\d+
schema {4}0001_initial
holds {5}1 run, since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d; [\\d.]+ [kM]B
$`,
      ),
    );
    const json = await project.run(['store', 'status', '--json']);
    const example = /<!-- example: store status --json -->\n```json\n([\s\S]*?)\n```/.exec(
      await readFile(join(import.meta.dirname, '..', '..', 'docs', 'cli.md'), 'utf8'),
    )?.[1];
    const keys = (text: string | undefined): string[] =>
      [...(text ?? '').matchAll(/"(\w+)":/g)].map(([, key]) => key ?? '');
    assert.deepEqual(keys(json.stdout), keys(example));
  });

  it('gives a URL with which other clients find the tables', async () => {
    const { stdout } = await project.run(['store', 'url']);
    const url = stdout.trim();
    const other = await project.run(['store', 'status', '--json'], { env: { MILLRACE_STORE_URL: url } });
    const status = JSON.parse(other.stdout) as { kind: string; contents: { runs: number } };
    assert.equal(status.kind, 'external');
    assert.equal(status.contents.runs, 1);
    const stop = await project.run(['store', 'stop'], { env: { MILLRACE_STORE_URL: url } });
    assert.equal(
      stop.stderr,
      'millrace: The store of this project is a Postgres server of your own, which Millrace does not stop.\n',
    );
    assert.equal(stop.exitCode, 2);
  });

  it('gives a URL of the warehouse, too', async () => {
    await project.run(['sql', 'dwh', '-c', 'CREATE TABLE parrots AS SELECT 3 AS n']);
    const { stdout } = await project.run(['store', 'url', '--warehouse']);
    const client = new Client({ connectionString: stdout.trim() });
    await client.connect();
    assert.deepEqual((await client.query('SELECT n FROM parrots')).rows, [{ n: 3 }]);
    await client.end();
  });

  it('starts and migrates', async () => {
    await says(['start'], `The embedded Postgres is ready: ${home}.`);
    await says(
      ['migrate'],
      `The schema of the store (embedded Postgres in ${home}) is up to date: 0001_initial.`,
    );
  });

  it('prunes what is older than so many days', async () => {
    await using other = await testProject({ 'shop.pipeline.ts': shop });
    await other.run(['run', 'shop']);
    await says(['prune'], 'No run is older than 30 days.', 0, other);
    await says(
      ['prune', '--days', '0'],
      'Deleted 1 run older than 0 days, with 2 node runs and 20,004 lines of output.',
      0,
      other,
    );
  });

  describe('backup and restore', () => {
    it('gives back, byte for byte, what was there', async () => {
      const file = join(project.path, 'first.gz');
      const written = await project.run(['store', 'backup', 'first.gz']);
      assert.match(written.stderr, /^millrace: Wrote 1 run \(20,\d{3} rows, [\d.]+ kB\) to first\.gz\.\n$/);
      assert.equal(written.exitCode, 0);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.deepEqual(
        (await readdir(project.path)).filter(name => name.endsWith('.tmp')),
        [],
      );

      await using other = await testProject({ 'shop.pipeline.ts': shop });
      const restored = await other.run(['store', 'restore', file]);
      assert.equal(
        restored.stderr.replace(/20,\d{3}/, '‹n›'),
        `millrace: Restored 1 run (‹n› rows) from ${file} into embedded Postgres in ${home}.\n`,
      );
      assert.equal(restored.exitCode, 0);
      await other.run(['store', 'backup', 'second.gz']);
      const [first, second] = [await contentsOf(file), await contentsOf(join(other.path, 'second.gz'))];
      assert.ok(first.rest === second.rest, 'the backup of what was restored is the same');
      assert.ok(first.rest.includes('日本語 🦊'));
      assert.equal(
        (JSON.parse(first.header.replace('-- millrace backup ', '')) as { lastRunId: number }).lastRunId,
        1,
      );
      // The next run gets the next number.
      const next = await other.run(['run', 'shop', '--json']);
      assert.equal(eventsOf(next.stdout)[0]?.runId, 2);
      assert.equal((await other.run(['logs', '1'])).stdout, (await project.run(['logs', '1'])).stdout);
    });

    it('takes an external store as well, and keeps the number of a run that was deleted', async () => {
      await using other = await testProject({ 'shop.pipeline.ts': shop });
      await other.run(['run', 'shop']);
      await other.run(['store', 'prune', '--days', '0']);
      await other.run(['store', 'backup', 'empty.gz']);
      const url = (await project.run(['store', 'url'])).stdout.trim();
      await using target = await testProject({ 'shop.pipeline.ts': shop });
      const env = { MILLRACE_STORE_URL: (await target.run(['store', 'url'])).stdout.trim() };
      assert.notEqual(env.MILLRACE_STORE_URL, url);
      const { exitCode, stderr } = await target.run(['store', 'restore', join(other.path, 'empty.gz')], {
        env,
      });
      assert.equal(exitCode, 0, stderr);
      const next = await target.run(['run', 'shop', '--json']);
      assert.equal(eventsOf(next.stdout)[0]?.runId, 2);
    });

    it('restores into an empty store only, unless asked', async () => {
      await using other = await testProject({ 'shop.pipeline.ts': shop });
      await other.run(['run', 'shop']);
      await other.run(['run', 'shop']);
      await other.run(['store', 'backup', 'two.gz']);
      await says(
        ['restore', join(other.path, 'two.gz')],
        `The store (embedded Postgres in ${home}) is not empty: it holds 1 run. To replace all that it holds by the backup, say --overwrite.`,
        2,
      );
      await using third = await testProject({ 'shop.pipeline.ts': shop });
      await third.run(['run', 'shop']);
      const { exitCode, stderr } = await third.run([
        'store',
        'restore',
        '--overwrite',
        join(other.path, 'two.gz'),
      ]);
      assert.equal(exitCode, 0, stderr);
      assert.equal((JSON.parse((await third.run(['runs', '--json'])).stdout) as unknown[]).length, 2);
    });

    it('is written while a run goes on, which is lost in the restored store, and not restored over one', async () => {
      await using other = await testProject({ 'shop.pipeline.ts': shop });
      await using run = await other.start(['run', 'slow']);
      await run.until(() => run.stdout.includes('begun'));
      await other.run(['store', 'backup', 'alive.gz']);
      const refused = await other.run(['store', 'restore', '--overwrite', 'alive.gz']);
      assert.equal(
        refused.stderr,
        'millrace: Run 1 is going on. Wait for it, or end it with "millrace cancel 1".\n',
      );
      assert.equal(refused.exitCode, 2);
      await other.write({ go: '' });
      assert.equal((await run.end).exitCode, 0);
      await using target = await testProject({ 'shop.pipeline.ts': shop });
      await target.run(['store', 'restore', join(other.path, 'alive.gz')]);
      const [restored] = JSON.parse((await target.run(['runs', '--json'])).stdout) as { status: string }[];
      assert.equal(restored?.status, 'lost');
    });

    it('replaces a file only by a complete one', async () => {
      await writeFile(join(project.path, 'old.gz'), 'old');
      await symlink('nowhere/file.gz', join(project.path, 'link.gz'));
      const { exitCode } = await project.run(['store', 'backup', 'old.gz']);
      assert.equal(exitCode, 0);
      assert.ok((await contentsOf(join(project.path, 'old.gz'))).header.startsWith('-- millrace backup '));
      const folder = join(project.path, 'missing');
      await says(
        ['backup', 'missing/a.gz'],
        `Cannot write ${join(folder, 'a.gz')}: the folder ${folder} does not exist.`,
        2,
      );
      await project.write({ 'folder/file': '' });
      await says(['backup', 'folder'], `Cannot write ${join(project.path, 'folder')}: it is a folder.`, 2);
      assert.deepEqual(
        (await readdir(project.path)).filter(name => name.endsWith('.tmp')),
        [],
      );
    });

    describe('refuses', () => {
      let empty: TestProject;
      let backup: Buffer;
      before(async () => {
        empty = await testProject({ 'shop.pipeline.ts': shop });
        await project.run(['store', 'backup', 'good.gz']);
        backup = await readFile(join(project.path, 'good.gz'));
      });
      afterEach(async () => {
        const status = await empty.run(['store', 'status', '--json']);
        assert.equal((JSON.parse(status.stdout) as { contents: { runs: number } }).contents.runs, 0);
      });
      after(() => empty[Symbol.asyncDispose]());

      async function refuses(content: Buffer, what: string): Promise<void> {
        const file = join(empty.path, 'bad.gz');
        await writeFile(file, content);
        await says(['restore', 'bad.gz'], `${file} ${what}`, 2, empty);
      }
      const changed = (change: (text: string) => string): Buffer =>
        gzipSync(change(gunzipSync(backup).toString('utf8')));

      it('a file that is not there, and a folder', async () => {
        await says(
          ['restore', 'no.gz'],
          `Cannot read ${join(empty.path, 'no.gz')}: it does not exist.`,
          2,
          empty,
        );
        await empty.write({ 'folder/file': '' });
        await says(
          ['restore', 'folder'],
          `Cannot read ${join(empty.path, 'folder')}: it is a folder.`,
          2,
          empty,
        );
      });

      it('what is no backup', async () => {
        const what = 'is not a backup of Millrace, which "millrace store backup" writes.';
        await refuses(Buffer.from('hello'), what);
        await refuses(gzipSync('hello\n'), what);
        await refuses(gzipSync('x'.repeat(1_000_000)), what);
        await refuses(Buffer.alloc(0), 'is damaged: it ends too early. Nothing was restored.');
      });

      it('one of another version', async () => {
        await refuses(
          changed(text =>
            text
              .replace('"format":1', '"format":2')
              .replace(/"runnerVersion":"[^"]*"/, '"runnerVersion":"9.9.9"'),
          ),
          'was written by a newer Millrace (9.9.9), in a form that this one does not know. Restore it with that one.',
        );
        await refuses(
          changed(text =>
            text
              .replace('"0001_initial"', '"0000_old"')
              .replace(/"runnerVersion":"[^"]*"/, '"runnerVersion":"0.0.9"'),
          ),
          'was written by Millrace 0.0.9, whose store has the schema 0000_old; this Millrace has 0001_initial. ' +
            'Restore it with Millrace 0.0.9; a newer one brings the store up to date when it opens it.',
        );
      });

      it('one that is damaged', async () => {
        await refuses(
          backup.subarray(0, backup.length - 100),
          'is damaged: it ends too early. Nothing was restored.',
        );
        await refuses(
          changed(text => text.slice(0, text.indexOf('\n-- end'))),
          'is damaged: it ends too early. Nothing was restored.',
        );
        await refuses(
          changed(text => text.slice(0, text.length / 2)),
          'is damaged: it ends too early. Nothing was restored.',
        );
        await refuses(
          changed(text =>
            text.replace('\nCOPY millrace.node_output ', '\nCOPY millrace.nothing; DROP TABLE run; '),
          ),
          'is damaged: it has a line that belongs to no table. Nothing was restored.',
        );
        await refuses(
          changed(text => text.replace('\tsucceeded\t', '\tperhaps\t')),
          'is damaged: new row for relation "run" violates check constraint "run_status_check". Nothing was restored.',
        );
        await refuses(
          changed(text => text.replace(/"node_output":\d+/, '"node_output":7')),
          'is damaged: not all rows of node_output are there. Nothing was restored.',
        );
      });
    });
  });

  describe('stop', () => {
    it('stops, says so when it does not run, and is started again by whoever needs it', async () => {
      await using run = await project.start(['run', 'slow']);
      await run.until(() => run.stdout.includes('begun'));
      await says(
        ['stop'],
        `The embedded Postgres in ${home} is in use: a run is going on, or an editor or another client is connected. ` +
          'Close them, or stop it all the same with --force.',
        1,
      );
      await project.write({ go: '' });
      await run.end;
      await says(['stop'], `The embedded Postgres in ${home} is stopped.`);
      await says(['stop'], `The embedded Postgres in ${home} does not run.`);
      const { stdout } = await project.run(['store', 'status']);
      assert.match(stdout, /\nstate {5}stopped; whoever needs it starts it\n/);
      assert.match((await project.run(['runs'])).stdout, /succeeded/);
    });
  });
});
