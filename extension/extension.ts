/** The parts of the extension, put together. */
import * as vscode from 'vscode';
import { OpenCommands } from './commands/open-commands.ts';
import { ProjectCommands } from './commands/project-commands.ts';
import { RunCommands } from './commands/run-commands.ts';
import { isRecord, lostRow, Targets } from './commands/targets.ts';
import { ConfigurationDocuments } from './configuration/configuration-documents.ts';
import { FailureDiagnostics } from './diagnostics/failure-diagnostics.ts';
import { type Disposes, messageOf } from './events.ts';
import { Language } from './language-client.ts';
import { LensProvider, pickOfLens } from './lenses/lens-provider.ts';
import { Notifications } from './notifications/notifications.ts';
import { OutputDocuments } from './output-documents/output-documents.ts';
import { PageActions } from './panels/page-actions.ts';
import { Panels } from './panels/panels.ts';
import { Processes } from './processes.ts';
import { isGoingOn } from './project/live-run.ts';
import { nodeStatus } from './project/project-state.ts';
import { Projects } from './project/projects.ts';
import { RunLauncher } from './runner/run-launcher.ts';
import { RunsView } from './runs-view/runs-view.ts';
import { onStorePassword } from './secrets.ts';
import { loadsAfterSave, storeUrl } from './settings.ts';
import { StatusBarItem } from './status-bar/status-bar-item.ts';
import { TaskProvider, taskType } from './tasks/task-provider.ts';
import { PipelinesView } from './tree/pipelines-view.ts';
import { neverRan, welcomeState, welcomeStore } from './welcome/welcome-state.ts';
import { plainMessage } from './wording.ts';

/** What {@link activate} gives to others: what the extension shows, as text. */
export interface MillraceApi {
  /** Milliseconds that the activation took. */
  readonly activationTime: number;
  /** The views, the status bar item and the state of the welcome content. */
  describe(): {
    readonly pipelines: string;
    readonly runs: string;
    readonly statusBar: string;
    readonly state: string;
    readonly store: string;
  };
  /** Makes a sample project in a folder, without asking for one. */
  createSample(target: vscode.Uri): Promise<boolean>;
}

export class Extension implements Disposes {
  readonly #log: vscode.LogOutputChannel;
  readonly #projects: Projects;
  readonly #pipelinesView: PipelinesView;
  readonly #runsView: RunsView;
  readonly #statusBar: StatusBarItem;
  readonly #projectCommands: ProjectCommands;
  readonly #disposables: Disposes[] = [];
  readonly #contextKeys = new Map<string, unknown>();
  #isDisposed = false;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.#log = log;
    const processes = new Processes(context);
    const projects = new Projects(processes, log);
    const language = new Language(projects, processes, log);
    const launcher = new RunLauncher(context, processes, log);
    const targets = new Targets(projects, language);
    const documents = new OutputDocuments(projects, log);
    const configurations = new ConfigurationDocuments(projects, log);
    const panels: Panels = new Panels(
      projects,
      context.extensionUri,
      (folder, action) => actions.act(folder, action),
      log,
    );
    const pipelinesView = new PipelinesView(projects);
    const runsView = new RunsView(projects);
    const run = new RunCommands({ projects, processes, launcher, targets, log });
    const open = new OpenCommands({ panels, documents, targets });
    const project = new ProjectCommands({
      context,
      projects,
      processes,
      language,
      targets,
      pipelinesView,
      runsView,
      configurations,
      log,
    });
    const actions: PageActions = new PageActions({ projects, run, open, project, log });
    this.#projects = projects;
    this.#projectCommands = project;
    this.#pipelinesView = pipelinesView;
    this.#runsView = runsView;
    this.#statusBar = new StatusBarItem(projects, panels);
    this.#disposables.push(
      projects,
      language,
      launcher,
      documents,
      configurations,
      panels,
      pipelinesView,
      runsView,
      this.#statusBar,
      new LensProvider(projects, language),
      new FailureDiagnostics(projects),
      new Notifications(projects, launcher, panels),
      vscode.tasks.registerTaskProvider(taskType, new TaskProvider(projects, processes)),
      onStorePassword(context.secrets, isOf => {
        for (const each of projects.all) {
          const url = storeUrl(vscode.Uri.parse(each.state.folder));
          if (url !== undefined && isOf(url)) each.restart(each.state.trusted);
        }
      }),
      vscode.workspace.onDidSaveTextDocument(document => {
        this.#saved(document);
      }),
    );
    for (const page of ['node', 'run', 'history'])
      this.#disposables.push(
        vscode.window.registerWebviewPanelSerializer(`millrace.${page}`, {
          async deserializeWebviewPanel(panel, state: unknown) {
            await panels.restore(panel, state);
          },
        }),
      );
    this.#register({ ...run.handlers, ...open.handlers, ...project.handlers });
    this.#register({ 'millrace.lens': argument => this.#lens(argument) });
    projects.onChange(() => {
      this.#updateContext();
    });
  }

  /** Looks at the folders; everything heavy begins after this has returned. */
  begin(): void {
    this.#updateContext();
    this.#projects.begin();
  }

  createSample(target: vscode.Uri): Promise<boolean> {
    return this.#projectCommands.makeSample(target);
  }

  describe(): ReturnType<MillraceApi['describe']> {
    return {
      pipelines: this.#pipelinesView.describe(),
      runs: this.#runsView.describe(),
      statusBar: this.#statusBar.describe(),
      state: welcomeState(this.#projects.states),
      store: welcomeStore(this.#projects.states),
    };
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const disposable of this.#disposables.toReversed()) disposable.dispose();
  }

  #register(
    handlers: Readonly<Record<string, (argument: unknown, selected: unknown) => Promise<unknown>>>,
  ): void {
    for (const [id, handler] of Object.entries(handlers))
      this.#disposables.push(
        vscode.commands.registerCommand(id, async (...given: readonly unknown[]) => {
          const [argument, selected] = given;
          try {
            // A tree gives nothing for a row that it is just drawing anew, the palette gives no argument at all.
            return await handler(given.length > 0 && argument === undefined ? lostRow : argument, selected);
          } catch (error) {
            // Questions that nobody can answer any more.
            if (this.#isDisposed) return undefined;
            this.#log.error(
              `${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
            );
            void vscode.window.showErrorMessage(plainMessage(messageOf(error)));
            return undefined;
          }
        }),
      );
  }

  /** A click on a lens, which may stand for several nodes. */
  async #lens(argument: unknown): Promise<void> {
    if (!isRecord(argument)) return;
    const { action, folder, paths } = argument;
    if (typeof action !== 'string' || typeof folder !== 'string' || !Array.isArray(paths)) return;
    const all = paths as readonly (readonly string[])[];
    const isForAll = action === 'run' || action === 'runWithUpstreams';
    if (isForAll && all.length > 1) {
      const elements = all.map(path => ({ folder, path }));
      await vscode.commands.executeCommand(`millrace.${action}`, elements[0], elements);
      return;
    }
    const path = await pickOfLens(all);
    const project = this.#projects.find(folder);
    if (path === undefined || project === undefined) return;
    if (action !== 'openRun') {
      await vscode.commands.executeCommand(`millrace.${action}`, { folder, path });
      return;
    }
    const status = nodeStatus(project.state, path);
    const runId = status.kind === 'running' || status.kind === 'ended' ? status.runId : undefined;
    if (runId !== undefined) await vscode.commands.executeCommand('millrace.openRun', { folder, runId });
  }

  #saved({ uri, languageId }: vscode.TextDocument): void {
    const project = this.#projects.ofFile(uri);
    if (project === undefined || !['typescript', 'javascript', 'json'].includes(languageId)) return;
    if (project.state.pipelines.files.length > 0 && loadsAfterSave(vscode.Uri.parse(project.state.folder)))
      project.loadGraph();
  }

  /** What `when` clauses ask for. */
  #updateContext(): void {
    const { states } = this.#projects;
    const hasPipelines = states.some(({ pipelines }) => pipelines.roots.length > 0);
    this.#setContext('state', welcomeState(states));
    this.#setContext('store', welcomeStore(states));
    this.#setContext('hasPipelines', hasPipelines);
    this.#setContext('canRun', hasPipelines);
    this.#setContext(
      'hasRuns',
      states.some(({ runs }) => (runs?.total ?? 0) > 0),
    );
    this.#setContext('neverRan', neverRan(states));
    this.#setContext(
      'running',
      states.some(({ live }) => [...live.values()].some(isGoingOn)),
    );
  }

  #setContext(name: string, value: unknown): void {
    if (this.#contextKeys.get(name) === value) return;
    this.#contextKeys.set(name, value);
    void vscode.commands.executeCommand('setContext', `millrace.${name}`, value);
  }
}
