/** `millrace check`: the mistakes that the static analysis finds, without running any code of the project. */
import { statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import type { ReportedMistake } from '../analysis-report.ts';
import { type NodeGraph, parsePath, type SourceLocation } from '../model.ts';
import { exitCodes } from './exit-codes.ts';
import { findInGraph } from './graph-nodes.ts';
import { projectDirectory } from './open-project.ts';
import { analyzeStatically } from './static-analysis.ts';
import { say, type Terminal } from './terminal.ts';

export interface CheckCommandOptions {
  readonly json?: true;
}

export async function checkCommand(
  terminal: Terminal,
  path: string | undefined,
  options: CheckCommandOptions,
): Promise<number> {
  const directory = projectDirectory(terminal);
  const { root, files, mistakes } = await analyzeStatically(directory);
  const concerned = path === undefined ? mistakes : mistakes.filter(filterOf(terminal, root, path));
  const errors = concerned.filter(({ severity }) => severity === 'error').length;
  if (options.json === true) {
    const shown = concerned.map(mistake => ({
      ...place(mistake.location, directory),
      severity: mistake.severity,
      code: mistake.code,
      message: mistake.message,
      related: mistake.related.map(({ location, message }) => ({ ...place(location, directory), message })),
    }));
    terminal.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  } else {
    for (const mistake of concerned) terminal.stdout.write(`${line(mistake, directory)}\n`);
  }
  const scope = path ?? count(files.length, 'pipeline file');
  say(terminal, `${scope}: ${count(errors, 'error')}, ${count(concerned.length - errors, 'warning')}`);
  return errors > 0 ? exitCodes.failed : exitCodes.success;
}

/** `file:line:column: severity: message [code]`, always on one line. */
function line({ location, severity, message, code }: ReportedMistake, directory: string): string {
  const { file, line: at, column } = place(location, directory);
  return `${file}:${at}:${column}: ${severity}: ${message.replace(/\s*\n\s*/g, ' ')} [${code}]`;
}

function place(
  { file, line: first, column = 1, endLine = first, endColumn = column }: SourceLocation,
  directory: string,
): Required<SourceLocation> {
  const name = relative(directory, file);
  const shown = name.startsWith('..') ? file : name.split(sep).join('/');
  return { file: shown, line: first, column, endLine, endColumn };
}

/** Which mistakes a path asks for: those in a file or folder, or those where a node is made. */
function filterOf(terminal: Terminal, root: NodeGraph, path: string): (mistake: ReportedMistake) => boolean {
  const place = resolve(terminal.directory, path);
  const kind = statSync(place, { throwIfNoEntry: false });
  if (kind !== undefined) {
    return ({ location: { file } }) => file === place || file.startsWith(place + sep);
  }
  const files = new Set<string>();
  const visit = (node: NodeGraph): void => {
    for (const { location } of [node, ...(node.commands ?? [])])
      if (location !== undefined) files.add(location.file);
    node.nodes.forEach(visit);
  };
  visit(findInGraph(root, parsePath(path)));
  // A mistake in a file with SQL is related to the task that runs it.
  return ({ location, related }) =>
    files.has(location.file) ||
    (location.file.endsWith('.sql') && related.some(other => files.has(other.location.file)));
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en-US')} ${what}${number === 1 ? '' : 's'}`;
}
