/** docs/tutorial.md, from its first to its last command as they are printed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { launchFile } from '../support/millrace.ts';
import { resources, temporaryHome } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';

type Step =
  /** Commands, and lines that their output has in this order. */
  | { readonly kind: 'commands'; readonly text: string; readonly fails: boolean; output: readonly string[] }
  /** A file to write. */
  | { readonly kind: 'file'; readonly name: string; readonly text: string };

/** A block of code, with the line before it. */
const block = /(?:^`([^`\n]+)`:\n\n)?^```(\w+)(?: (\w+))?\n([^]*?)^```$/gm;

function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  for (const [, name, language, mark, text = ''] of page.matchAll(block)) {
    const last = steps.at(-1);
    if (language === 'sh') {
      steps.push({ kind: 'commands', text, fails: mark === 'fails', output: [] });
    } else if (language === 'text') {
      assert(last?.kind === 'commands', `there are no commands before the output ${text}`);
      last.output = text.split('\n').filter(line => line !== '' && line !== '…');
    } else {
      assert(name !== undefined, `no line before it names the file ${text}`);
      steps.push({ kind: 'file', name, text });
    }
  }
  return steps;
}

/** `…` stands for anything. */
function matches(line: string, expected: string): boolean {
  const parts = expected.split('…').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(line);
}

describe('docs/tutorial.md', function () {
  this.timeout(300_000);

  it('does what it says', async () => {
    await using folder = await temporaryFolder({
      'bin/millrace': `#!/bin/sh\nexec '${process.execPath}' '${launchFile}' "$@"\n`,
    });
    const bin = join(folder.path, 'bin');
    await chmod(join(bin, 'millrace'), 0o755);
    const env = {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
      MILLRACE_HOME: await temporaryHome(),
      MILLRACE_STORE_URL: undefined,
      NO_COLOR: '1',
    };
    let cwd = folder.path;
    const steps = stepsOf(await readFile(join(resources, 'docs', 'tutorial.md'), 'utf8'));
    assert(steps.length > 10);
    for (const step of steps) {
      if (step.kind === 'file') {
        await mkdir(dirname(join(cwd, step.name)), { recursive: true });
        await writeFile(join(cwd, step.name), step.text);
        continue;
      }
      const after = join(folder.path, 'directory');
      const { exitCode, output } = await bash(`set -e\n${step.text}\npwd > '${after}'`, cwd, env);
      assert.equal(exitCode === 0, !step.fails, `${step.text}\n${output}`);
      if (exitCode === 0) cwd = (await readFile(after, 'utf8')).trim();
      const lines = output.split('\n').map(line => line.trimEnd());
      let at = -1;
      for (const expected of step.output) {
        const found = lines.findIndex((line, index) => index > at && matches(line, expected));
        assert.notEqual(found, -1, `${step.text}does not print: ${expected}\n${output}`);
        at = found;
      }
    }
  });
});

async function bash(
  script: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  return await new Promise(resolve => {
    execFile('bash', ['-c', `exec 2>&1\n${script}`], { cwd, env, maxBuffer: 50_000_000 }, (error, stdout) => {
      resolve({ exitCode: error === null ? 0 : 1, output: stdout });
    });
  });
}
