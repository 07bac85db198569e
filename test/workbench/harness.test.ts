/** What the other tests of the workbench rely on: that nothing escapes the harness. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';
import { accessibilityViolations } from './support/accessibility.ts';
import { themeClasses, themeKinds } from './support/themes.ts';
import { openWorkbench, type Workbench } from './support/workbench.ts';

describe('the harness of the workbench', () => {
  let folder: TemporaryFolder;
  let workbench: Workbench;

  before(async function () {
    this.timeout(180_000);
    folder = await temporaryFolder({ 'notes.txt': 'one\ntwo\n' });
    workbench = await openWorkbench({
      folder: folder.path,
      extension: { folder: fileURLToPath(new URL('../fixtures/probe-extension', import.meta.url)) },
    });
    await workbench.runCommand('Probe: Open');
  });

  after(async () => {
    await workbench[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('runs a command of the palette and sees notifications', async () => {
    await workbench.notification('The probe is open').waitFor();
  });

  it('finds a webview by its title, where the policy holds', async () => {
    const frame = await workbench.webview('Probe');
    await frame.getByRole('heading', { name: 'Probe ran', exact: true }).waitFor();
  });

  it('notices errors of a page, and what the policy has stopped', async () => {
    for (const text of ['an error of the page', 'violates the following Content Security Policy directive'])
      await waitUntil(() => workbench.consoleErrors().some(error => error.includes(text)));
  });

  it('notices a request to another machine, which does not arrive', async () => {
    await waitUntil(() => workbench.requests().length > 0);
    assert.deepEqual(workbench.requests(), ['http://millrace.invalid/outside.png']);
    assert.throws(() => {
      workbench.checkQuiet();
    }, /errors of ours in a console/);
  });

  it('finds what is not accessible', async () => {
    const violations = await accessibilityViolations(await workbench.webview('Probe'));
    assert.ok(
      violations.some(({ rule }) => rule === 'image-alt'),
      JSON.stringify(violations),
    );
  });

  it('changes the theme of an open page', async () => {
    const frame = await workbench.webview('Probe');
    for (const kind of themeKinds) {
      await workbench.setTheme(kind);
      await frame.locator(`body.${themeClasses[kind]}`).waitFor();
    }
  });

  it('opens a file of the folder', async () => {
    await workbench.openFile('notes.txt');
    await workbench.page.locator('.view-line').getByText('two').waitFor();
  });

  it('loads the window again', async () => {
    await workbench.reload();
    await workbench.tab('notes.txt').waitFor();
  });
});
