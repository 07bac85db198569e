/**
 * U3, the extension host with a project of 10,000 nodes: the longest stretches in which our code keeps everything else in
 * it waiting, collection of garbage left aside. Needs code-server and Chromium, like U2.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { canRunVscode } from '../workbench/support/vscode.ts';
import { openWorkbench } from '../workbench/support/workbench.ts';
import { BenchProject, doNothing, pipelineFile } from './contestants.ts';
import { HostProfile } from './host-profile.ts';
import { sharedFile, stepsFile, writeProject } from './large-project.ts';
import { independent } from './workloads.ts';

const checkout = join(import.meta.dirname, '..', '..');

/** @param extension the folder of another build, to compare with */
export async function extensionHost(folder: string, extension = checkout): Promise<void> {
  if (!canRunVscode) {
    console.log('\nU3: left out; code-server runs on Linux x64 only');
    return;
  }
  // Its name is the first one: its row is at the top.
  const project = await BenchProject.create(
    folder,
    'a_quick',
    pipelineFile('a_quick', independent(400), doNothing),
  );
  const [file = ''] = writeProject(project.directory, 500, 20);
  const profile = new HostProfile(folder, extension);
  await using workbench = await openWorkbench({
    folder: project.directory,
    env: { MILLRACE_HOME: project.environment['MILLRACE_HOME'] },
    extension: { folder: profile.extension },
  });
  const { page, row, lens } = workbench;
  console.log(
    '\nU3: the extension host with 10,000 nodes, longest stretches of our code, ms (goal: each ≤ 16)',
  );
  const report = async (what: string): Promise<void> => {
    // What comes of it goes on for a while.
    await pause(5000);
    const longest = (await profile.stretches()).sort((a, b) => b - a).slice(0, 5);
    console.log(`  ${what.padEnd(44)} ${longest.map(time => time.toFixed(1).padStart(6)).join(' ')}`);
  };

  await workbench.openSideBar();
  const quick = row(/^a_quick, pipeline/);
  await quick.waitFor();
  await report('start to the first graph');
  await workbench.openFile(file);
  await lens('DAG').first().waitFor();
  await page.locator('.monaco-editor .view-line').first().click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type("pipeline.add(new Task({ id: 'typed' }), ['task_1']);", { delay: 40 });
  await report('typing in a pipeline file');
  await page.keyboard.press('Control+S');
  await report('saving it, with the graph that is loaded then');
  writeFileSync(join(project.directory, sharedFile), stepsFile().replace('Runs ', 'Does '));
  await report('an edit of a file that all import');
  await quick.hover();
  await quick.getByRole('button', { name: 'Run', exact: true }).click();
  await row(/^run \d+ a_quick, succeeded/).waitFor({ timeout: 120_000 });
  await report('a run of 400 tasks');
  for (const name of Array.from(
    { length: 100 },
    (_, index) => `area_${String(index % 10)}/p${String(index)}.pipeline.ts`,
  )) {
    const path = join(project.directory, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll(/\['task_\d+'\]/g, "['never', 'nowhere']"));
  }
  await report('1,800 mistakes in 100 files');
}
