/** Begins runs for the user: saves files, asks for parameters, shows that something happens, and says why not. */
import { sep } from 'node:path';
import * as vscode from 'vscode';
import type { NodePath, ParameterValue } from '../../runner/model.ts';
import type { RunRecord } from '../../runner/records.ts';
import { type Disposes, type Log, messageOf } from '../events.ts';
import { t } from '../l10n.ts';
import { askParameters } from '../parameters/ask-parameters.ts';
import { parametersOf } from '../parameters/parameter-input.ts';
import type { Processes } from '../processes.ts';
import type { Project } from '../project/project.ts';
import { storeUrl } from '../settings.ts';
import { refusesUser } from '../welcome/welcome-state.ts';
import { nameOfPath, plainMessage } from '../wording.ts';
import { requestAgain, requestFor, type RunKind, type RunRequest } from './run-arguments.ts';
import { type RunStart, startRun } from './run-starter.ts';

const pendingKey = 'millrace.pendingRuns';
const remembered = 100;

export class RunLauncher implements Disposes {
  readonly #processes: Processes;
  readonly #memory: vscode.Memento;
  readonly #log: vscode.LogOutputChannel;
  readonly #began = new vscode.EventEmitter<{ readonly project: Project; readonly runId: number }>();
  /** Values that were given last, by folder and name. */
  readonly #given = new Map<string, ParameterValue>();
  /** Runs that have no id yet, by what they are about. */
  readonly #beginning = new Set<string>();

  constructor(context: vscode.ExtensionContext, processes: Processes, log: vscode.LogOutputChannel) {
    this.#processes = processes;
    this.#memory = context.workspaceState;
    this.#log = log;
  }

  /** A run was started by this window. */
  get onBegan(): vscode.Event<{ readonly project: Project; readonly runId: number }> {
    return this.#began.event;
  }

  /** Whether this window, before a reload as well, has started a run whose end nobody has told yet. */
  isPending(folder: string, runId: number): boolean {
    return this.#pending.includes(keyOf(folder, runId));
  }

  /** The end of a run is told. */
  async settle(folder: string, runId: number): Promise<void> {
    await this.#memory.update(
      pendingKey,
      this.#pending.filter(key => key !== keyOf(folder, runId)),
    );
  }

  /** @returns the run's id; `undefined` when it was not begun, which the user knows by then. */
  async run(
    project: Project,
    paths: readonly NodePath[],
    withUpstreams: boolean,
  ): Promise<number | undefined> {
    if (!(await allowed())) return undefined;
    const asked = parametersOf(project.state.pipelines, paths.length === 0 ? [[]] : paths);
    const { folder } = project.state;
    const params = await askParameters(asked, name => this.#given.get(`${folder} ${name}`));
    if (params === undefined) return undefined;
    for (const [name, value] of Object.entries(params)) this.#given.set(`${folder} ${name}`, value);
    return await this.#begin(project, { ...requestFor(paths, withUpstreams), params });
  }

  /** The same run once more, with its parameters. */
  async rerun(project: Project, run: RunRecord): Promise<number | undefined> {
    if (!(await allowed())) return undefined;
    return await this.#begin(project, requestAgain(run));
  }

  /** Goes on with what did not succeed. */
  async resume(project: Project, run: RunRecord): Promise<number | undefined> {
    if (!(await allowed())) return undefined;
    const { pipelinePath, nodePaths } = run;
    return await this.#start(project, { kind: 'resume', runId: run.runId }, pipelinePath, nodePaths);
  }

  dispose(): void {
    this.#began.dispose();
  }

  async #begin(project: Project, request: RunRequest): Promise<number | undefined> {
    return await this.#start(project, { kind: 'run', request }, request.path, request.nodePaths);
  }

  async #start(
    project: Project,
    what: RunKind,
    path: NodePath,
    nodePaths: readonly NodePath[],
  ): Promise<number | undefined> {
    const key = JSON.stringify([project.state.folder, what]);
    // A second click before the first one shows an effect is none.
    if (this.#beginning.has(key)) return undefined;
    this.#beginning.add(key);
    const unmark = project.markRequested(path, nodePaths);
    let start: RunStart;
    try {
      await saveFiles(project);
      const title = t('Starting {0}', nameOfPath(path));
      start = await vscode.window.withProgress({ location: { viewId: 'millrace.pipelines' }, title }, () =>
        this.#begun(project, what),
      );
    } catch (error) {
      await showError(messageOf(error), this.#log);
      return undefined;
    } finally {
      unmark();
      this.#beginning.delete(key);
    }
    if (start.kind === 'refused') return await this.#refused(project, what, start);
    for (const notice of start.notices) this.#log.warn(`run ${String(start.runId)}: ${notice}`);
    this.#began.fire({ project, runId: start.runId });
    return start.runId;
  }

  async #begun(project: Project, what: RunKind): Promise<RunStart> {
    const commandLine = await this.#processes.commandLine(project);
    const started = await startRun(commandLine, what, this.#log);
    if (started.kind === 'started') {
      // Before anything is known of it: it may end at once.
      await this.#remember(project.state.folder, started.runId);
      await project.noteStarted(started.runId);
    }
    return started;
  }

  async #refused(
    project: Project,
    what: RunKind,
    refusal: Extract<RunStart, { kind: 'refused' }>,
  ): Promise<number | undefined> {
    // The runner gets the setting by its environment, and names what it got.
    const message = isStoreBySetting(project)
      ? refusal.message.replaceAll('MILLRACE_STORE_URL', t('the setting millrace.store.url'))
      : refusal.message;
    const isConcurrent = what.kind === 'run' && message.includes('--allow-concurrent');
    if (!isConcurrent) {
      const wantsPassword = isStoreBySetting(project) && refusesUser(message);
      await showError(message, this.#log, wantsPassword ? setPassword(project) : undefined);
      return undefined;
    }
    const anyway = t('Run Beside It');
    this.#log.warn(message);
    // The last sentence is about the command line.
    const chosen = await vscode.window.showWarningMessage(
      plainMessage(message.replace(/ Wait for it, end it with .*$/s, '')),
      anyway,
    );
    if (chosen !== anyway) return undefined;
    return await this.#begin(project, { ...what.request, allowConcurrent: true });
  }

  get #pending(): readonly string[] {
    return this.#memory.get<readonly string[]>(pendingKey) ?? [];
  }

  async #remember(folder: string, runId: number): Promise<void> {
    await this.#memory.update(pendingKey, [...this.#pending, keyOf(folder, runId)].slice(-remembered));
  }
}

function keyOf(folder: string, runId: number): string {
  return `${folder}#${String(runId)}`;
}

function isStoreBySetting({ state }: Project): boolean {
  const given = process.env['MILLRACE_STORE_URL'] ?? '';
  return given === '' && storeUrl(vscode.Uri.parse(state.folder)) !== undefined;
}

/** What the editor shows is what runs. */
async function saveFiles(project: Project): Promise<void> {
  const folder = vscode.Uri.parse(project.state.folder).fsPath + sep;
  for (const document of vscode.workspace.textDocuments)
    if (document.isDirty && document.uri.scheme === 'file' && document.uri.fsPath.startsWith(folder))
      await document.save();
}

/** Nothing is executed in a folder that is not trusted, whoever asks. */
export async function allowed(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const manage = t('Manage Workspace Trust');
  const chosen = await vscode.window.showWarningMessage(
    t('This folder is not trusted: its pipelines are shown, but nothing of it is executed.'),
    manage,
  );
  if (chosen === manage) await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}

/** What helps beside reading the log. */
export interface Remedy {
  readonly title: string;
  readonly command: string;
  readonly argument: unknown;
}

function setPassword({ state: { folder } }: Project): Remedy {
  return { title: t('Set Store Password'), command: 'millrace.setStorePassword', argument: { folder } };
}

/** An error for the user: its first line, with the rest in the log. */
export async function showError(
  message: string,
  log: Pick<vscode.LogOutputChannel, 'error' | 'show'> & Log,
  remedy?: Remedy,
): Promise<void> {
  log.error(message);
  const [first = message, ...more] = message.split('\n');
  const showLog = t('Show Log');
  const text = plainMessage(more.length === 0 ? first : `${first} …`);
  const actions = remedy === undefined ? [showLog] : [remedy.title, showLog];
  // Not awaited by what failed: the message may stay for as long as the user likes.
  void vscode.window.showErrorMessage(text, ...actions).then(chosen => {
    if (chosen === showLog) log.show();
    else if (chosen !== undefined && remedy !== undefined)
      void vscode.commands.executeCommand(remedy.command, remedy.argument);
  });
  await Promise.resolve();
}
