/**
 * How fast the language server is, as its editor sees it: wall time from a message to the answer, in a process of its own;
 * and what memory it takes.
 * `node test/bench/language-server.ts [language-server.js] [files] [nodes per file]`; default: 100 files of 20 nodes, then
 * 500 of 20 (10,000 nodes), and the memory with 1,000 files of 10 nodes. The sources take more memory than the bundle does,
 * because Node strips their types.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipelinesMessage, type PipelinesMessage } from '../../extension/language/protocol.ts';
import { PipelinesInbox } from '../../extension/project/pipeline-index.ts';
import { TestEditor } from '../support/language-server.ts';
import { sharedFile, stepsFile, writeProject } from './large-project.ts';

const edits = 15;
const server = process.argv.find(
  argument => argument.endsWith('.js') && argument.includes('language-server'),
);
const sizes = process.argv.slice(2).map(Number).filter(Number.isFinite);
const [files, nodes] = sizes;
const projects =
  files === undefined
    ? ([
        [100, 20],
        [500, 20],
      ] as const)
    : ([[files, nodes ?? 20]] as const);

for (const [count, size] of projects) {
  console.log(`${String(count)} files, ${String(count * size)} nodes`);
  await measureProject(count, size);
}
const [many, few] = files === undefined ? [1000, 10] : [files, nodes ?? 20];
console.log(
  `${String(many)} files, ${String(many * few)} nodes: megabytes, highest and after ten seconds of rest`,
);
await measureMemory(many, few);

async function measureMemory(count: number, size: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const names = writeProject(directory, count, size);
    await using editor = await TestEditor.open(directory, server === undefined ? {} : { server });
    await editor.ready();
    await reportMemory('first graph', editor);
    for (const [edit, name] of names.slice(0, 5).entries()) {
      const text = readFileSync(join(directory, name), 'utf8');
      await editor.open(name, text);
      await change(editor, name, `${text}pipeline.add(new Task({ id: 'edit_${String(edit)}' }));\n`);
    }
    await reportMemory('five edits', editor);
    await editor.open(sharedFile);
    for (const word of ['Does ', 'Makes ', 'Does '])
      await change(editor, sharedFile, stepsFile().replace('Runs ', word));
    await reportMemory('three edits of a file that all import', editor);
    await editor.end();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Changes a document; waits until the tree is up to date. */
async function change(editor: TestEditor, name: string, text: string): Promise<void> {
  const revision = editor.latest?.revision ?? 0;
  await editor.change(name, text);
  await untilNow(() => (editor.latest?.revision ?? 0) > revision);
}

async function reportMemory(name: string, { pid }: TestEditor): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 10_000));
  console.log(
    `  ${name.padEnd(40)} ${memoryOf(pid, 'VmHWM').toFixed(0).padStart(8)} ${memoryOf(pid).toFixed(0).padStart(8)}`,
  );
}

async function measureProject(count: number, size: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const names = writeProject(directory, count, size);
    const start = performance.now();
    await using editor = await TestEditor.open(directory, server === undefined ? {} : { server });
    await editor.ready();
    report('cold start to the first graph', performance.now() - start);
    const longest = longestTake(editor.messages);
    report('largest message, kB', longest.size / 1000);
    report('longest for a message in the editor', longest.time);
    const times: number[] = [];
    const answers: number[] = [];
    for (let edit = 0; edit < edits; edit++) {
      const name = names[(edit * 7) % names.length] ?? '';
      const text = readFileSync(join(directory, name), 'utf8');
      if (edit < names.length) await editor.open(name, text);
      const isLast = `edit_${String(edit)}`;
      const mistakes = editor.diagnostics(name).length;
      const begin = performance.now();
      await editor.change(name, `${text}pipeline.add(new Task({ id: '${isLast}' }), ['nowhere']);\n`);
      await untilNow(() => editor.diagnostics(name).length > mistakes);
      times.push(performance.now() - begin);
      const asked = performance.now();
      await editor.ask('millrace/lenses', { uri: editor.uri(name) });
      answers.push(performance.now() - asked);
      await editor.change(name, text);
      await untilNow(() => editor.diagnostics(name).length === 0);
    }
    report('edit to tree and diagnostics, median', median(times));
    report('edit to tree and diagnostics, longest', Math.max(...times));
    report('lenses after an edit, median', median(answers));
    await editor.open(sharedFile);
    const sharedTimes: number[] = [];
    for (let edit = 0; edit < 5; edit++) {
      const begin = performance.now();
      await change(editor, sharedFile, stepsFile().replace('Runs ', edit % 2 === 0 ? 'Does ' : 'Makes '));
      sharedTimes.push(performance.now() - begin);
    }
    report('edit of a file that all import, first', sharedTimes[0] ?? NaN);
    report('edit of a file that all import, median', median(sharedTimes));
    await editor.end();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Asks in every turn of the event loop: a bench may keep its processor busy. */
async function untilNow(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve));
}

/** The largest message, and the longest time that the extension host is kept from other things by one. */
function longestTake(messages: readonly PipelinesMessage[]): {
  readonly size: number;
  readonly time: number;
} {
  const inbox = new PipelinesInbox();
  let size = 0;
  let time = 0;
  for (const message of messages) {
    const text = JSON.stringify(message);
    size = Math.max(size, text.length);
    const begin = performance.now();
    const read = pipelinesMessage(JSON.parse(text));
    if (read === undefined) throw new Error('the message is not valid');
    inbox.take(read);
    time = Math.max(time, performance.now() - begin);
  }
  return { size, time };
}

/** @param kind what it has now, or the most that it ever had */
function memoryOf(pid: number, kind: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const [, kilobytes = 'NaN'] = new RegExp(`${kind}:\\s+(\\d+)`).exec(status) ?? [];
  return Number(kilobytes) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function report(name: string, value: number): void {
  console.log(`  ${name.padEnd(40)} ${value.toFixed(1).padStart(8)}`);
}
