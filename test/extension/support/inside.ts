/** Runs mocha inside the extension host: VS Code loads the bundle of the tests and calls its `run`. */
import { writeFile } from 'node:fs/promises';
import Mocha from 'mocha';
import * as vscode from 'vscode';
import { stopSharedServer } from '../../support/store.ts';
import type { TestResult, TestResults } from './results.ts';

/** @param load evaluates the test files; mocha's functions are there by then */
export async function runInside(load: () => void): Promise<void> {
  const file = process.env['MILLRACE_TEST_RESULTS'];
  if (file === undefined) throw new Error('MILLRACE_TEST_RESULTS names no file for the results');
  const grep = process.env['MILLRACE_TEST_GREP'];
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: 60_000,
    forbidOnly: true,
    reporter: class extends Mocha.reporters.Base {},
    ...(grep === undefined ? {} : { grep }),
  });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  load();
  const tests: TestResult[] = [];
  const failures = await new Promise<number>(resolve => {
    mocha
      .run(resolve)
      .on('pass', test => tests.push({ title: test.fullTitle(), state: 'passed' }))
      .on('pending', test => tests.push({ title: test.fullTitle(), state: 'pending' }))
      .on('fail', (test, error: unknown) =>
        tests.push({ title: test.fullTitle(), state: 'failed', error: text(error) }),
      );
  });
  await stopSharedServer();
  const results: TestResults = { host: `VS Code ${vscode.version}, Node ${process.version}`, tests };
  await writeFile(file, JSON.stringify(results));
  if (failures > 0) throw new Error(`${failures} of ${tests.length} tests failed`);
}

function text(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? '';
  return stack.includes(error.message) ? stack : `${error.message}\n${stack}`;
}
