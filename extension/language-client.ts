/** Starts the language server and passes on what it tells of pipelines. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { type Disposes, messageOf } from './events.ts';
import { t } from './l10n.ts';
import {
  type InitializationOptions,
  type Lens,
  lenses,
  type LoadedGraphText,
  methods,
  type NodesAtAnswer,
  nodesAtAnswer,
  type OutcomesMessage,
  pipelinesMessage,
} from './language/protocol.ts';
import { v8Flags } from './language/v8-flags.ts';
import type { Processes } from './processes.ts';
import type { Project } from './project/project.ts';
import type { Projects } from './project/projects.ts';
import type { LoadedGraph } from './runner/graph-loader.ts';
import { nextTurn } from './turns.ts';

const sources = '**/*.{ts,mts,cts,js,mjs,cjs}';
/** Characters of a loaded graph that are sent at once. */
const graphPiece = 200_000;

export class Language implements Disposes {
  readonly #projects: Projects;
  readonly #processes: Processes;
  readonly #log: vscode.LogOutputChannel;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #disposables: vscode.Disposable[];
  /** Documents whose files are gone, by URI: for the server they are closed. */
  readonly #orphans = new Set<string>();
  /** Loaded graphs that are being sent, by folder. */
  readonly #graphs = new Map<string, LoadedGraph>();
  #client: LanguageClient | undefined;
  #starting: Promise<LanguageClient | undefined> | undefined;

  constructor(projects: Projects, processes: Processes, log: vscode.LogOutputChannel) {
    this.#projects = projects;
    this.#processes = processes;
    this.#log = log;
    projects.onOpened(project => {
      this.#attach(project);
    });
    const watcher = vscode.workspace.createFileSystemWatcher(sources, true, true, false);
    this.#disposables = [
      watcher,
      watcher.onDidDelete(uri => {
        this.#fileDeleted(uri);
      }),
      // Loaded graphs count from now on.
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        this.restart().catch((error: unknown) => {
          this.#log.error(messageOf(error));
        });
      }),
    ];
  }

  /** The pipelines of some file may be others now. */
  get onChange(): vscode.Event<undefined> {
    return this.#changed.event;
  }

  /** Starts the server if a folder is open that it can read. */
  async start(): Promise<void> {
    this.#starting ??= this.#start();
    await this.#starting;
  }

  /** Ends the server and starts it again. */
  async restart(): Promise<void> {
    const client = await this.#starting;
    this.#starting = undefined;
    this.#client = undefined;
    this.#orphans.clear();
    await client?.dispose();
    for (const project of this.#readable) project.setAnalysis({ kind: 'starting' });
    await this.start();
  }

  /** The places of a file that make nodes. */
  async lenses(uri: vscode.Uri, token?: vscode.CancellationToken): Promise<readonly Lens[]> {
    const client = await this.#starting;
    if (client === undefined) return [];
    const answer: unknown = await client.sendRequest(methods.lenses, { uri: uri.toString() }, token);
    return lenses(answer) ?? [];
  }

  /** The nodes that a position belongs to. */
  async nodesAt(uri: vscode.Uri, position: vscode.Position): Promise<NodesAtAnswer> {
    const client = await this.#starting;
    if (client === undefined) return [];
    const { line, character } = position;
    const answer: unknown = await client.sendRequest(methods.nodesAt, {
      uri: uri.toString(),
      position: { line, character },
    });
    return nodesAtAnswer(answer) ?? [];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
    this.#changed.dispose();
    void this.#client?.dispose().catch((error: unknown) => {
      this.#log.debug(messageOf(error));
    });
  }

  get #readable(): Project[] {
    return this.#projects.all.filter(({ state }) => state.analysis.kind !== 'virtual');
  }

  async #start(): Promise<LanguageClient | undefined> {
    const [first] = this.#readable;
    if (first === undefined) {
      this.#starting = undefined;
      return undefined;
    }
    const { execPath } = this.#processes.runtime(vscode.Uri.parse(first.state.folder));
    // Half of the extension's code, and nothing needs it before the first pipelines are there.
    const { LanguageClient, TransportKind } = await import('vscode-languageclient/node');
    const client = new LanguageClient(
      'millrace',
      t('Millrace language server'),
      {
        module: join(this.#processes.dist, 'language-server.js'),
        transport: TransportKind.ipc,
        runtime: execPath,
        options: { execArgv: [...v8Flags], env: { ELECTRON_RUN_AS_NODE: '1' } },
      },
      {
        documentSelector: [
          { scheme: 'file', language: 'typescript' },
          { scheme: 'file', language: 'javascript' },
        ],
        outputChannel: this.#log,
        initializationOptions: {
          trusted: vscode.workspace.isTrusted,
          codeLenses: false,
          documentation: vscode.Uri.joinPath(vscode.Uri.file(this.#processes.dist), '..', 'docs').toString(),
        } satisfies InitializationOptions,
        initializationFailedHandler: () => false,
        middleware: {
          didChange: async (event, next) => {
            const { document } = event;
            if (!this.#orphans.delete(document.uri.toString())) await next(event);
            // Somebody goes on to write it: it counts again, with all of its text.
            else
              await client.sendNotification(
                'textDocument/didOpen',
                client.code2ProtocolConverter.asOpenTextDocumentParams(document),
              );
          },
          didClose: async (document, next) => {
            this.#orphans.delete(document.uri.toString());
            await next(document);
          },
        },
      },
    );
    client.onNotification(methods.pipelines, (value: unknown) => {
      const message = pipelinesMessage(value);
      if (message === undefined) {
        this.#log.error('The language server sent pipelines that are none.');
        return;
      }
      this.#projects.takePipelines(message);
      if (message.last) this.#changed.fire(undefined);
    });
    this.#client = client;
    try {
      await client.start();
      return client;
    } catch (error) {
      const message = messageOf(error);
      this.#log.error(`The language server does not start: ${message}`);
      for (const project of this.#readable) project.setAnalysis({ kind: 'failed', message });
      return undefined;
    }
  }

  /** VS Code keeps a document whose file is gone open; where nothing in it is unsaved, it is as gone as its file. */
  #fileDeleted(uri: vscode.Uri): void {
    const client = this.#client;
    const document = vscode.workspace.textDocuments.find(each => each.uri.toString() === uri.toString());
    if (client === undefined || document === undefined || document.isDirty) return;
    this.#orphans.add(uri.toString());
    const params = client.code2ProtocolConverter.asCloseTextDocumentParams(document);
    client.sendNotification('textDocument/didClose', params).catch((error: unknown) => {
      this.#log.warn(messageOf(error));
    });
  }

  #attach(project: Project): void {
    const { folder } = project.state;
    project.onGraph(graph => {
      void this.#sendGraph(folder, graph);
    });
    project.onOutcomes(outcomes => {
      this.#send(methods.outcomes, outcomes satisfies OutcomesMessage);
    });
    void this.start();
  }

  /** In pieces, one in a turn of the event loop; a newer graph takes the place of one that is being sent. */
  async #sendGraph(folder: string, graph: LoadedGraph): Promise<void> {
    const { text, errors } = graph;
    this.#graphs.set(folder, graph);
    let offset = 0;
    do {
      await nextTurn();
      if (this.#graphs.get(folder) !== graph) return;
      const piece = text.slice(offset, offset + graphPiece);
      const isLast = offset + piece.length >= text.length;
      this.#send(methods.loadedGraphText, { folder, offset, text: piece, errors: isLast ? errors : null });
      offset += piece.length;
    } while (offset < text.length);
    this.#graphs.delete(folder);
  }

  #send(method: string, message: LoadedGraphText | OutcomesMessage): void {
    this.#client?.sendNotification(method, message).catch((error: unknown) => {
      this.#log.warn(`The language server could not be told: ${messageOf(error)}`);
    });
  }
}
