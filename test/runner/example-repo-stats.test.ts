import assert from 'node:assert/strict';
import { cp, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { type Commit, type FileChange, GitLogParser } from '../../examples/repo-stats/history/git-log.ts';
import { toText } from '../../examples/repo-stats/history/text.ts';
import { warehouseConfig } from '../../runner/store/embedded/databases.ts';
import { makeNastyRepository, plainGitEnvironment, TestRepository } from '../support/git-repository.ts';
import { runMillrace } from '../support/millrace.ts';
import { resources, temporaryHome } from '../support/store.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';

/** Lines added and deleted, and in how many changes. */
type FileTotals = Readonly<Record<string, readonly [added: number, deleted: number, changes: number]>>;

/** What git says itself, and what the result tables should say. */
interface Statistics {
  readonly authors: Readonly<Record<string, number>>;
  readonly weeks: Readonly<Record<string, number>>;
  readonly files: FileTotals;
  readonly subjects: Readonly<Record<string, string>>;
  readonly merges: number;
  readonly hotSpots: readonly (readonly [path: string, churn: number])[];
}

const reading = /New commits: \d+, with changed files: \d+\. Commits that are gone: \d+/;

describe('examples/repo-stats', function () {
  this.timeout(120_000);
  let folder: TemporaryFolder;
  let project: string;

  before(async () => {
    folder = await temporaryFolder();
    project = join(folder.path, 'project');
    await cp(join(resources, 'examples', 'repo-stats'), project, {
      recursive: true,
      filter: source => !/[\\/](?:data|node_modules|\.millrace)$/.test(source),
    });
  });

  after(() => folder[Symbol.asyncDispose]());

  async function run(
    repository: string | undefined,
    args: readonly string[] = ['repo_stats'],
  ): Promise<string> {
    const end = await runMillrace(['run', ...args], {
      cwd: project,
      env: { ...plainGitEnvironment, REPO_STATS_REPOSITORY: repository },
    });
    assert.equal(end.exitCode, 0, end.stdout + end.stderr);
    return end.stdout;
  }

  /** Runs everything, compares with git, and gives the line that says what was read. */
  async function runAndCompare(repository: TestRepository): Promise<string> {
    const output = await run(repository.path);
    assert.deepEqual(await resultTables(project), expected(repository));
    return reading.exec(output)?.[0] ?? output;
  }

  describe('gives the numbers of git', () => {
    it('for a repository with everything that git allows', async () => {
      const repository = await makeNastyRepository(join(folder.path, 'nasty'));
      await runAndCompare(repository);
    });

    it('for the repository of this example', async function () {
      if (!existsSync(join(resources, '.git'))) this.skip();
      const clone = await TestRepository.create(join(folder.path, 'clone'));
      clone.git('pull', '--quiet', resources, 'HEAD');
      await runAndCompare(clone);
    });

    it('for a repository without commits', async () => {
      const repository = await TestRepository.create(join(folder.path, 'empty'));
      const line = await runAndCompare(repository);
      assert.equal(line, 'New commits: 0, with changed files: 0. Commits that are gone: 0');
    });

    it('for a shallow clone, also when its history grows backwards', async () => {
      const origin = await TestRepository.create(join(folder.path, 'origin'));
      for (const name of ['one', 'two', 'three', 'four']) {
        await origin.write('file', `${name}\n`);
        origin.commit(name);
      }
      const shallow = await TestRepository.create(join(folder.path, 'shallow'));
      shallow.git('pull', '--quiet', '--depth=2', `file://${origin.path}`, 'main');
      assert.equal(
        await runAndCompare(shallow),
        'New commits: 2, with changed files: 2. Commits that are gone: 0',
      );
      shallow.git('fetch', '--quiet', '--unshallow', `file://${origin.path}`, 'main');
      assert.equal(
        await runAndCompare(shallow),
        'New commits: 4, with changed files: 4. Commits that are gone: 0',
      );
    });
  });

  describe('reads only what is new', () => {
    let repository: TestRepository;

    before(async () => {
      repository = await TestRepository.create(join(folder.path, 'growing'));
      for (const name of ['one', 'two', 'three', 'four']) {
        await repository.write(name, 'text\n');
        repository.commit(name);
      }
      await run(repository.path);
    });

    it('when nothing is new', async () => {
      assert.equal(
        await runAndCompare(repository),
        'New commits: 0, with changed files: 0. Commits that are gone: 0',
      );
    });

    it('when there are new commits', async () => {
      for (const name of ['five', 'six']) {
        await repository.write(name, 'text\nmore text\n');
        repository.commit(name, '--author', `${name} <new@example.org>`);
      }
      assert.equal(
        await runAndCompare(repository),
        'New commits: 2, with changed files: 2. Commits that are gone: 0',
      );
    });

    it('after a commit was amended', async () => {
      await repository.write('six', 'amended\n');
      repository.git('commit', '--quiet', '--all', '--amend', '--message', 'six, amended');
      assert.equal(
        await runAndCompare(repository),
        'New commits: 1, with changed files: 1. Commits that are gone: 1',
      );
    });

    it('after a rebase', async () => {
      repository.git('switch', '--quiet', '--create', 'topic', 'HEAD~2');
      await repository.write('topic', 'text\n');
      repository.commit('topic');
      repository.git('rebase', '--quiet', 'topic', 'main');
      assert.equal(
        await runAndCompare(repository),
        'New commits: 3, with changed files: 3. Commits that are gone: 2',
      );
    });

    it('after history was thrown away for good', async () => {
      repository.git('reset', '--quiet', '--hard', 'topic~1');
      repository.git('branch', '--quiet', '--delete', '--force', 'topic');
      repository.git('reflog', 'expire', '--all', '--expire=now');
      repository.git('gc', '--quiet', '--prune=now');
      assert.equal(
        await runAndCompare(repository),
        'New commits: 4, with changed files: 4. Commits that are gone: 0',
      );
    });

    it('but everything when people or files are told apart in another way', async () => {
      await repository.write('.mailmap', 'Ann Real <ann@real.example> <ann@example.org>\n');
      assert.equal(
        await runAndCompare(repository),
        'New commits: 4, with changed files: 4. Commits that are gone: 0',
      );
      await repository.write('.gitattributes', 'one binary\n');
      repository.commit('attributes');
      assert.equal(
        await runAndCompare(repository),
        'New commits: 5, with changed files: 6. Commits that are gone: 0',
      );
    });

    it('from any state that a stopped run leaves', async () => {
      await repository.write('seven', 'text\n');
      repository.commit('seven');
      await run(repository.path, ['repo_stats/load_history/read_history']);
      assert.equal(
        await runAndCompare(repository),
        'New commits: 1, with changed files: 1. Commits that are gone: 0',
      );

      repository.git('commit', '--quiet', '--amend', '--message', 'seven, amended');
      await run(repository.path, ['repo_stats/load_history/read_history']);
      await run(repository.path, ['repo_stats/load_history/load_files']);
      await run(repository.path, ['repo_stats/load_history/load_files']);
      await run(repository.path, ['repo_stats/load_history/apply_read']);
      await run(repository.path, ['repo_stats/load_history/apply_read']);
      await run(repository.path, ['repo_stats/dimensions']);
      assert.equal(
        await runAndCompare(repository),
        'New commits: 0, with changed files: 0. Commits that are gone: 0',
      );
    });

    it('and refuses to count files that were loaded in part', async () => {
      await repository.write('eight', 'text\n');
      repository.commit('eight');
      await run(repository.path, ['repo_stats/load_history/read_history']);
      const { exitCode, stdout } = await runMillrace(['run', 'repo_stats/load_history/apply_read'], {
        cwd: project,
      });
      assert.equal(exitCode, 1);
      assert.match(
        stdout,
        /The loaded files are not what was read from git: 0 of 1 commits, 0 of 1 file changes, 0 of 0 removed commits/,
      );
      await runAndCompare(repository);
    });
  });

  it('shows the sample history where there is no repository', async () => {
    const output = await run(undefined);
    assert.match(output, /the sample history, 334 commits, 5 authors, 12 files/);
    assert.match(await run(undefined), /New commits: 0, with changed files: 0\. Commits that are gone: 0/);
    assert.ok((await stat(join(project, 'history', 'sample', 'history.log.gz'))).size < 50_000);
  });

  it('says when the named repository is none', async () => {
    const { exitCode, stdout } = await runMillrace(
      ['run', 'repo_stats', '--param', `repository=${folder.path}`],
      {
        cwd: project,
        env: plainGitEnvironment,
      },
    );
    assert.equal(exitCode, 1);
    assert.match(stdout, /fatal: not a git repository/);
  });
});

describe('examples/repo-stats: reading git log', () => {
  const log = Buffer.from(
    'commit 0a\x0001 02\0Ann\0ann@x\x001700000000 -0130\0Merge\0' +
      'commit 0b\0\0commit \0\0\x001\t2\tsubject\0\n' +
      '1\t2\tends with a tab\t\0-\t-\tbinary\x003\t0\t\0old\0commit new\x00',
  );
  const read = (chunks: readonly Buffer[]): (Commit | FileChange)[] => {
    const parser = new GitLogParser();
    const records = chunks.flatMap(chunk => [...parser.read(chunk)]);
    parser.end();
    return records;
  };
  const change = { kind: 'change', commitHash: '0b', renamedFrom: undefined } as const;

  it('tells commits, files and renames apart', () => {
    assert.deepEqual(read([log]), [
      {
        kind: 'commit',
        hash: '0a',
        parentCount: 2,
        authorName: 'Ann',
        authorEmail: 'ann@x',
        authorDate: { seconds: 1_700_000_000n, utcOffset: -90 },
        subject: 'Merge',
      },
      {
        kind: 'commit',
        hash: '0b',
        parentCount: 0,
        authorName: 'commit ',
        authorEmail: '',
        authorDate: undefined,
        subject: '1\t2\tsubject',
      },
      { ...change, position: 1, path: 'ends with a tab\t', linesAdded: 1n, linesDeleted: 2n },
      { ...change, position: 2, path: 'binary', linesAdded: undefined, linesDeleted: undefined },
      { ...change, position: 3, path: 'commit new', renamedFrom: 'old', linesAdded: 3n, linesDeleted: 0n },
    ]);
  });

  it('gives the same however the output is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(log.length), { maxLength: 12 }), cuts => {
        const places = [0, ...cuts.sort((a, b) => a - b), log.length];
        const chunks = places.slice(1).map((end, index) => log.subarray(places[index], end));
        assert.deepEqual(read(chunks), read([log]));
      }),
    );
  });

  it('does not take a part for the whole', () => {
    for (const end of [3, 10, log.length - 1]) {
      assert.throws(() => read([log.subarray(0, end)]), {
        message: 'The output of git log ends in the middle of a commit.',
      });
    }
  });

  it('keeps different bytes different, and UTF-8 as it is', () => {
    const bytes = fc
      .array(fc.constantFrom(0x41, 0x46, 0xff, 0xe4, 0xc3, 0xa4, 0xef, 0xbf, 0xbd, 0xf0), { maxLength: 8 })
      .map(values => Buffer.from(values));
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        assert.equal(toText(one) === toText(other), one.equals(other));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        fc.pre(!text.includes('\ufffd'));
        assert.equal(toText(Buffer.from(text)), text);
      }),
    );
    assert.equal(toText(Buffer.from('a\xe4\xfcb', 'latin1')), 'a\ufffdE4\ufffdFCb');
  });
});

function expected(repository: TestRepository): Statistics {
  if (repository.text('rev-list', '--all', '--max-count=1') === '') {
    return { authors: {}, weeks: {}, files: {}, subjects: {}, merges: 0, hotSpots: [] };
  }
  const authors: Record<string, number> = {};
  for (const line of linesOf(repository.git('shortlog', '-sn', 'HEAD'))) {
    const [, count, name = ''] = /^ *(\d+)\t(.*)$/s.exec(line) ?? [];
    authors[name] = Number(count);
  }
  const weeks: Record<string, number> = {};
  for (const line of linesOf(repository.git('log', '--format=%ad', '--date=raw'))) {
    const week = weekOf(line);
    weeks[week] = (weeks[week] ?? 0) + 1;
  }
  const files: Record<string, [number, number, number]> = {};
  for (const { added, deleted, path } of changedFiles(repository)) {
    const totals = (files[path] ??= [0, 0, 0]);
    totals[0] += added;
    totals[1] += deleted;
    totals[2] += 1;
  }
  // The same sums once more, from what people see.
  const sums = [0, 0, 0];
  for (const line of linesOf(repository.git('log', '--numstat', '--format='))) {
    const [added = '', deleted = ''] = line.split('\t');
    for (const [index, count] of [added, deleted, '1'].entries()) {
      sums[index] = (sums[index] ?? 0) + (count === '-' ? 0 : Number(count));
    }
  }
  for (const index of [0, 1, 2] as const) {
    assert.equal(
      Object.values(files).reduce((sum, totals) => sum + totals[index], 0),
      sums[index],
    );
  }
  const subjects: Record<string, string> = {};
  for (const record of splitAt(repository.git('log', '-z', '--format=%H %s'), 0)) {
    const at = record.indexOf(' ');
    subjects[record.toString('latin1', 0, at)] = toText(record.subarray(at + 1));
  }
  const merges = Number(repository.text('rev-list', '--merges', '--count', 'HEAD'));
  const hotSpots = Object.entries(files)
    .map(([path, [added, deleted]]) => [path, added + deleted] as const)
    .sort(
      ([path, churn], [otherPath, otherChurn]) =>
        otherChurn - churn || Buffer.compare(Buffer.from(path), Buffer.from(otherPath)),
    )
    .slice(0, 100);
  return { authors, weeks, files, subjects, merges, hotSpots };
}

function* changedFiles(
  repository: TestRepository,
): Generator<{ added: number; deleted: number; path: string }> {
  const values = splitAt(repository.git('log', '-z', '--numstat', '--format='), 0).values();
  for (const value of values) {
    const [head = '', added, deleted] = /^\n*(\d+|-)\t(\d+|-)\t/.exec(value.toString('latin1')) ?? [];
    if (head === '') continue;
    const count = (text = ''): number => (text === '-' ? 0 : Number(text));
    let path = value.subarray(head.length);
    if (path.length === 0) {
      values.next();
      path = values.next().value ?? path;
    }
    yield { added: count(added), deleted: count(deleted), path: toText(path) };
  }
}

/** The Monday of a date as `git log --date=raw` prints it. */
function weekOf(date: string): string {
  const [, seconds, sign, zone = ''] = /^(\d+) ([+-])(\d+)$/.exec(date) ?? [];
  if (seconds === undefined || Number(seconds) > 253_402_300_799) return 'unknown';
  const offset = (Number(zone.slice(0, -2)) * 60 + Number(zone.slice(-2))) * (sign === '-' ? -60 : 60);
  const day = Math.floor((Number(seconds) + offset) / 86_400);
  const monday = day - ((((day + 3) % 7) + 7) % 7);
  return new Date(monday * 86_400_000).toISOString().slice(0, 10);
}

function linesOf(output: Buffer): string[] {
  return splitAt(output, 10).map(toText);
}

function splitAt(bytes: Buffer, separator: number): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(separator); end !== -1; end = bytes.indexOf(separator, start)) {
    parts.push(bytes.subarray(start, end));
    start = end + 1;
  }
  if (start < bytes.length) parts.push(bytes.subarray(start));
  return parts;
}

async function resultTables(project: string): Promise<Statistics> {
  const statistics = `
    SELECT json_build_object(
      'authors', (SELECT coalesce(json_object_agg(name, commits), '{}') FROM repo_stats.author_activity),
      'weeks', (
        SELECT coalesce(json_object_agg(coalesce(week::text, 'unknown'), commits), '{}') FROM repo_stats.commits_per_week
      ),
      'files', (
        SELECT coalesce(json_object_agg(path, json_build_array(added, deleted, changes)), '{}')
        FROM (
          SELECT path, sum(lines_added) AS added, sum(lines_deleted) AS deleted, count(*) AS changes
          FROM repo_stats.file_change JOIN repo_stats.file USING (file_id)
          GROUP BY path
        ) AS file
      ),
      'subjects', (SELECT coalesce(json_object_agg(hash, subject), '{}') FROM repo_stats.commit),
      'merges', (SELECT count(*) FROM repo_stats.commit WHERE is_merge),
      'hotSpots', (SELECT coalesce(json_agg(json_build_array(path, churn) ORDER BY rank), '[]') FROM repo_stats.hot_spot)
    ) AS statistics`;
  const home = await temporaryHome();
  const client = new pg.Client(await warehouseConfig({ home, resources, projectDirectory: project }));
  await client.connect();
  try {
    const { rows } = await client.query<{ statistics: Statistics }>(statistics);
    assert.ok(rows[0]);
    return rows[0].statistics;
  } finally {
    await client.end();
  }
}
