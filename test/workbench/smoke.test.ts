/** What must work in every VS Code that Millrace supports. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { themeKinds } from './support/themes.ts';
import { useWorkbench } from './support/workbench.ts';

describe('the workbench', () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder();
    await cp(join(import.meta.dirname, '../../examples/demo'), folder.path, { recursive: true });
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({
    folder: folder.path,
    file: join(folder.path, 'demo.pipeline.ts'),
  }));

  it('has a side bar with the pipelines of the folder and their runs', async () => {
    const { openSideBar, view, row } = workbench();
    await openSideBar();
    await view('Pipelines').waitFor();
    await view('Runs').waitFor();
    await row(/^demo/).first().waitFor();
  });

  it('looks the same in every theme', async () => {
    const { setTheme, screenshot } = workbench();
    for (const kind of themeKinds) {
      await setTheme(kind);
      await screenshot('workbench/start');
    }
  });
});
