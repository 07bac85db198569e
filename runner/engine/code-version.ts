import { execFile } from 'node:child_process';

/**
 * The commit that a directory's work tree stands at, with `-dirty` when tracked files differ from it; `null` outside a
 * repository, without git, or when git takes longer than ten seconds.
 */
export function codeVersion(directory: string): Promise<string | null> {
  return new Promise(resolve => {
    execFile(
      'git',
      ['-C', directory, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'],
      { timeout: 10_000, env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' } },
      (error, stdout) => {
        resolve(error === null ? stdout.trim() : null);
      },
    );
  });
}
