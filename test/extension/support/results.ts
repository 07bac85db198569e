/** What the half of the tests inside the extension host tells the half outside, as a file. */
import { readFile } from 'node:fs/promises';

export interface TestResult {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'pending';
  /** Message and stack. */
  readonly error?: string;
}

export interface TestResults {
  /** Version of VS Code and of its Node. */
  readonly host: string;
  readonly tests: readonly TestResult[];
}

export async function readResults(file: string): Promise<TestResults> {
  return JSON.parse(await readFile(file, 'utf8')) as TestResults;
}
