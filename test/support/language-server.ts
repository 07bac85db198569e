/** A real language server process, and the smallest editor that can talk to it. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  createMessageConnection,
  type Diagnostic,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import {
  type EditorNode,
  type InitializationOptions,
  methods,
  pipelinesMessage,
  type PipelinesMessage,
  type Position,
} from '../../extension/language/protocol.ts';
import { waitUntil } from './wait.ts';

const serverFile = fileURLToPath(new URL('../../extension/language/main.ts', import.meta.url));

export interface EditorOptions extends Partial<InitializationOptions> {
  /** The server's file; default: the sources. */
  readonly server?: string;
}

/** An editor with some folders open; `await using` ends it with its server. */
export class TestEditor implements AsyncDisposable {
  readonly #connection: MessageConnection;
  readonly #ended: Promise<number | null>;
  readonly #directory: string;
  readonly #versions = new Map<string, number>();
  readonly #diagnostics = new Map<string, readonly Diagnostic[]>();
  readonly pid: number;
  /** Every message about pipelines, and every log message, in their order. */
  readonly messages: PipelinesMessage[] = [];
  readonly logs: string[] = [];
  /** What the process wrote on standard error. */
  stderr = '';
  readonly #pipelines = new Map<string, Map<string, EditorNode>>();
  #pending: PipelinesMessage[] = [];
  latest: PipelinesMessage | undefined;

  static async open(directory: string, options: EditorOptions = {}): Promise<TestEditor> {
    const editor = new TestEditor(directory, options.server ?? serverFile);
    await editor.#initialize(options);
    return editor;
  }

  private constructor(directory: string, server: string) {
    this.#directory = directory;
    const child = spawn(process.execPath, [server, '--stdio'], { stdio: 'pipe' });
    this.pid = child.pid ?? 0;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    const { promise, resolve } = Promise.withResolvers<number | null>();
    child.on('close', resolve);
    this.#ended = promise;
    this.#connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    this.#listen();
  }

  #listen(): void {
    const connection = this.#connection;
    connection.onNotification(methods.pipelines, (params: unknown) => {
      const message = pipelinesMessage(params);
      if (message === undefined) throw new Error(`no valid message: ${JSON.stringify(params)}`);
      this.messages.push(message);
      this.#pending.push(message);
      if (!message.last) return;
      this.#apply(this.#pending);
      this.#pending = [];
      this.latest = message;
    });
    connection.onNotification(
      'textDocument/publishDiagnostics',
      ({ uri, diagnostics }: { uri: string; diagnostics: Diagnostic[] }) => {
        this.#diagnostics.set(uri, diagnostics);
      },
    );
    connection.onNotification('window/logMessage', ({ message }: { message: string }) => {
      this.logs.push(message);
    });
    connection.onRequest('client/registerCapability', () => null);
    connection.listen();
  }

  async #initialize({ server: _, ...initializationOptions }: EditorOptions): Promise<void> {
    await this.#connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        workspace: { workspaceFolders: true, didChangeWatchedFiles: { dynamicRegistration: true } },
      },
      workspaceFolders: [{ uri: this.folder, name: 'test' }],
      initializationOptions,
    });
    await this.#connection.sendNotification('initialized', {});
  }

  get folder(): string {
    return pathToFileURL(this.#directory).href;
  }

  uri(file: string): string {
    return pathToFileURL(join(this.#directory, file)).href;
  }

  /** Opens a file with the text on the disk, or another one. */
  async open(file: string, text?: string): Promise<void> {
    const known = text ?? (await readFile(join(this.#directory, file), 'utf8'));
    this.#versions.set(file, 1);
    await this.notify('textDocument/didOpen', {
      textDocument: { uri: this.uri(file), languageId: 'typescript', version: 1, text: known },
    });
  }

  /** Gives an open document another text. */
  async change(file: string, text: string): Promise<void> {
    await this.notify('textDocument/didChange', {
      textDocument: { uri: this.uri(file), version: this.#nextVersion(file) },
      contentChanges: [{ text }],
    });
  }

  /** Puts a text in the place of a range of an open document. */
  async edit(file: string, start: Position, end: Position, text: string): Promise<void> {
    await this.notify('textDocument/didChange', {
      textDocument: { uri: this.uri(file), version: this.#nextVersion(file) },
      contentChanges: [{ range: { start, end }, text }],
    });
  }

  async close(file: string): Promise<void> {
    await this.notify('textDocument/didClose', { textDocument: { uri: this.uri(file) } });
  }

  async changedOnDisk(file: string, type: 1 | 2 | 3 = 2): Promise<void> {
    await this.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: this.uri(file), type }] });
  }

  async notify(method: string, params: unknown): Promise<void> {
    await this.#connection.sendNotification(method, params);
  }

  async ask<Answer = unknown>(method: string, params: unknown): Promise<Answer> {
    return await this.#connection.sendRequest<Answer>(method, params);
  }

  /** Asks about a position of a document; the same question again while the text is being taken in. */
  async askAt<Answer = unknown>(
    method: string,
    file: string,
    position: Position,
    more: object = {},
  ): Promise<Answer> {
    return await this.ask<Answer>(method, { textDocument: { uri: this.uri(file) }, position, ...more });
  }

  /** Mistakes of a file as `line:column-line:column severity code: message`, counted from 1. */
  mistakes(file: string): string[] {
    return (this.#diagnostics.get(this.uri(file)) ?? []).map(
      ({ range: { start, end }, severity, code, message }) => {
        const place = `${start.line + 1}:${start.character + 1}-${end.line + 1}:${end.character + 1}`;
        return `${place} ${severity === 1 ? 'error' : 'warning'} ${String(code)}: ${typeof message === 'string' ? message : message.value}`;
      },
    );
  }

  diagnostics(file: string): readonly Diagnostic[] {
    return this.#diagnostics.get(this.uri(file)) ?? [];
  }

  /** Paths of all nodes that the editor knows, in their order. */
  paths(): string[] {
    const found: string[] = [];
    const visit = (node: EditorNode, above: string): void => {
      const path = above === '' ? node.id : `${above}/${node.id}`;
      found.push(path);
      for (const child of node.nodes) visit(child, path);
    };
    for (const node of this.nodes()) visit(node, '');
    return found;
  }

  /** The top-level pipelines in their order. */
  nodes(): EditorNode[] {
    const pipelines = this.#pipelines.get(this.latest?.folder ?? '');
    return (this.latest?.order ?? []).map(id => {
      const node = pipelines?.get(id);
      if (node === undefined) throw new Error(`the editor was not told of ${id}`);
      return node;
    });
  }

  async until(condition: () => boolean): Promise<void> {
    await waitUntil(condition);
  }

  /** Waits until the project is analysed. */
  async ready(): Promise<this> {
    await this.until(() => this.latest?.complete === true);
    return this;
  }

  #nextVersion(file: string): number {
    const version = (this.#versions.get(file) ?? 0) + 1;
    this.#versions.set(file, version);
    return version;
  }

  #apply(messages: readonly PipelinesMessage[]): void {
    for (const { folder, changed, parts, removed } of messages) {
      const pipelines = this.#pipelines.get(folder) ?? new Map<string, EditorNode>();
      this.#pipelines.set(folder, pipelines);
      for (const node of changed) pipelines.set(node.id, node);
      for (const { path, nodes } of parts) {
        let at: EditorNode | undefined = pipelines.get(path[0] ?? '');
        for (const id of path.slice(1)) at = at?.nodes.find(node => node.id === id);
        if (at === undefined) throw new Error(`no node ${path.join('/')} for its part`);
        (at.nodes as EditorNode[]).push(...nodes);
      }
      for (const id of removed) pipelines.delete(id);
    }
  }

  /** Says good-bye as editors do; the exit code of the server. */
  async end(): Promise<number | null> {
    await this.#connection.sendRequest('shutdown');
    await this.#connection.sendNotification('exit');
    const code = await this.#ended;
    this.#connection.dispose();
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver()) {
      try {
        process.kill(this.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    await this.#ended;
    this.#connection.dispose();
  }

  #isOver(): boolean {
    try {
      process.kill(this.pid, 0);
      return false;
    } catch {
      return true;
    }
  }
}

/** The text without the mark `‸`, and where that stood. */
export function marked(text: string): { readonly text: string; readonly position: Position } {
  const at = text.indexOf('‸');
  if (at < 0) throw new Error('the text has no mark');
  const before = text.slice(0, at).split('\n');
  return {
    text: text.slice(0, at) + text.slice(at + 1),
    position: { line: before.length - 1, character: before.at(-1)?.length ?? 0 },
  };
}
