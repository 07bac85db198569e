/** Answers an editor: one handler for each message of the language server protocol and of protocol.ts. */
import { basename } from 'node:path';
import {
  CodeActionKind,
  type CodeLens,
  type Connection,
  DidChangeWatchedFilesNotification,
  type InitializeResult,
  type Location,
  LSPErrorCodes,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
  type TextEdit,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { completions } from './completion.ts';
import { quickFixes, toEditorDiagnostic } from './diagnostics.ts';
import { type EditClock, StaleError } from './edit-clock.ts';
import { hoverText } from './hover.ts';
import { IdleCollection } from './idle-collection.ts';
import type { LanguageProject } from './language-project.ts';
import { lensesOf } from './lenses.ts';
import { documentLinks } from './links.ts';
import type { Use } from './names.ts';
import { fileOf, uriOf } from './place.ts';
import * as protocol from './protocol.ts';
import { prepareRename, rename, RenameError } from './rename.ts';
import { offsetAt, rangeBetween, type Stretch } from './source-text.ts';
import { documentSymbols } from './symbols.ts';
import { Workspace } from './workspace.ts';

/** What the analysis depends on besides pipeline files. */
const watched = '**/*.{ts,mts,cts,js,mjs,cjs,json,sql,py,sh,env}';

export function startServer(connection: Connection, clock: EditClock): void {
  new Server(connection, clock).start();
}

class Server {
  readonly #connection: Connection;
  readonly #clock: EditClock;
  readonly #workspace: Workspace;
  readonly #documents = new TextDocuments(TextDocument);
  readonly #published = new Map<string, LanguageProject>();
  readonly #idleCollection = new IdleCollection();
  /** What has come of the texts of loaded graphs, by folder. */
  readonly #graphTexts = new Map<string, string>();
  #options = protocol.initializationOptions(undefined);
  #canWatch = false;
  #canChangeFolders = false;
  #isScheduled = false;
  #isTelling = false;
  /** Counts how often something had changed: it may change while the editor is told of what was there. */
  #wishes = 0;

  constructor(connection: Connection, clock: EditClock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#workspace = new Workspace(() => clock.signal());
  }

  start(): void {
    const connection = this.#connection;
    this.#handleLifecycle();
    this.#handleFiles();
    this.#handleQuestions();
    this.#handleRenames();
    this.#handleOwnMessages();
    this.#documents.listen(this.#counting(connection));
    connection.listen();
  }

  #handleLifecycle(): void {
    const connection = this.#connection;
    connection.onInitialize((params): InitializeResult => {
      const { capabilities, workspaceFolders } = params;
      this.#options = protocol.initializationOptions(params.initializationOptions);
      this.#canWatch = capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
      this.#canChangeFolders = capabilities.workspace?.workspaceFolders === true;
      // Editors that know no workspace folders say it in the old way.
      const folders = workspaceFolders?.map(({ uri }) => uri) ?? oldRootOf(params);
      for (const folder of folders) this.#workspace.addFolder(folder);
      return {
        serverInfo: { name: 'millrace' },
        capabilities: {
          textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
          completionProvider: { triggerCharacters: ["'", '"', '`'] },
          definitionProvider: true,
          referencesProvider: true,
          renameProvider: { prepareProvider: true },
          hoverProvider: true,
          documentSymbolProvider: { label: 'Millrace' },
          documentLinkProvider: {},
          codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
          ...(this.#options.codeLenses ? { codeLensProvider: {} } : {}),
          workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
        },
      };
    });
    connection.onInitialized(async () => {
      for (const project of this.#workspace.projects) this.#begin(project);
      this.#schedule();
      if (this.#canChangeFolders) {
        connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
          for (const { uri } of removed) this.#end(this.#workspace.removeFolder(uri));
          for (const { uri } of added) this.#begin(this.#workspace.addFolder(uri));
          this.#schedule();
        });
      }
      if (this.#canWatch) {
        await connection.client.register(DidChangeWatchedFilesNotification.type, {
          watchers: [{ globPattern: watched }],
        });
      }
    });
    connection.onShutdown(() => undefined);
  }

  #handleFiles(): void {
    this.#documents.onDidChangeContent(({ document }) => {
      const file = fileOf(document.uri);
      if (file !== undefined) this.#begin(this.#workspace.setDocument(file, document.getText()));
    });
    this.#documents.onDidClose(({ document }) => {
      const file = fileOf(document.uri);
      if (file !== undefined) this.#workspace.setDocument(file, undefined);
    });
    this.#connection.onDidChangeWatchedFiles(({ changes }) => {
      this.#clock.take();
      for (const { uri } of changes) {
        const file = fileOf(uri);
        if (file !== undefined) this.#workspace.changeOnDisk(file);
      }
      this.#schedule();
    });
  }

  /** Passes the messages about documents on to those who keep their texts, and counts them. */
  #counting(connection: Connection): Parameters<TextDocuments<TextDocument>['listen']>[0] {
    return {
      onDidOpenTextDocument: handler =>
        connection.onDidOpenTextDocument(params => {
          this.#takeIn(() => handler(params));
        }),
      onDidChangeTextDocument: handler =>
        connection.onDidChangeTextDocument(params => {
          this.#takeIn(() => handler(params));
        }),
      onDidCloseTextDocument: handler =>
        connection.onDidCloseTextDocument(params => {
          this.#takeIn(() => handler(params));
        }),
      onWillSaveTextDocument: handler => connection.onWillSaveTextDocument(handler),
      onWillSaveTextDocumentWaitUntil: handler => connection.onWillSaveTextDocumentWaitUntil(handler),
      onDidSaveTextDocument: handler => connection.onDidSaveTextDocument(handler),
    };
  }

  /** Takes an edit in. What it has interrupted is begun again. */
  #takeIn(handle: () => unknown): void {
    this.#clock.take();
    handle();
    this.#schedule();
  }

  #handleQuestions(): void {
    const connection = this.#connection;
    connection.onCompletion(({ textDocument, position }) =>
      this.#answer(textDocument.uri, [], (project, file) => completions(project, file, position)),
    );
    connection.onHover(({ textDocument, position }) =>
      this.#answer(textDocument.uri, null, (project, file) => {
        const use = this.#useAt(project, file, position);
        const value = use === undefined ? undefined : hoverText(project, use.targets);
        if (use === undefined || value === undefined) return null;
        return { contents: { kind: 'markdown', value }, range: rangeOf(project, use) };
      }),
    );
    connection.onDefinition(({ textDocument, position }) =>
      this.#answer(textDocument.uri, null, (project, file) => {
        const { targets = [] } = this.#useAt(project, file, position) ?? {};
        return targets.flatMap(path => {
          const node = project.index.get(path);
          const place = node === undefined ? undefined : project.names.definitionOf(node);
          return place === undefined ? [] : [locationOf(project, place)];
        });
      }),
    );
    connection.onReferences(({ textDocument, position, context }) =>
      this.#answer(textDocument.uri, null, (project, file) => {
        const use = this.#useAt(project, file, position);
        if (use === undefined) return null;
        return project.names
          .usesOf(use.targets)
          .uses.filter(({ role }) => role === 'reference' || context.includeDeclaration)
          .map(each => locationOf(project, each));
      }),
    );
    connection.onDocumentSymbol(({ textDocument }) => this.#answer(textDocument.uri, [], documentSymbols));
    connection.onDocumentLinks(({ textDocument }) => this.#answer(textDocument.uri, [], documentLinks));
    connection.onCodeAction(({ textDocument, range }) =>
      this.#answer(textDocument.uri, [], (project, file) =>
        quickFixes(project.diagnostics, file, range, this.#options.documentation),
      ),
    );
    connection.onCodeLens(({ textDocument }) =>
      this.#answer(textDocument.uri, [], (project, file) => lensesOf(project, file).map(toCodeLens)),
    );
  }

  #handleRenames(): void {
    const connection = this.#connection;
    connection.onPrepareRename(({ textDocument, position }) =>
      this.#answer(textDocument.uri, null, (project, file) => {
        const use = prepareRename(project, project.names, file, offsetIn(project, file, position));
        if (use === undefined) return null;
        return { range: rangeOf(project, use), placeholder: use.targets[0]?.at(-1) ?? '' };
      }),
    );
    connection.onRenameRequest(({ textDocument, position, newName }) =>
      this.#answer(textDocument.uri, null, (project, file) => {
        const offset = offsetIn(project, file, position);
        const { stretches, newId } = rename(project, project.names, { file, offset }, newName);
        const changes: Record<string, TextEdit[]> = {};
        for (const stretch of stretches)
          (changes[uriOf(stretch.file)] ??= []).push({ range: rangeOf(project, stretch), newText: newId });
        return { changes };
      }),
    );
  }

  #handleOwnMessages(): void {
    const connection = this.#connection;
    const { methods } = protocol;
    connection.onNotification(methods.loadedGraph, (params: unknown) => {
      this.#takeLoadedGraph(this.#checked(methods.loadedGraph, params, protocol.loadedGraphMessage));
    });
    connection.onNotification(methods.loadedGraphText, (params: unknown) => {
      const piece = this.#checked(methods.loadedGraphText, params, protocol.loadedGraphText);
      if (piece === undefined) return;
      const { folder, offset, text, errors } = piece;
      const before = offset === 0 ? '' : this.#graphTexts.get(folder);
      if (before?.length !== offset) return;
      if (errors === null) {
        this.#graphTexts.set(folder, before + text);
        return;
      }
      this.#graphTexts.delete(folder);
      this.#takeLoadedGraph(
        this.#checked(methods.loadedGraphText, before + text, whole =>
          protocol.readLoadedGraph(folder, String(whole), errors),
        ),
      );
    });
    connection.onNotification(methods.outcomes, (params: unknown) => {
      const message = this.#checked(methods.outcomes, params, protocol.outcomesMessage);
      if (message !== undefined) this.#workspace.projectOf(message.folder)?.setOutcomes(message.nodes);
    });
    connection.onRequest(methods.lenses, (params: unknown) => {
      const query = this.#checked(methods.lenses, params, protocol.documentQuery);
      return query === undefined ? [] : this.#answer(query.uri, [], lensesOf);
    });
    connection.onRequest(methods.nodesAt, (params: unknown) => {
      const query = this.#checked(methods.nodesAt, params, protocol.positionQuery);
      if (query === undefined) return [];
      return this.#answer(query.uri, [], (project, file) =>
        project.index.around(file, query.position).map(({ path }) => path),
      );
    });
  }

  #takeLoadedGraph(message: protocol.LoadedGraphMessage | undefined): void {
    const project = message === undefined ? undefined : this.#workspace.projectOf(message.folder);
    if (message === undefined || project === undefined || !this.#options.trusted) return;
    project.setLoadedGraph(message);
    this.#schedule();
  }

  #checked<Value>(
    method: string,
    params: unknown,
    check: (value: unknown) => Value | undefined,
  ): Value | undefined {
    const value = check(params);
    if (value === undefined) this.#connection.console.error(`A message ${method} is not what it should be.`);
    return value;
  }

  #useAt(project: LanguageProject, file: string, position: protocol.Position): Use | undefined {
    return project.names.at(file, offsetIn(project, file, position));
  }

  /**
   * The answer to a question about a document; an error that editors understand when the text has changed meanwhile.
   *
   * @param nothing the answer for a document that is not of a project
   */
  #answer<Answer, Nothing>(
    uri: string,
    nothing: Nothing,
    ask: (project: LanguageProject, file: string) => Answer,
  ): Answer | Nothing | ResponseError {
    const file = fileOf(uri);
    const project = file === undefined ? undefined : this.#workspace.projectAt(file);
    if (file === undefined || project === undefined) return nothing;
    try {
      return ask(project, file);
    } catch (error) {
      if (error instanceof StaleError) return new ResponseError(LSPErrorCodes.ContentModified, error.message);
      if (error instanceof RenameError) return new ResponseError(LSPErrorCodes.RequestFailed, error.message);
      this.#report(error);
      return nothing;
    }
  }

  #report(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#connection.console.error(`Internal error of the analysis, please report it: ${detail}`);
  }

  #begin(project: LanguageProject | undefined): void {
    if (project !== undefined) this.#send(project.beginning());
  }

  #end(project: LanguageProject | undefined): void {
    for (const [file, owner] of this.#published) {
      if (owner !== project) continue;
      this.#published.delete(file);
      void this.#connection.sendDiagnostics({ uri: uriOf(file), diagnostics: [] });
    }
  }

  /** Tells the editor what is new, once the messages that are there are read. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#tellAll();
    });
  }

  async #tellAll(): Promise<void> {
    this.#wishes++;
    if (this.#isTelling) return;
    this.#isTelling = true;
    const wishes = this.#wishes;
    // An edit that has arrived schedules again when it is taken in.
    if (!this.#clock.isBehind) for (const project of this.#workspace.projects) await this.#tell(project);
    this.#isTelling = false;
    this.#idleCollection.worked();
    if (this.#wishes !== wishes) this.#schedule();
  }

  async #tell(project: LanguageProject): Promise<void> {
    try {
      const { pipelines, differences } = project.changes();
      for (const message of pipelines) this.#send(message);
      if (differences.length > 0) this.#warnOfDifferences(project, differences);
      // Mistakes come all at once, so that none goes for a moment; but at first nobody should wait for the SQL's parser.
      if (!project.isSqlKnown) this.#publish(project);
      await project.readSql();
      this.#publish(project);
    } catch (error) {
      if (error instanceof StaleError) return;
      this.#report(error);
    }
  }

  #publish(project: LanguageProject): void {
    for (const [file, mistakes] of project.diagnosticChanges()) {
      this.#published.set(file, project);
      void this.#connection.sendDiagnostics({
        uri: uriOf(file),
        diagnostics: mistakes.map(mistake => toEditorDiagnostic(mistake, this.#options.documentation)),
      });
    }
  }

  #warnOfDifferences({ directory }: LanguageProject, differences: readonly string[]): void {
    this.#connection.console.warn(
      `Bug report: in ${basename(directory)}, the static analysis and the loaded graph differ. The loaded graph is shown. Please report it with the source:\n${differences.join('\n')}`,
    );
  }

  #send(message: protocol.PipelinesMessage): void {
    void this.#connection.sendNotification(protocol.methods.pipelines, message);
  }
}

function offsetIn(project: LanguageProject, file: string, position: protocol.Position): number {
  const source = project.texts.source(file);
  return source === undefined ? 0 : offsetAt(source, position);
}

function rangeOf(project: LanguageProject, { file, start, end }: Stretch): protocol.Range {
  const source = project.texts.source(file);
  if (source === undefined) return { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  return rangeBetween(source, start, end);
}

function locationOf(project: LanguageProject, stretch: Stretch): Location {
  return { uri: uriOf(stretch.file), range: rangeOf(project, stretch) };
}

/** The root folder as editors name it that know no workspace folders. */
function oldRootOf(params: object): string[] {
  const rootUri: unknown = Reflect.get(params, 'rootUri');
  return typeof rootUri === 'string' ? [rootUri] : [];
}

/** A lens for editors that know no messages of Millrace: what there is, without a command. */
function toCodeLens({ range, paths, kind }: protocol.Lens): CodeLens {
  const [first = []] = paths;
  const title =
    paths.length === 1 ? `${kind} ${first.join('/')}` : `${paths.length} nodes: ${first.join('/')} …`;
  return { range, command: { title, command: '' }, data: { paths } };
}
