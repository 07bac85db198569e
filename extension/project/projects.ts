/** The projects of the window: one for each workspace folder. */
import * as vscode from 'vscode';
import type { RunRecord } from '../../runner/records.ts';
import { type Disposes, Emitter, type Log, Paced } from '../events.ts';
import type { PipelinesMessage } from '../language/protocol.ts';
import type { Processes } from '../processes.ts';
import { concernsProcesses } from '../settings.ts';
import { isGoingOn } from './live-run.ts';
import { hasMoreThan } from './pipeline-index.ts';
import { Project } from './project.ts';
import type { ProjectState } from './project-state.ts';

/** Milliseconds between looks at the clock: while something runs, while ages grow by the second, and by the minute. */
const beat = { live: 1000, fresh: 5000, idle: 30_000 };
/** With more nodes than this, drawing every age anew every few seconds is too much. */
const fewNodes = 200;
/** Ages below this are told in seconds. */
const fresh = 60_000;

export class Projects implements Disposes {
  readonly #processes: Processes;
  readonly #log: Log;
  readonly #byFolder = new Map<string, Project>();
  readonly #disposables: vscode.Disposable[] = [];
  readonly #opened: Emitter<Project>;
  readonly #closed: Emitter<Project>;
  readonly #changes: Emitter<undefined>;
  readonly #ended: Emitter<{ readonly project: Project; readonly run: RunRecord }>;
  readonly #announce: Paced;
  #clock: NodeJS.Timeout | undefined;

  constructor(processes: Processes, log: Log) {
    this.#processes = processes;
    this.#log = log;
    const onFault = (error: unknown): void => {
      log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    };
    this.#opened = new Emitter(onFault);
    this.#closed = new Emitter(onFault);
    this.#changes = new Emitter(onFault);
    this.#ended = new Emitter(onFault);
    this.#announce = new Paced(20, () => {
      this.#changes.fire(undefined);
      this.#wind();
    });
    this.#disposables.push(
      vscode.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        for (const folder of removed) this.#close(folder);
        for (const folder of added) this.#open(folder);
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        for (const project of this.all) project.restart(true);
      }),
      vscode.workspace.onDidChangeConfiguration(event => {
        for (const project of this.all)
          if (concernsProcesses(event, vscode.Uri.parse(project.state.folder)))
            project.restart(project.state.trusted);
      }),
    );
  }

  /** Looks at the folders that are open; listeners are there by now. */
  begin(): void {
    for (const folder of vscode.workspace.workspaceFolders ?? []) this.#open(folder);
    this.#announce.wish();
  }

  get all(): readonly Project[] {
    return [...this.#byFolder.values()];
  }

  get states(): readonly ProjectState[] {
    return this.all.map(({ state }) => state);
  }

  /** By the URI of its folder, or by the folder's path. */
  find(folder: string): Project | undefined {
    return (
      this.#byFolder.get(folder) ??
      this.all.find(({ state }) => vscode.Uri.parse(state.folder).fsPath === folder.replace(/[/\\]$/, ''))
    );
  }

  /** The project that a file belongs to. */
  ofFile(uri: vscode.Uri): Project | undefined {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    return folder === undefined ? undefined : this.#byFolder.get(folder.uri.toString());
  }

  takePipelines(message: PipelinesMessage): void {
    const project = this.find(message.folder);
    // Files of no folder have a project of their own, which nothing is shown of.
    if (project === undefined) this.#log.debug(`Pipelines of ${message.folder}, which is not open`);
    else project.takePipelines(message);
  }

  get onOpened(): Emitter<Project>['event'] {
    return this.#opened.event;
  }

  get onClosed(): Emitter<Project>['event'] {
    return this.#closed.event;
  }

  /** Some state changed, or the time that is shown beside it. */
  get onChange(): Emitter<undefined>['event'] {
    return this.#changes.event;
  }

  get onRunEnded(): Emitter<{ readonly project: Project; readonly run: RunRecord }>['event'] {
    return this.#ended.event;
  }

  dispose(): void {
    clearTimeout(this.#clock);
    this.#announce.dispose();
    for (const disposable of this.#disposables) disposable.dispose();
    for (const project of this.all) project.dispose();
    this.#byFolder.clear();
    for (const emitter of [this.#opened, this.#closed, this.#changes, this.#ended]) emitter.dispose();
  }

  #open({ uri, name }: vscode.WorkspaceFolder): void {
    const folder = uri.toString();
    if (this.#byFolder.has(folder)) return;
    const project = new Project({
      folder,
      name,
      directory: uri.fsPath,
      trusted: vscode.workspace.isTrusted,
      launch: each => this.#processes.launch(each),
      commandLine: each => this.#processes.commandLine(each),
      log: this.#log,
    });
    if (uri.scheme !== 'file') project.setAnalysis({ kind: 'virtual' });
    project.onChange(() => {
      this.#announce.wish();
    });
    project.onRunEnded(run => {
      this.#ended.fire({ project, run });
    });
    this.#byFolder.set(folder, project);
    this.#opened.fire(project);
    this.#announce.wish();
  }

  #close({ uri }: vscode.WorkspaceFolder): void {
    const project = this.#byFolder.get(uri.toString());
    if (project === undefined) return;
    this.#byFolder.delete(uri.toString());
    this.#closed.fire(project);
    project.dispose();
    this.#announce.wish();
  }

  /** Sets the clock for the next time that something shown is no longer true. */
  #wind(): void {
    clearTimeout(this.#clock);
    const isLive = this.states.some(({ live }) => [...live.values()].some(isGoingOn));
    const newest = Math.max(
      0,
      ...this.states.flatMap(({ figures, pipelines }) =>
        pipelines.roots.map(({ node }) => figures.get(node.id)?.last?.endedAt ?? 0),
      ),
    );
    if (!isLive && newest === 0) return;
    const isSmall = this.states.every(({ pipelines }) => !hasMoreThan(pipelines, fewNodes));
    const pause = isLive ? beat.live : isSmall && Date.now() - newest < fresh ? beat.fresh : beat.idle;
    this.#clock = setTimeout(() => {
      this.#announce.wish();
    }, pause);
  }
}
