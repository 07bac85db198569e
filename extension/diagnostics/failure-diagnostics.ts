/** Shows what failed where it was written, until it succeeds. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { formatPath, type SourceLocation } from '../../runner/model.ts';
import type { Disposes } from '../events.ts';
import { t } from '../l10n.ts';
import { nodeStatus, type ProjectState } from '../project/project-state.ts';
import type { Projects } from '../project/projects.ts';
import { shortError } from '../wording.ts';
import { excerptOfError, namedPlace, namesOfFile, underlined } from './failure-places.ts';

export class FailureDiagnostics implements Disposes {
  readonly #projects: Projects;
  readonly #collection = vscode.languages.createDiagnosticCollection('millrace-runs');
  /** What the diagnostics of a folder were made of. */
  readonly #made = new Map<string, string>();
  readonly #files = new Map<string, readonly vscode.Uri[]>();

  constructor(projects: Projects) {
    this.#projects = projects;
    projects.onChange(() => {
      for (const state of this.#projects.states) this.#update(state);
    });
    projects.onClosed(({ state }) => {
      this.#clear(state.folder);
    });
  }

  dispose(): void {
    this.#collection.dispose();
  }

  #update(state: ProjectState): void {
    const failures = failuresOf(state);
    const signature = JSON.stringify(failures);
    if (this.#made.get(state.folder) === signature) return;
    this.#clear(state.folder);
    this.#made.set(state.folder, signature);
    const byFile = new Map<string, vscode.Diagnostic[]>();
    const add = (file: string, diagnostic: vscode.Diagnostic): void => {
      byFile.set(file, [...(byFile.get(file) ?? []), diagnostic]);
    };
    for (const failure of failures) {
      const { location, error, runId, path } = failure;
      const range = rangeOf(location, path);
      const own = make(range, excerptOfError(error), runId);
      const place = namedPlace(error);
      const file = place === undefined ? undefined : fileOf(place.file, state, location);
      if (place !== undefined && file !== undefined && file !== location.file) {
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
        add(file, there);
      }
      add(location.file, own);
    }
    const uris = [...byFile].map(([file, diagnostics]) => {
      const uri = vscode.Uri.file(file);
      this.#collection.set(uri, diagnostics);
      return uri;
    });
    this.#files.set(state.folder, uris);
  }

  #clear(folder: string): void {
    for (const uri of this.#files.get(folder) ?? []) this.#collection.delete(uri);
    this.#files.delete(folder);
    this.#made.delete(folder);
  }
}

interface Failure {
  readonly path: string;
  readonly location: SourceLocation;
  readonly error: string;
  readonly runId: number;
}

/** Tasks whose last outcome is a failure; pipelines fail by their tasks. */
function failuresOf(state: ProjectState): Failure[] {
  const failures: Failure[] = [];
  for (const { node, path } of state.pipelines.byPath.values()) {
    if (node.kind === 'pipeline' || node.location === undefined) continue;
    const status = nodeStatus(state, path);
    if (status.kind !== 'ended' || status.outcome !== 'failed') continue;
    failures.push({
      path: formatPath(path),
      location: node.location,
      error: status.error ?? t('failed'),
      runId: status.runId,
    });
  }
  return failures;
}

function make(range: vscode.Range, message: string, runId: number): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error);
  diagnostic.source = 'millrace';
  diagnostic.code = t('run {0}', runId);
  return diagnostic;
}

/** SQL files are named as the pipeline file names them, or relative to the project. */
function fileOf(name: string, { directory }: ProjectState, { file }: SourceLocation): string | undefined {
  if (isAbsolute(name)) return name;
  if (/^[a-z]+$/.test(name)) return undefined;
  const names = namesOfFile(name);
  const candidates = names.flatMap(each => [join(directory, each), join(file, '..', each)]);
  return candidates.find(candidate => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true);
}

function rangeOf(location: SourceLocation, path: string): vscode.Range {
  const { startLine, startColumn, endLine, endColumn } = underlined(
    linesOf(location.file),
    location,
    path.split('/').at(-1) ?? '',
  );
  return new vscode.Range(startLine, startColumn, endLine, endColumn);
}

/** As the editor has it, else as it is on the disk. */
function linesOf(file: string): string[] {
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
