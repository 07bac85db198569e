/** Whatever a project, its data or a server says is text: it runs nothing, links nothing and breaks nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { testProject, type TestProject } from '../support/project.ts';
import { useWorkbench } from './support/workbench.ts';

const attack = `<img src=x onerror="document.title='attacked'">`;
const link = '[click](command:workbench.action.quickOpen)';

/** Strings as JSON, so that no quote gets in the way. */
const pipeline = `import { ExecuteSQL, Pipeline, RunBash, Task } from 'millrace';

export const hostile = new Pipeline({
  id: 'hostile',
  description: ${JSON.stringify(`${attack} ${link} $(alert) **bold** \`code`)},
  labels: { ${JSON.stringify(attack)}: ${JSON.stringify(link)} },
});
hostile.add(new Task({ id: 'says', commands: [new RunBash(${JSON.stringify(
  `printf '%s\\n' '${attack.replaceAll("'", "'\\''")}' '${link}' '\\033]0;attacked\\007'; printf '\\033[31mred\\033[0m \\033[2J\\033[H\\n'; head -c 1000000 /dev/zero | tr '\\0' 'x'; echo`,
)})] }));
hostile.add(new Task({ id: 'fails', commands: [new ExecuteSQL({ sql: ${JSON.stringify(
  `DO $$ BEGIN RAISE EXCEPTION '%', '${link} ${attack.replaceAll("'", "''")} ' || repeat('y', 1000000); END $$`,
)} })] }), ['says']);
`;

describe('hostile text', function () {
  this.timeout(120_000);
  let project: TestProject;
  before(async () => {
    project = await testProject({ 'hostile.pipeline.ts': pipeline });
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({ folder: project.path }));

  it('is text in the side bar, in notifications, lenses and tooltips', async () => {
    const { page, openSideBar, row, runCommand, notification, screenshot } = workbench();
    await openSideBar();
    await row(/^hostile, pipeline/).waitFor();
    await row(/^hostile, pipeline/).hover();
    const hover = page.locator('.monaco-hover').filter({ hasText: 'onerror' });
    await hover.waitFor();
    assert.equal(await hover.locator('img, a').count(), 0);
    await screenshot('hostile/tooltip');
    await runCommand('Millrace: Run All Pipelines');
    await notification('hostile/fails failed').waitFor();
    const message = notification('hostile/fails failed').locator('.notification-list-item-message');
    assert.match((await message.textContent()) ?? '', /\[click\]\u200b\(command:.*<img src=x/);
    assert.equal(await message.locator('a, img').count(), 0);
    assert.ok(((await message.textContent()) ?? '').length < 500);
    await row(/^run 1 everything, failed/).hover();
    await page.locator('.monaco-hover').filter({ hasText: 'Run 1' }).waitFor();
    assert.equal(await page.locator('.monaco-hover a[href^="command:"], .monaco-hover img').count(), 0);
    await screenshot('hostile/failed');
  });

  it('is text on the pages', async () => {
    const { page, row, webview, runCommand, screenshot } = workbench();
    await row(/^run 1 everything, failed/).click();
    const frame = await webview('Run 1');
    for (const part of ['.failure', '.log-line'])
      await frame.locator(part, { hasText: '<img src=x' }).first().waitFor();
    await screenshot('hostile/run-page');
    assert.equal(await frame.locator('img[src="x"], a[href^="command:"]').count(), 0);
    await row(/^hostile, pipeline/).click();
    await page.locator('.monaco-editor .view-line').first().waitFor();
    await runCommand('Millrace: Open DAG and Details');
    const node = await webview('hostile');
    await node.getByText('<img src=x').first().waitFor();
    assert.equal(await node.locator('img[src="x"], a[href^="command:"]').count(), 0);
    await screenshot('hostile/node-page');
    await runCommand('View: Close All Editors');
    assert.notEqual(await page.title(), 'attacked');
  });
});
