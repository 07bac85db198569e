/**
 * U2, the editor: what a user waits for in a real workbench. The first task of a run starts some time after the click;
 * what happens is drawn some time after it has happened; and VS Code says how long it takes to load and activate the
 * extension. Needs code-server and Chromium, like the tests of the workbench.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { waitUntil } from '../support/wait.ts';
import { canRunVscode } from '../workbench/support/vscode.ts';
import { openWorkbench, type Workbench } from '../workbench/support/workbench.ts';
import { BenchProject } from './contestants.ts';
import { printFigure } from './measure.ts';

const rounds = 5;
const tasks = 10;
/** Tasks write down when they begin or end, in seconds since the epoch; not in step with the clock of the side bar. */
const pipelines = `import { Pipeline, RunBash, Task } from 'millrace';

export const click = new Pipeline({ id: 'click' });
click.add(new Task({ id: 'only', commands: [new RunBash('echo $EPOCHREALTIME > began')] }));

export const beat = new Pipeline({ id: 'beat' });
for (let at = 1; at <= ${String(tasks)}; at++)
  beat.add(
    new Task({ id: \`t\${at}\`, commands: [new RunBash(\`sleep \${(0.5 + ((at * 0.37) % 1)).toFixed(2)}; echo $EPOCHREALTIME > ended_\${at}\`)] }),
    at > 1 ? [\`t\${at - 1}\`] : [],
  );
`;

/** @param extension the folder of another build, to compare with */
export async function editor(folder: string, extension?: string): Promise<void> {
  if (!canRunVscode) {
    console.log('\nU2: left out; code-server runs on Linux x64 only');
    return;
  }
  const project = await BenchProject.create(folder, 'u2', pipelines);
  await project.millrace('run', 'click');
  await using workbench = await openWorkbench({
    folder: project.directory,
    env: { MILLRACE_HOME: project.environment['MILLRACE_HOME'] },
    ...(extension !== undefined && { extension: { folder: extension } }),
  });
  await workbench.openSideBar();
  await workbench.row(/^click, pipeline, succeeded/).waitFor();
  console.log('\nU2: the editor');
  printFigure(
    'from the click on Run to the start of its task, s',
    await clicks(workbench, project.directory),
    '≤ 0.4',
  );
  const { sideBar, page } = await beats(workbench, project.directory);
  printFigure('from the end of a task to the side bar, s', sideBar, '≤ 0.3');
  printFigure('from the end of a task to the page of the run, s', page, '≤ 0.3');
  printFigure('loading and activating the extension, s', await activations(workbench), '≤ 0.05');
}

async function clicks({ page, row }: Workbench, directory: string): Promise<number[]> {
  const mark = join(directory, 'began');
  const times: number[] = [];
  const pipeline = row(/^click, pipeline, succeeded/);
  for (let round = 0; round < rounds; round += 1) {
    await rm(mark, { force: true });
    await pipeline.hover();
    const clicked = page.evaluate(
      () =>
        new Promise<number>(resolve => {
          window.addEventListener(
            'click',
            () => {
              resolve((performance.timeOrigin + performance.now()) / 1000);
            },
            { capture: true, once: true },
          );
        }),
    );
    await pipeline.getByRole('button', { name: 'Run', exact: true }).click();
    await waitUntil(async () => (await stampOf(mark)) !== undefined);
    times.push(((await stampOf(mark)) ?? Number.NaN) - (await clicked));
    await row(/^run \d+ click, running/).waitFor({ state: 'detached' });
    await pipeline.waitFor();
  }
  return times;
}

async function beats(
  { page, row, webview }: Workbench,
  directory: string,
): Promise<{ sideBar: number[]; page: number[] }> {
  const beat = row(/^beat, pipeline/);
  const ids = Array.from({ length: tasks }, (_, index) => String(index + 1));
  await beat.hover();
  await beat.getByRole('button', { name: 'Run', exact: true }).click();
  await noteWhenDrawn(
    page.mainFrame(),
    ids.map(id => `.sidebar [aria-label^="t${id}, task, succeeded"]`),
  );
  await row(/^run \d+ beat, running/).click();
  // The end of a task is the begin of the next one.
  const run = await webview(/^Run \d+$/);
  await noteWhenDrawn(
    run,
    ids.map(id => `article[aria-label="t${String(Number(id) + 1)} running"]`),
  );
  await row(/^run \d+ beat, succeeded/).waitFor();
  const ended = await Promise.all(ids.map(id => stampOf(join(directory, `ended_${id}`))));
  // What ended before it was looked for is not known here.
  const after = (drawn: readonly (number | null)[]): number[] =>
    drawn.flatMap((at, index) => (at === null ? [] : [at - (ended[index] ?? Number.NaN)]));
  return { sideBar: after(await drawnTimes(page.mainFrame())), page: after(await drawnTimes(run)) };
}

interface Noting {
  drawnAt: (number | null)[];
}

/** From now on notes when things are painted first, unless they are there already. */
async function noteWhenDrawn(frame: Frame, selectors: readonly string[]): Promise<void> {
  await frame.evaluate(wanted => {
    const drawnAt: (number | null)[] = wanted.map(() => null);
    const isThere = (selector: string): boolean => document.querySelector(selector) !== null;
    const open = new Map(wanted.map((selector, index) => [selector, index]));
    for (const selector of wanted) if (isThere(selector)) open.delete(selector);
    const look = (): void => {
      for (const [selector, index] of open) {
        if (!isThere(selector)) continue;
        open.delete(selector);
        requestAnimationFrame(() => {
          drawnAt[index] = (performance.timeOrigin + performance.now()) / 1000;
        });
      }
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
    Object.assign(window, { drawnAt });
  }, selectors);
}

/** In seconds since the epoch; `null` for what was there before, and what never came. */
async function drawnTimes(frame: Frame): Promise<(number | null)[]> {
  return await frame.evaluate(() => (window as unknown as Noting).drawnAt);
}

/** By VS Code's own account, each in a window that was loaded anew and has an extension host of its own. */
async function activations({ page, runCommand, reload, row }: Workbench): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await reload();
    await row(/^click, pipeline, succeeded/).waitFor();
    await runCommand('Developer: Show Running Extensions');
    const told = await page
      .locator('.runtime-extensions-editor .extension')
      .filter({ hasText: 'Millrace' })
      .locator('.activation-time')
      .innerText();
    times.push(Number(/(\d+)\s*ms/.exec(told)?.[1] ?? Number.NaN) / 1000);
  }
  return times;
}

async function stampOf(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.endsWith('\n') ? Number(text) : undefined;
}
