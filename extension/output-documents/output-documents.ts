/** Stored output as read-only documents, in which everything works that works in a text: find, copy, save. */
import * as vscode from 'vscode';
import type { OutputExtent } from '../../runner/records.ts';
import { type Disposes, type Log, messageOf } from '../events.ts';
import { t } from '../l10n.ts';
import type { Project } from '../project/project.ts';
import type { Projects } from '../project/projects.ts';
import { type OutputAddress, outputAddress, outputScheme, outputUriParts } from './output-address.ts';
import { cutNotice, longestDocument, outputLines } from './output-text.ts';

/** Lines asked for at once. */
const portion = 5000;
/** Milliseconds between two looks at output that grows. */
const pause = 1000;

interface OpenOutput {
  readonly project: Project;
  readonly view: number;
  readonly subscription: Disposes;
  extent: OutputExtent;
  /** Index of the first line in the text. */
  first: number;
  /** Index of the line after the last one in the text. */
  next: number;
  text: string;
  timer: NodeJS.Timeout | undefined;
  reading: Promise<void>;
}

export class OutputDocuments implements vscode.TextDocumentContentProvider, Disposes {
  readonly #projects: Projects;
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #open = new Map<string, OpenOutput>();
  readonly #disposables: vscode.Disposable[];

  constructor(projects: Projects, log: Log) {
    this.#projects = projects;
    this.#log = log;
    this.#disposables = [
      vscode.workspace.registerTextDocumentContentProvider(outputScheme, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === outputScheme) this.#close(uri);
      }),
    ];
  }

  async show(address: OutputAddress): Promise<void> {
    const uri = vscode.Uri.from({ scheme: outputScheme, ...outputUriParts(address) });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, 'log');
    await vscode.window.showTextDocument(document, { preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const address = outputAddress(uri.query);
    const project = address === undefined ? undefined : this.#projects.find(address.folder);
    if (address === undefined || project === undefined) return t('The folder of this output is not open.');
    try {
      const output = this.#open.get(uri.toString()) ?? (await this.#begin(uri, project, address));
      await this.#readOn(output, address.query.nodeRunId === undefined);
      const text = cutNotice(output.extent, output.first) + output.text;
      return text === '' ? t('Nothing has been written.') : text;
    } catch (error) {
      return messageOf(error);
    }
  }

  dispose(): void {
    for (const key of [...this.#open.keys()]) this.#close(vscode.Uri.parse(key));
    for (const disposable of this.#disposables) disposable.dispose();
    this.#changed.dispose();
  }

  async #begin(uri: vscode.Uri, project: Project, { query }: OutputAddress): Promise<OpenOutput> {
    const { view, extent } = await project.request('openOutput', query);
    const first = Math.max(0, extent.lines - longestDocument);
    const output: OpenOutput = {
      project,
      view,
      extent,
      first,
      next: first,
      text: '',
      timer: undefined,
      reading: Promise.resolve(),
      subscription: project.onNews(news => {
        if (news.type !== 'output' || news.view !== view) return;
        output.extent = news.extent;
        output.timer ??= setTimeout(() => {
          output.timer = undefined;
          this.#changed.fire(uri);
        }, pause);
      }),
    };
    this.#open.set(uri.toString(), output);
    return output;
  }

  /** One after the other: two at once would both go on from the same line. */
  #readOn(output: OpenOutput, withPaths: boolean): Promise<void> {
    const before = output.reading.catch(() => undefined); // told to whoever waited for that one
    output.reading = before.then(() => this.#read(output, withPaths));
    return output.reading;
  }

  async #read(output: OpenOutput, withPaths: boolean): Promise<void> {
    const { project, view } = output;
    // What has grown to twice of what a document holds begins anew with its end.
    const earliest = output.extent.lines - longestDocument;
    if (earliest > output.first + longestDocument) {
      output.first = earliest;
      output.next = earliest;
      output.text = '';
    }
    for (;;) {
      const records = await project.request('readOutput', { view, from: output.next, count: portion });
      if (records.length === 0) return;
      output.text += outputLines(records, withPaths);
      output.next += records.length;
    }
  }

  #close(uri: vscode.Uri): void {
    const output = this.#open.get(uri.toString());
    if (output === undefined) return;
    this.#open.delete(uri.toString());
    output.subscription.dispose();
    clearTimeout(output.timer);
    if (output.project.service.state.kind === 'ready')
      output.project.request('closeOutput', { view: output.view }).catch((error: unknown) => {
        this.#log.debug(messageOf(error));
      });
  }
}
