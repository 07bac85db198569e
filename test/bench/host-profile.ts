/** For how long our code keeps the extension host from everything else, by its own profiler. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';

interface Profile {
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
  /** When slices of long work began, by the same clock as `startTime`. */
  readonly slices: readonly number[];
}

/**
 * Loaded in place of the extension, which it loads in turn. It has priority over everything else where that is allowed: to
 * wait for a processor is not what is measured. What it starts has not.
 */
const probe = (socket: string): string => `
const { execFileSync } = require('node:child_process');
const { Session } = require('node:inspector/promises');
const session = new Session();
session.connect();
let slices = [];
const later = setImmediate;
globalThis.setImmediate = (call, ...args) =>
  later(() => {
    slices.push(Number(process.hrtime.bigint() / 1000n));
    call(...args);
  });
const begin = async () => {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 300 });
  await session.post('Profiler.start');
  try {
    execFileSync('chrt', ['-a', '-R', '-f', '-p', '10', String(process.pid)], { stdio: 'ignore' });
  } catch {}
};
let begun = begin();
require('node:net')
  .createServer(async connection => {
    await begun;
    const { profile } = await session.post('Profiler.stop');
    connection.end(JSON.stringify({ ...profile, slices }));
    slices = [];
    begun = begin();
  })
  .listen(${JSON.stringify(socket)})
  .unref();
module.exports = require('./dist/extension.cjs');
`;

export class HostProfile {
  /** The extension to start a workbench with. */
  readonly extension: string;
  readonly #socket: string;

  /** @param extension the folder of the extension, built */
  constructor(folder: string, extension: string) {
    this.extension = join(folder, 'profiled');
    this.#socket = join(folder, 'profile');
    mkdirSync(this.extension);
    for (const name of readdirSync(extension))
      if (name !== 'package.json') symlinkSync(resolve(extension, name), join(this.extension, name));
    const manifest = JSON.parse(readFileSync(join(extension, 'package.json'), 'utf8')) as object;
    writeFileSync(
      join(this.extension, 'package.json'),
      JSON.stringify({ ...manifest, main: './profile.cjs' }),
    );
    writeFileSync(join(this.extension, 'profile.cjs'), probe(this.#socket));
  }

  /** Milliseconds of the stretches in which our code was at work since the last time, without garbage collection. */
  async stretches(): Promise<number[]> {
    const chunks: Buffer[] = [];
    for await (const chunk of connect(this.#socket)) chunks.push(chunk as Buffer);
    return stretchesOf(JSON.parse(Buffer.concat(chunks).toString()) as Profile);
  }
}

function stretchesOf({ nodes, samples, timeDeltas, startTime, slices }: Profile): number[] {
  const ours = new Set<number>();
  const collections = new Set<number>();
  // Parents come before their children.
  for (const { id, children = [], callFrame } of nodes) {
    if (/\/(?:extension|language-client|page-message)\.cjs$/.test(callFrame.url)) ours.add(id);
    if (ours.has(id)) for (const child of children) ours.add(child);
    if (callFrame.functionName === '(garbage collector)') collections.add(id);
  }
  const found: number[] = [];
  let current = 0;
  let time = startTime;
  let slice = 0;
  for (const [index, sample] of samples.entries()) {
    time += timeDeltas[index] ?? 0;
    const isNewSlice = (slices[slice] ?? Infinity) <= time;
    while ((slices[slice] ?? Infinity) <= time) slice += 1;
    if (current > 0 && (isNewSlice || !(ours.has(sample) || collections.has(sample)))) {
      found.push(current);
      current = 0;
    }
    if (ours.has(sample)) current += (timeDeltas[index + 1] ?? 0) / 1000;
  }
  return [...found, current];
}
