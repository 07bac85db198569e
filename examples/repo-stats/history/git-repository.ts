import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandContext } from 'millrace';
import { gitLogArguments } from './git-log.ts';
import { Git } from './git.ts';
import type { HistorySource } from './history-source.ts';

/** The history of what is checked out in a git repository. */
export class GitRepository implements HistorySource {
  readonly #git: Git;
  readonly name: string;
  readonly fingerprint: string;
  readonly head: string;

  private constructor(git: Git, name: string, fingerprint: string, head: string) {
    this.#git = git;
    this.name = name;
    this.fingerprint = fingerprint;
    this.head = head;
  }

  static async open(context: CommandContext, directory: string): Promise<GitRepository> {
    const git = new Git(context, directory);
    const gitDirectory = await git.text('rev-parse', '--absolute-git-dir');
    const hasWorkTree = (await git.text('rev-parse', '--is-inside-work-tree')) === 'true';
    const top = hasWorkTree ? await git.text('rev-parse', '--show-toplevel') : undefined;
    const head = await git.textIfAny('rev-parse', '--quiet', '--verify', 'HEAD^{commit}');
    return new GitRepository(git, top ?? gitDirectory, await fingerprint(git, gitDirectory, top), head);
  }

  async knows(head: string): Promise<boolean> {
    return (await this.#git.textIfAny('rev-parse', '--quiet', '--verify', `${head}^{commit}`)) === head;
  }

  async readLog(since: string | undefined, onOutput: (chunk: Buffer) => Promise<void>): Promise<void> {
    if (this.head === '') return;
    await this.#git.stream([...gitLogArguments, ...range(this.head, since)], onOutput);
  }

  async readGoneCommits(since: string, onOutput: (chunk: Buffer) => Promise<void>): Promise<void> {
    await this.#git.stream(['rev-list', ...range(since, this.head)], onOutput);
  }

  async countCommits(): Promise<number> {
    return this.head === '' ? 0 : Number(await this.#git.text('rev-list', '--count', this.head, '--'));
  }
}

/** The commits in the history of `head` that the history of `since` does not have. */
function range(head: string, since = ''): string[] {
  return since === '' ? [head, '--'] : [head, `^${since}`, '--'];
}

/**
 * Everything but the commits that git's numbers depend on: its version and settings, who is who (.mailmap), which
 * files are binary (.gitattributes), and where a history is cut off or patched up (shallow clones, replaced commits).
 */
async function fingerprint(git: Git, gitDirectory: string, top: string | undefined): Promise<string> {
  const settings = '^(diff|i18n|log|mailmap)\\.|^core\\.(attributesfile|bigfilethreshold)$';
  const mailmapBlob = (await git.textIfAny('config', 'mailmap.blob')) || 'HEAD:.mailmap';
  const hash = createHash('sha256').update(
    JSON.stringify([
      gitDirectory,
      await git.text('version'),
      await git.textIfAny('config', '--get-regexp', settings),
      await git.text('for-each-ref', 'refs/replace'),
      // With a work tree its .mailmap counts, committed or not.
      top === undefined ? await git.textIfAny('rev-parse', '--quiet', '--verify', mailmapBlob) : '',
    ]),
  );
  for (const file of await filesThatMatter(git, top)) {
    hash.update(JSON.stringify([file, await contentHash(file)]));
  }
  return hash.digest('hex');
}

async function filesThatMatter(git: Git, top: string | undefined): Promise<string[]> {
  const own = ['info/attributes', 'info/grafts', 'shallow'];
  const paths = [
    ...(await Promise.all(
      own.map(name => git.text('rev-parse', '--path-format=absolute', '--git-path', name)),
    )),
    await git.textIfAny('config', '--type=path', 'mailmap.file'),
    await git.textIfAny('config', '--type=path', 'core.attributesfile'),
  ];
  if (top !== undefined) {
    const attributes = await git.text(
      '-C',
      top,
      'ls-files',
      '-z',
      '--',
      '.gitattributes',
      '**/.gitattributes',
    );
    paths.push(...['.mailmap', ...attributes.split('\0')].map(file => join(top, file)));
  }
  return paths;
}

/** `null` where there is no such file. */
async function contentHash(file: string): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch {
    return null;
  }
}
