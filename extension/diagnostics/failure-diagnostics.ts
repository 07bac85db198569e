/** Shows what failed where it was written, until it succeeds. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { formatPath, type NodePath, type SourceLocation } from '../../runner/model.ts';
import type { NodeRunRecord } from '../../runner/records.ts';
import { type Disposes, Paced } from '../events.ts';
import { t } from '../l10n.ts';
import { nodeStatus, type ProjectState } from '../project/project-state.ts';
import { findNode } from '../project/pipeline-index.ts';
import type { Projects } from '../project/projects.ts';
import { Slices } from '../turns.ts';
import { shortError } from '../wording.ts';
import { excerptOfError, namedPlace, namesOfFile, underlined } from './failure-places.ts';

/** Milliseconds between two looks at what has failed. */
const pause = 100;

/** A failure as it is shown: its diagnostics, with the files that they are in. */
interface ShownFailure {
  readonly failure: Failure;
  readonly made: readonly { readonly file: string; readonly diagnostic: vscode.Diagnostic }[];
}

export class FailureDiagnostics implements Disposes {
  readonly #projects: Projects;
  readonly #collection = vscode.languages.createDiagnosticCollection('millrace-runs');
  /** By folder, and there by the path of the node. */
  readonly #shown = new Map<string, ReadonlyMap<string, ShownFailure>>();
  readonly #look = new Paced(pause, () => void this.#update());
  #isUpdating = false;
  #isDisposed = false;

  constructor(projects: Projects) {
    this.#projects = projects;
    projects.onChange(() => {
      this.#look.wish();
    });
    projects.onClosed(({ state }) => {
      this.#clear(state.folder);
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#look.dispose();
    this.#collection.dispose();
  }

  #hasEnded(): boolean {
    return this.#isDisposed;
  }

  /** What failed is new, or made good: a run of thousands of nodes may fail in all of them. */
  async #update(): Promise<void> {
    if (this.#isUpdating) {
      this.#look.wish();
      return;
    }
    this.#isUpdating = true;
    try {
      for (const { folder } of this.#projects.states) await this.#updateFolder(folder);
    } finally {
      this.#isUpdating = false;
    }
  }

  async #updateFolder(folder: string): Promise<void> {
    const state = this.#projects.find(folder)?.state;
    if (state === undefined) return;
    const slices = new Slices();
    const before = this.#shown.get(folder) ?? new Map<string, ShownFailure>();
    const shown = new Map<string, ShownFailure>();
    const files = new Set<string>();
    const disk = new Disk();
    for (const failure of failuresOf(state)) {
      if (slices.isOver) await slices.next();
      const known = before.get(failure.path);
      const isKnown = known !== undefined && isSame(known.failure, failure);
      const now = isKnown ? known : { failure, made: diagnosticsOf(failure, state, disk) };
      shown.set(failure.path, now);
      if (isKnown) continue;
      for (const { file } of [...(known?.made ?? []), ...now.made]) files.add(file);
    }
    for (const [path, { made }] of before) if (!shown.has(path)) for (const { file } of made) files.add(file);
    if (files.size === 0) return;
    // The folder was closed meanwhile.
    if (this.#hasEnded() || this.#projects.find(folder) === undefined) return;
    this.#shown.set(folder, shown);
    const byFile = diagnosticsByFile(shown);
    for (const file of files) {
      if (slices.isOver) await slices.next();
      if (this.#hasEnded()) return;
      // It may have been closed until now, and its diagnostics are gone.
      const diagnostics = this.#shown.get(folder) === shown ? byFile.get(file) : undefined;
      this.#collection.set(vscode.Uri.file(file), diagnostics);
    }
  }

  #clear(folder: string): void {
    for (const file of diagnosticsByFile(this.#shown.get(folder) ?? new Map()).keys())
      this.#collection.delete(vscode.Uri.file(file));
    this.#shown.delete(folder);
  }
}

interface Failure {
  readonly path: string;
  readonly location: SourceLocation;
  readonly error: string;
  readonly runId: number;
}

function isSame(a: Failure, b: Failure): boolean {
  const isThere = (['file', 'line', 'column', 'endLine', 'endColumn'] as const).every(
    part => a.location[part] === b.location[part],
  );
  return isThere && a.runId === b.runId && a.error === b.error;
}

function diagnosticsByFile(shown: ReadonlyMap<string, ShownFailure>): Map<string, vscode.Diagnostic[]> {
  const byFile = new Map<string, vscode.Diagnostic[]>();
  for (const { made } of shown.values())
    for (const { file, diagnostic } of made) {
      const known = byFile.get(file);
      if (known === undefined) byFile.set(file, [diagnostic]);
      else known.push(diagnostic);
    }
  return byFile;
}

/** Tasks whose last outcome is a failure; pipelines fail by their tasks. */
function failuresOf(state: ProjectState): Failure[] {
  const paths = new Map<string, NodePath>();
  const addFailed = (nodeRun: NodeRunRecord | null): void => {
    if (nodeRun?.status === 'failed' && nodeRun.kind !== 'pipeline')
      paths.set(formatPath(nodeRun.nodePath), nodeRun.nodePath);
  };
  for (const { last } of state.figures.values()) addFailed(last);
  for (const { latest } of state.live.values()) for (const nodeRun of latest.values()) addFailed(nodeRun);
  return [...paths].flatMap(([path, nodePath]) => {
    const node = findNode(state.pipelines, nodePath)?.node;
    if (node === undefined || node.kind === 'pipeline' || node.location === undefined) return [];
    const status = nodeStatus(state, nodePath);
    if (status.kind !== 'ended' || status.outcome !== 'failed') return [];
    return { path, location: node.location, error: status.error ?? t('failed'), runId: status.runId };
  });
}

/** At the node, and at the place in another file that the error names. */
function diagnosticsOf(failure: Failure, state: ProjectState, disk: Disk): ShownFailure['made'] {
  const { location, error, runId, path } = failure;
  const range = rangeOf(location, path, disk);
  const own = make(range, excerptOfError(error), runId);
  const made = { file: location.file, diagnostic: own };
  const place = namedPlace(error);
  const file = place === undefined ? undefined : fileOf(place.file, state, location, disk);
  if (place === undefined || file === undefined || file === location.file) return [made];
  const point = pointRange(place.line, place.column);
  own.relatedInformation = [
    new vscode.DiagnosticRelatedInformation(
      new vscode.Location(vscode.Uri.file(file), point),
      shortError(error),
    ),
  ];
  const there = make(point, place.message, runId);
  there.relatedInformation = [
    new vscode.DiagnosticRelatedInformation(
      new vscode.Location(vscode.Uri.file(location.file), range),
      t('The task {0} runs this file', path),
    ),
  ];
  return [{ file, diagnostic: there }, made];
}

function make(range: vscode.Range, message: string, runId: number): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error);
  diagnostic.source = 'millrace';
  diagnostic.code = t('run {0}', runId);
  return diagnostic;
}

/** SQL files are named as the pipeline file names them, or relative to the project. */
function fileOf(
  name: string,
  { directory }: ProjectState,
  { file }: SourceLocation,
  disk: Disk,
): string | undefined {
  if (isAbsolute(name)) return name;
  if (/^[a-z]+$/.test(name)) return undefined;
  const names = namesOfFile(name);
  const candidates = names.flatMap(each => [join(directory, each), join(file, '..', each)]);
  return candidates.find(candidate => disk.isFile(candidate));
}

function rangeOf(location: SourceLocation, path: string, disk: Disk): vscode.Range {
  const { startLine, startColumn, endLine, endColumn } = underlined(
    disk.linesOf(location.file),
    location,
    path.split('/').at(-1) ?? '',
  );
  return new vscode.Range(startLine, startColumn, endLine, endColumn);
}

/** Files as they are now, each of which is looked at once for however many failures. */
class Disk {
  readonly #lines = new Map<string, readonly string[]>();
  readonly #isFile = new Map<string, boolean>();

  linesOf(file: string): readonly string[] {
    let lines = this.#lines.get(file);
    if (lines === undefined) this.#lines.set(file, (lines = readLines(file)));
    return lines;
  }

  isFile(path: string): boolean {
    let isFile = this.#isFile.get(path);
    if (isFile === undefined) {
      isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
      this.#isFile.set(path, isFile);
    }
    return isFile;
  }
}

/** As the editor has it, else as it is on the disk. */
function readLines(file: string): readonly string[] {
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && uri.fsPath === file);
  if (open !== undefined) return open.getText().split(/\r?\n/);
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    // It is gone; the next analysis will say so.
    return [];
  }
}

/** From a place to the end of its word or line; the editor finds where that is. */
function pointRange(line: number, column: number): vscode.Range {
  return new vscode.Range(line - 1, column - 1, line - 1, Number.MAX_SAFE_INTEGER);
}
