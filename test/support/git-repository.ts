/** Git repositories for tests, made without the settings of the machine. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Settings of the machine and of a hook that may be running would change what git does. */
export const plainGitEnvironment: Readonly<Record<string, string | undefined>> = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.org',
  GIT_COMMITTER_NAME: 'Carl',
  GIT_COMMITTER_EMAIL: 'carl@example.org',
};

export class TestRepository {
  readonly path: string;
  #day = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(path: string): Promise<TestRepository> {
    await mkdir(path, { recursive: true });
    const repository = new TestRepository(path);
    repository.git('init', '--quiet', '--initial-branch=main');
    return repository;
  }

  /** Standard output of a git command; every call is a day later than the one before. */
  git(...args: readonly string[]): Buffer {
    return this.gitWithInput('', ...args);
  }

  gitWithInput(input: string | Buffer, ...args: readonly string[]): Buffer {
    const date = `${String(1_600_000_000 + 86_400 * this.#day++)} +0200`;
    return execFileSync('git', args, {
      cwd: this.path,
      env: { ...process.env, ...plainGitEnvironment, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
      input,
      maxBuffer: 2 ** 30,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  }

  text(...args: readonly string[]): string {
    return this.git(...args)
      .toString('utf8')
      .trimEnd();
  }

  async write(name: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(join(this.path, name)), { recursive: true });
    await writeFile(join(this.path, name), content);
  }

  /** Commits everything in the work tree; `options` are those of `git commit`. */
  commit(message: string, ...options: readonly string[]): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '--allow-empty-message', '--message', message, ...options);
  }

  /** Puts a commit with the tree of HEAD on top of it, however odd its author and message are. */
  commitBytes(author: Buffer | string, message: Buffer | string, headers = ''): void {
    const commit = Buffer.concat([
      Buffer.from(
        `tree ${this.text('rev-parse', 'HEAD^{tree}')}\nparent ${this.text('rev-parse', 'HEAD')}\nauthor `,
      ),
      Buffer.from(author),
      Buffer.from(`\ncommitter Carl <carl@example.org> 1700000000 +0000\n${headers}\n`),
      Buffer.from(message),
    ]);
    const hash = this.gitWithInput(commit, 'hash-object', '-t', 'commit', '-w', '--stdin', '--literally');
    this.git('reset', '--quiet', '--hard', hash.toString('latin1').trim());
  }
}

/** Everything that git allows and that a program could stumble over. */
export async function makeNastyRepository(path: string): Promise<TestRepository> {
  const repository = await TestRepository.create(path);
  const lines = (count: number, word = 'line'): string =>
    Array.from({ length: count }, (_, index) => `${word} ${String(index)}\n`).join('');

  await repository.write('plain.txt', lines(20));
  await repository.write('dir/sub dir/deep.txt', lines(5));
  await repository.write('picture.bin', Buffer.from([0, 1, 2, 0, 255]));
  await repository.write('no newline', 'one\ntwo');
  await repository.write('empty', '');
  repository.commit('Root commit');

  repository.commit('Nothing changes');

  const names = [
    'tab\there',
    'tab at the end\t',
    'two\nlines',
    '\\.',
    'x\n\\.\ny',
    '"quoted"',
    "it's",
    'back\\slash',
    ' blank ',
    'Ünïcode/日本 🚀',
  ];
  for (const name of [
    ...names,
    'commit deadbeef',
    '{a => b}',
    'a => b',
    '-\t-\tbinary',
    '�',
    '�FF',
    '.hidden',
    'x.TAR.gz',
  ]) {
    await repository.write(name, lines(2));
  }
  for (const bytes of ['latin1-\xe4', 'latin1-\xf6', '\xff']) {
    await writeFile(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(bytes, 'latin1')]), 'text\n');
  }
  repository.commit('Odd names\tand a "subject" with \\. and \\N');

  repository.git('mv', 'plain.txt', 'renamed.txt');
  repository.commit('Renamed in place');
  repository.git('mv', 'dir/sub dir/deep.txt', 'dir/flat.txt');
  repository.git('mv', 'tab\there', 'new\ttab\there');
  await repository.write('dir/flat.txt', lines(6));
  repository.commit('Renamed to another directory, and changed');

  await chmod(join(path, 'renamed.txt'), 0o755);
  await symlink('renamed.txt', join(path, 'link'));
  await repository.write('picture.bin', Buffer.from([0, 9, 9]));
  repository.commit('Mode, link, binary');
  repository.git('rm', '--quiet', 'picture.bin', 'no newline', 'empty');
  repository.commit('Deleted');

  await repository.write('.gitattributes', '*.dat binary\n');
  await repository.write('table.dat', lines(9));
  repository.commit('Binary by attribute');

  const longPath = Array.from({ length: 20 }, () => 'long'.repeat(50)).join('/');
  const blob = repository.gitWithInput('x\n', 'hash-object', '-w', '--stdin').toString('latin1').trim();
  const submodule = repository.text('rev-parse', 'HEAD');
  repository.git('update-index', '--add', '--cacheinfo', `100644,${blob},${longPath}`);
  repository.git('update-index', '--add', '--cacheinfo', `160000,${submodule},module`);
  repository.git('commit', '--quiet', '--message', 'A long path and a submodule');

  repository.git('switch', '--quiet', '--create', 'side', 'HEAD~3');
  repository.git('reset', '--quiet', '--hard');
  await repository.write('side.txt', lines(3));
  repository.commit('On a branch', '--author', 'Side <side@example.org>');
  repository.git('switch', '--quiet', '--force', 'main');
  repository.git('merge', '--quiet', '--no-ff', '--message', 'Merge side', 'side');
  repository.git('switch', '--quiet', '--orphan', 'other');
  await repository.write('other.txt', lines(4));
  repository.commit('Another root', '--author', 'Side <side@example.com>');
  repository.git('switch', '--quiet', '--force', 'main');
  repository.git('merge', '--quiet', '--allow-unrelated-histories', '--message', 'Merge other', 'other');
  repository.git('reset', '--quiet', '--hard');

  const author = (name: string, date = '1650000000 +0000'): Buffer =>
    Buffer.from(`${name} <odd@example.org> ${date}`, 'latin1');
  for (const name of [
    '',
    'Tab\tName',
    '"Quo" \'ted\'',
    'Back\\slash \\N \\.',
    '\xe4',
    '\xf6',
    '\xffA',
    '-',
    'NULL',
    '  blanks  ',
    '\x1b[31m',
    '%aN',
  ]) {
    repository.commitBytes(author(name), 'Odd author\n');
  }
  repository.commitBytes(Buffer.from('Jürgen 🚀 <j@example.org> 1650000000 +0000'), 'Unicode\n');
  repository.commitBytes(Buffer.from('� <j@example.org> 1650000000 +0000'), '�\n');
  repository.commitBytes(author('J\xfcrgen'), Buffer.from('S\xfcbject\n', 'latin1'), 'encoding ISO-8859-1\n');
  repository.commitBytes('Nobody', 'No e-mail, no date\n');
  repository.commitBytes('No name <> ', 'No date\n');
  for (const date of [
    '-315619200 +0000',
    '0 +0000',
    '4102444800 +1400',
    '99999999999 -1200',
    '999999999999999 +0000',
    '99999999999999999999999 +0000',
    '1650000000 +051800',
    '1650000000 -0330',
    '1650000000 junk',
    '1650000000',
  ]) {
    repository.commitBytes(author('Date', date), 'Odd date\n');
  }
  for (const message of [
    '',
    '\n\n',
    'two\nlines\n\nbody\n',
    'tab\tand \\t \\\\ \\. "quotes" \'single\' \r return\n',
    '\xff\xfe invalid \xc3',
    'control \x01\x07\x1b[0m',
    'nul \0 byte',
    'commit 0123456789abcdef',
    '1\t1\tpath',
  ]) {
    repository.commitBytes(author('Message'), Buffer.from(message, 'latin1'));
  }

  await repository.write(
    '.mailmap',
    'Ann Real <ann@real.example> <ann@example.org>\nSide Real <side@example.com>\n',
  );
  repository.commit('Who is who');
  return repository;
}
