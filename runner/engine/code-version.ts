import { execFile } from 'node:child_process';

/** A run must not wait for git to look at every file of a huge work tree. */
const patience = 300;

/**
 * The commit that a directory's work tree stands at, with `-dirty` when tracked files differ from it, which is left out
 * when git needs longer than 0.3 s to find out; `null` outside a repository and without git.
 */
export async function codeVersion(directory: string): Promise<string | null> {
  const described = git(
    directory,
    ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'],
    patience,
  );
  const commit = git(directory, ['rev-parse', 'HEAD'], 10 * patience);
  return (await described) ?? (await commit);
}

function git(directory: string, command: readonly string[], timeout: number): Promise<string | null> {
  return new Promise(resolve => {
    // Without the optional lock: a run must not get in the way of the user's own git.
    const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0' };
    execFile('git', ['-C', directory, ...command], { timeout, env }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : null);
    });
  });
}
