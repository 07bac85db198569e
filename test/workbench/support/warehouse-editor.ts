/** The example warehouse in the real workbench: the project, and what tests and pictures do with it again and again. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import pg from 'pg';
import { warehouseConfig } from '../../../runner/store/embedded/databases.ts';
import { runMillrace } from '../../support/millrace.ts';
import { resources, temporaryHome } from '../../support/store.ts';
import { temporaryFolder } from '../../support/temp.ts';
import type { Workbench } from './workbench.ts';

/** Whatever whoever runs this has set: the embedded warehouse, no real data. */
export const warehouseEnvironment = {
  DWH_URL: '',
  BIGQUERY_PROJECT: '',
  MILLRACE_DATA_DIR: '',
} as const;

export interface WarehouseProject extends AsyncDisposable {
  readonly path: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Replaces text in a file that must have it. */
  change(file: string, from: string, to: string): Promise<void>;
  /**
   * The task of a file waits until the gate is opened: what is seen before is seen of a run that goes on, however fast or
   * slow the machine is.
   *
   * @param file default: that of the last task
   */
  closeGate(file?: string): Promise<Gate>;
}

export interface Gate {
  open(): Promise<void>;
}

/** @param name of its folder, which people see in the title bar */
export async function warehouseProject(name = 'my-warehouse'): Promise<WarehouseProject> {
  await using made = new AsyncDisposableStack();
  const folder = made.use(await temporaryFolder());
  const path = join(folder.path, name);
  const { exitCode, stderr } = await runMillrace(['init', path, '--template', 'warehouse'], {
    cwd: folder.path,
    env: warehouseEnvironment,
  });
  if (exitCode !== 0) throw new Error(stderr);
  const change = async (file: string, from: string, to: string): Promise<void> => {
    const text = await readFile(join(path, file), 'utf8');
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    await writeFile(join(path, file), text.replace(from, to));
  };
  const disposal = made.move();
  return {
    path,
    write: async files => {
      await folder.write(
        Object.fromEntries(Object.entries(files).map(([file, text]) => [join(name, file), text])),
      );
    },
    change,
    closeGate: async (file = 'show_flask.sql') => {
      const home = await temporaryHome();
      const client = new pg.Client(await warehouseConfig({ home, resources, projectDirectory: path }));
      await client.connect();
      let isOpen = false;
      const open = async (): Promise<void> => {
        if (!isOpen) await client.end();
        isOpen = true;
      };
      disposal.defer(open);
      await client.query(`SELECT pg_advisory_lock(${String(gateKey)})`);
      const query = await readFile(join(path, file), 'utf8');
      if (!query.includes(waitAtGate)) await writeFile(join(path, file), `${waitAtGate}\n${query}`);
      return { open };
    },
    [Symbol.asyncDispose]: async () => {
      await disposal.disposeAsync();
    },
  };
}

const gateKey = 20_180_410;
/** A lock that lasts as long as its own transaction. */
const waitAtGate = `DO $$ BEGIN PERFORM pg_advisory_xact_lock(${String(gateKey)}); END $$;`;

const parameters = [
  'bigquery_project',
  'bigquery_days',
  'bigquery_max_gib',
  'sample_days',
  'sample_rows',
  'sample_last_day',
] as const;

/** Answers the questions for parameters, with the defaults but for those given. */
export async function answerParameters(
  { quickInput }: Workbench,
  values: Readonly<Partial<Record<(typeof parameters)[number], string>>> = {},
): Promise<void> {
  for (const [index, name] of parameters.entries()) {
    const title = `Parameter ${String(index + 1)} of ${String(parameters.length)}: ${name}`;
    await quickInput().getByText(title).waitFor();
    const value = values[name];
    if (value !== undefined) await quickInput().locator('input').fill(value);
    await quickInput().locator('input').press('Enter');
  }
  await quickInput().waitFor({ state: 'hidden' });
}

/** The document of a page of ours, as soon as it shows something. */
export async function openPage(workbench: Workbench, title: string | RegExp): Promise<Frame> {
  const frame = await workbench.webview(title);
  await frame.locator('h1').first().waitFor();
  return frame;
}

/** Presses an inline button of a row of the side bar. */
export async function pressInline(workbench: Workbench, row: RegExp, button: string): Promise<void> {
  const found = workbench.row(row).first();
  await found.waitFor();
  await found.hover();
  await found.getByRole('button', { name: button, exact: true }).click();
}

/** Opens or closes a row of a tree. */
export async function toggleRow(workbench: Workbench, row: RegExp): Promise<void> {
  await workbench.row(row).first().locator('.monaco-tl-twistie').click();
}

/** Opens the page of a run by the button of its row. */
export async function openRun(workbench: Workbench, runId: number): Promise<Frame> {
  await pressInline(workbench, new RegExp(`^run ${String(runId)} `), 'Open Run');
  return await openPage(workbench, `Run ${String(runId)}`);
}
