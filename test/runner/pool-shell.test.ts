import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessEnd } from '../../runner/api/context.ts';
import { PipeSupply } from '../../runner/pool/pipes.ts';
import { groupRuns } from '../../runner/pool/process-group.ts';
import { ShellCoprocess } from '../../runner/pool/shell.ts';
import { commandForm } from '../../runner/pool/shell-command.ts';
import { Shells } from '../../runner/pool/shells.ts';
import { untilGone } from '../fixtures/pool/processes.ts';
import { temporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';

interface Seen extends ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** Commands that a bash of its own and a bash that stays must treat alike. */
const nasty: readonly string[] = [
  'true',
  'false',
  'echo hello world',
  'echo \'single quotes\' "double quotes"',
  'printf %s no-newline',
  'exit 3',
  'exit',
  'exit 300',
  'pwd',
  'cd /tmp',
  'cd /no/such/directory',
  'cd / && pwd',
  'foo_does_not_exist',
  'foo_does_not_exist --with=arguments',
  './not-here',
  '/',
  '/etc/passwd',
  'cat /etc/hostname',
  'cat /no/such/file',
  'sleep 0',
  'test -d /tmp',
  'test',
  '  echo leading blanks',
  'echo trailing   ',
  '',
  '# only a comment',
  'echo a; echo b >&2; echo c',
  'echo "$0 $# $-"',
  'echo "$SHLVL $PWD $OLDPWD"',
  'echo "$BASH_SUBSHELL ${FUNCNAME[0]} ${BASH_SOURCE[0]} $LINENO"',
  'set -o | grep -E "pipefail|monitor|errexit"',
  'false | true',
  'exit 4 | cat',
  'true && false || echo other',
  'exec echo replaced',
  'exec no_such_program_x',
  'set -e; false; echo not reached',
  'set -u; echo $nothing_is_set',
  'echo before; if true',
  'echo before\necho between\nif then',
  'echo "unterminated',
  "echo 'unterminated",
  'cat <<END\nunterminated heredoc',
  'cat <<END\nheredoc $((1 + 1))\nEND',
  'echo $(',
  ')',
  'for i in 1 2 3; do echo $i; done',
  'f() { echo in f; return 5; }; f',
  'kill -9 $$',
  'kill -TERM $$; sleep 5',
  'kill -PIPE $$',
  'exit 137',
  'exit 143',
  'bash -c "kill -9 \\$\\$"; echo "after $?"',
  'bash -c "exit 9"',
  'exec >&-; echo into nothing; exit 6',
  'exec 2>&-; no_such_command_y',
  'echo to the device >/dev/stderr; echo other >/dev/stdout',
  'cat; echo "stdin was empty"',
  'read line; echo "read: $?"',
  'trap "echo trapped" EXIT; echo body',
  'export A=1; env | grep "^A="',
  'eval "echo evaluated"; eval "if"',
  'sleep 0.05 & wait; echo waited',
  'sleep 0.05 & wait $!; echo $?',
  'jobs; echo $?',
  'ulimit -n >/dev/null; echo $?',
  'echo $BASHPID | grep -c .',
  '[ $$ = $BASHPID ]; echo $?',
  'shopt -s extglob; echo @(a|b)',
  'echo {1..5} ~root *nothing*',
  'printf "\\000\\001\\377" | od -c',
  'printf "\\000millrace"',
  'echo >&3',
  'echo >&5; echo >&6; echo >&4',
  'ls /proc/self/fd | wc -l',
  'head -c 300000 /dev/zero | tr "\\0" z',
  'yes | head -n 20000',
  'echo ünïcödé 😀 "${#LANG}"',
  `echo ${'long '.repeat(2000)}`,
  `: ${'x'.repeat(9000)}; echo after a long one`,
];

describe('pool: shell', function () {
  if (process.platform === 'win32') return;
  let pipes: PipeSupply;
  before(() => (pipes = new PipeSupply()));
  after(() => {
    pipes[Symbol.dispose]();
  });

  it('does what a bash of its own does', async function () {
    this.timeout(60_000);
    await using folder = await temporaryFolder();
    using shells = new Shells({ onGroup: () => undefined });
    const different: unknown[] = [];
    for (const command of nasty) {
      const own = await plainBash(command, folder.path);
      const staying = await run(shells, command, folder.path);
      if (JSON.stringify(own) !== JSON.stringify(staying))
        different.push({ command: command.slice(0, 200), own, staying });
    }
    assert.deepEqual(different, []);
  });

  it('runs in its subshell only what cannot be anything but one simple command', () => {
    const forms = Object.fromEntries(
      [
        'true',
        'echo a "b c"',
        'ls -l /tmp',
        './x.sh a=b',
        'A=1 ls',
        'if',
        'eval x',
        'ls *.csv',
        'ls $HOME',
        'a;b',
        'a\nb',
        '',
      ].map(command => [command, commandForm(command)]),
    );
    assert.deepEqual(forms, {
      true: 'builtin',
      'echo a "b c"': 'builtin',
      'ls -l /tmp': 'program',
      './x.sh a=b': 'program',
      'A=1 ls': 'script',
      if: 'script',
      'eval x': 'script',
      'ls *.csv': 'script',
      'ls $HOME': 'script',
      'a;b': 'script',
      'a\nb': 'script',
      '': 'script',
    });
  });

  it('keeps commands apart: directory, environment, variables, output', async () => {
    await using folder = await temporaryFolder({ 'sub/file': '' });
    using coprocess = new ShellCoprocess({ PATH: process.env['PATH'], KEPT: 'yes', GONE: 'no' }, pipes);
    const sub = join(folder.path, 'sub');
    const seen = await runIn(coprocess, 'cd /; X=1; echo "$PWD $A ${GONE-none} $KEPT"', sub, {
      A: 'it\'s $(a) `b` "c"\n',
      GONE: undefined,
    });
    assert.equal(seen.stdout, `/ it's $(a) \`b\` "c"\n none yes\n`);
    assert.equal(
      (await runIn(coprocess, 'echo "$PWD ${A-none} ${X-none} $GONE"', folder.path)).stdout,
      `${folder.path} none none no\n`,
    );
    assert.equal((await runIn(coprocess, 'env', sub, { B: '2' })).stdout.includes('B=2\n'), true);
    assert.equal((await runIn(coprocess, 'printf partial', sub)).stdout, 'partial');
    assert.equal((await runIn(coprocess, 'true', sub)).stdout, '');
  });

  it('says that there is no bash', async () => {
    using coprocess = new ShellCoprocess({ PATH: '/nowhere' }, pipes);
    const nothing = (): void => undefined;
    const { end } = coprocess.start({
      command: 'true',
      cwd: '/',
      env: {},
      output: { stdout: nothing, stderr: nothing },
      onGroup: nothing,
    });
    await assert.rejects(end, {
      message: 'The program "bash" was not found. Is it installed, and on the PATH?',
    });
    assert.equal(coprocess.usable, false);
  });

  it('finds a directory that was made anew', async () => {
    await using folder = await temporaryFolder({ 'sub/old': '' });
    using coprocess = new ShellCoprocess({ PATH: process.env['PATH'] }, pipes);
    const sub = join(folder.path, 'sub');
    await runIn(coprocess, 'true', sub);
    await runIn(coprocess, 'rm -r sub; mkdir sub; touch sub/new', folder.path);
    assert.equal((await runIn(coprocess, 'ls', sub)).stdout, 'new\n');
  });

  it('terminates what a command leaves running in its group, and is replaced then', async () => {
    using coprocess = new ShellCoprocess({ PATH: process.env['PATH'] }, pipes);
    const seen = await runIn(coprocess, 'sleep 4321 & echo "$!"', '/tmp');
    assert.deepEqual({ ...seen, stdout: '' }, { exitCode: 0, signal: null, stdout: '', stderr: '' });
    await untilGone([Number(seen.stdout)]);
    assert.equal(coprocess.usable, false);
  });

  it('starts another bash when the one that stays was killed, and says what happened to the command', async () => {
    const groups = new Set<number>();
    using shells = new Shells({ onGroup: (pgid, alive) => (alive ? groups.add(pgid) : groups.delete(pgid)) });
    assert.equal((await run(shells, 'true', '/tmp')).exitCode, 0);
    const [bash = 0] = groups;
    await assert.rejects(run(shells, `kill -9 ${String(bash)}; sleep 4322`, '/tmp'), {
      message: 'The shell was killed while it ran the command.',
    });
    assert.equal((await run(shells, 'echo again', '/tmp')).stdout, 'again\n');
    assert.equal(groups.size, 1);
    assert.equal(groups.has(bash), false);
  });

  it('signals the whole group, also before it is known', async () => {
    using coprocess = new ShellCoprocess({ PATH: process.env['PATH'] }, pipes);
    let group = 0;
    const program = coprocess.start({
      command: 'sleep 4323 | sleep 4324',
      cwd: '/tmp',
      env: {},
      output: { stdout: () => undefined, stderr: () => undefined },
      onGroup: pgid => (group = pgid),
    });
    program.signal('SIGTERM');
    assert.deepEqual(await program.end, { exitCode: null, signal: 'SIGTERM' });
    await waitUntil(() => !groupRuns(group));
  });

  it('runs commands of any length', async () => {
    using shells = new Shells({ onGroup: () => undefined });
    for (const length of [10_000, 1_000_000]) {
      const seen = await run(
        shells,
        `echo ${'x'.repeat(length)} | wc -c; no_such_z; read a; false | true`,
        '/tmp',
      );
      assert.deepEqual(seen, {
        exitCode: 1,
        signal: null,
        stdout: `${String(length + 1)}\n`,
        stderr: 'bash: line 1: no_such_z: command not found\n',
      });
    }
  });

  it('runs several commands at once', async () => {
    using shells = new Shells({ onGroup: () => undefined });
    const seen = await Promise.all(
      ['a', 'b', 'c'].map(name => run(shells, `sleep 0.05; echo ${name}`, '/tmp')),
    );
    assert.deepEqual(
      seen.map(({ stdout }) => stdout),
      ['a\n', 'b\n', 'c\n'],
    );
  });

  it('uses another shell if told so', async () => {
    using shells = new Shells({ shell: '/bin/sh -e', onGroup: () => undefined });
    assert.deepEqual(await run(shells, 'echo "$0"; false; echo not reached', '/tmp'), {
      exitCode: 1,
      signal: null,
      stdout: '/bin/sh\n',
      stderr: '',
    });
  });

  it('leaves no bash behind', async () => {
    const groups: number[] = [];
    {
      using shells = new Shells({
        onGroup: (pgid, alive) => {
          if (alive) groups.push(pgid);
        },
      });
      await run(shells, 'true', '/tmp');
    }
    await waitUntil(() => !groups.some(groupRuns));
    assert.equal(groups.length, 1);
  });
});

async function run(shells: Shells, command: string, cwd: string): Promise<Seen> {
  return await collect(output => shells.start(command, { cwd, output, onGroup: () => undefined }, {}));
}

async function runIn(
  coprocess: ShellCoprocess,
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Seen> {
  return await collect(output => coprocess.start({ command, cwd, env, output, onGroup: () => undefined }));
}

async function collect(
  start: (output: { stdout(chunk: Buffer): void; stderr(chunk: Buffer): void }) => {
    end: Promise<ProcessEnd>;
  },
): Promise<Seen> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const { end } = start({
    stdout: chunk => void stdout.push(chunk),
    stderr: chunk => void stderr.push(chunk),
  });
  const { exitCode, signal } = await end;
  return {
    exitCode,
    signal,
    stdout: Buffer.concat(stdout).toString('latin1'),
    stderr: withoutIds(Buffer.concat(stderr).toString('latin1')),
  };
}

/** `bash -o pipefail -c`, its output through real pipes, as in a terminal's pipeline. */
async function plainBash(command: string, cwd: string): Promise<Seen> {
  const env = { ...process.env };
  delete env['OLDPWD'];
  await using folder = await temporaryFolder();
  const names = ['out', 'err'].map(name => join(folder.path, name));
  const script =
    'mkfifo "$1.p" "$2.p"; cat "$1.p" >"$1" & cat "$2.p" >"$2" & exec 1>"$1.p" 2>"$2.p"; cd "$3"; unset OLDPWD; ' +
    'exec bash -o pipefail -c "$4"';
  const child = spawn('bash', ['-c', script, 'bash', ...names, cwd, command], {
    stdio: 'ignore',
    env,
    detached: true,
  });
  const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  await waitUntil(() => !groupRuns(child.pid ?? 0));
  const [stdout = '', stderr = ''] = await Promise.all(
    names.map(async name => await readFile(name, 'latin1')),
  );
  return { exitCode, signal, stdout, stderr: withoutIds(stderr) };
}

/** Bash names the process whose end it reports. */
function withoutIds(text: string): string {
  return text.replace(/\d+ (?=Killed )/g, '');
}
