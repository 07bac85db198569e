/** Stands in for command line clients of databases that a test cannot have: records how it is called, and answers. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { temporaryFolder } from './temp.ts';

export interface RecordedCall {
  readonly program: string;
  readonly args: readonly string[];
  /** What the program got besides the environment of the test. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

export interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

export interface RecordingClients extends AsyncDisposable {
  /** What the next calls of a program answer. Default: nothing, and success. */
  answer(program: string, answer: Answer): Promise<void>;
  /** The calls since the last time, in their order. */
  calls(): Promise<readonly RecordedCall[]>;
}

const script = `#!/usr/bin/env bash
here="\${BASH_SOURCE[0]}"
name="\${here##*/}"
folder="\${here%/*}/../calls"
call="$(mktemp -d "$folder/$(date +%s%N)-XXXXXX")"
printf '%s' "$name" > "$call/program"
printf '%s\\0' "$@" > "$call/args"
env -0 > "$call/env"
cat > "$call/stdin"
answer="\${here%/*}/../answers/$name"
[ -d "$answer" ] || exit 0
cat "$answer/stdout"
cat "$answer/stderr" >&2
exit "$(cat "$answer/exit")"
`;

/** Puts the programs first in the `PATH` of this process. */
export async function recordingClients(programs: readonly string[]): Promise<RecordingClients> {
  const folder = await temporaryFolder();
  const bin = join(folder.path, 'bin');
  const callsFolder = join(folder.path, 'calls');
  for (const directory of [bin, callsFolder, join(folder.path, 'answers')]) await mkdir(directory);
  for (const program of programs) {
    await writeFile(join(bin, program), script);
    await chmod(join(bin, program), 0o755);
  }
  const before = process.env['PATH'] ?? '';
  process.env['PATH'] = `${bin}${delimiter}${before}`;
  let seen = 0;
  return {
    async answer(program, { stdout = '', stderr = '', exitCode = 0 }) {
      const place = join(folder.path, 'answers', program);
      await mkdir(place, { recursive: true });
      await writeFile(join(place, 'stdout'), stdout);
      await writeFile(join(place, 'stderr'), stderr);
      await writeFile(join(place, 'exit'), String(exitCode));
    },
    async calls() {
      const names = (await readdir(callsFolder)).sort().slice(seen);
      seen += names.length;
      const calls: RecordedCall[] = [];
      for (const name of names) {
        const read = (file: string): Promise<string> => readFile(join(callsFolder, name, file), 'utf8');
        const env = (await read('env')).split('\0').filter(line => line !== '');
        calls.push({
          program: await read('program'),
          args: (await read('args')).split('\0').slice(0, -1),
          env: Object.fromEntries(
            env
              .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
              .filter(
                ([key, value]) =>
                  process.env[key] !== value && !['_', 'SHLVL', 'PWD', 'OLDPWD'].includes(key),
              ),
          ),
          stdin: await read('stdin'),
        });
      }
      return calls;
    },
    async [Symbol.asyncDispose]() {
      process.env['PATH'] = before;
      await folder[Symbol.asyncDispose]();
    },
  };
}
