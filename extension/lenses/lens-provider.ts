/** Lenses above the nodes of pipeline files. */
import * as vscode from 'vscode';
import { type Disposes, Paced } from '../events.ts';
import { t } from '../l10n.ts';
import type { Language } from '../language-client.ts';
import type { Lens } from '../language/protocol.ts';
import type { Projects } from '../project/projects.ts';
import { concernsLenses, lensSettings } from '../settings.ts';
import { lensTitles } from './lens-titles.ts';

/**
 * Milliseconds between two changes. VS Code asks for the lenses when nothing has changed for 250 ms: told more often, it
 * would not ask during a busy run.
 */
const pause = 400;
/** Milliseconds between two looks whether lenses are still true. */
const lookPause = 200;

export class LensProvider implements vscode.CodeLensProvider, Disposes {
  readonly #projects: Projects;
  readonly #language: Language;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #soon = new Paced(pause, () => {
    this.#changed.fire();
  });
  readonly #look = new Paced(lookPause, () => {
    if (this.#isOutdated()) this.#soon.wish();
  });
  readonly #disposables: vscode.Disposable[];
  /** Titles of what was asked for last, by file, so that nothing is drawn anew without need. */
  readonly #drawn = new Map<string, { readonly lenses: readonly Lens[]; titles: string }>();

  constructor(projects: Projects, language: Language) {
    this.#projects = projects;
    this.#language = language;
    projects.onChange(() => {
      this.#look.wish();
    });
    this.#disposables = [
      language.onChange(() => {
        this.#soon.wish();
      }),
      vscode.workspace.onDidChangeConfiguration(event => {
        if (concernsLenses(event)) this.#soon.wish();
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        this.#drawn.delete(uri.toString());
      }),
      vscode.languages.registerCodeLensProvider(
        [
          { scheme: 'file', language: 'typescript' },
          { scheme: 'file', language: 'javascript' },
        ],
        this,
      ),
    ];
  }

  async provideCodeLenses(
    document: vscode.TextDocument,
    token: vscode.CancellationToken,
  ): Promise<vscode.CodeLens[]> {
    const project = this.#projects.ofFile(document.uri);
    if (project === undefined || project.state.pipelines.roots.length === 0) return [];
    const lenses = await this.#language.lenses(document.uri, token).catch((error: unknown) => {
      if (token.isCancellationRequested) return [];
      throw error;
    });
    // Nobody waits for them any more.
    if (token.isCancellationRequested) return [];
    const { folder } = project.state;
    this.#drawn.set(document.uri.toString(), { lenses, titles: this.#titles(folder, lenses) });
    const settings = lensSettings();
    const now = Date.now();
    return lenses.flatMap(({ range, paths }) => {
      const place = new vscode.Range(
        range.start.line,
        range.start.character,
        range.end.line,
        range.end.character,
      );
      return lensTitles(project.state, paths, settings, now).map(
        ({ title, tooltip, action }) =>
          new vscode.CodeLens(place, {
            title,
            tooltip,
            command: 'millrace.lens',
            arguments: [{ action, folder, paths }],
          }),
      );
    });
  }

  dispose(): void {
    this.#soon.dispose();
    this.#look.dispose();
    for (const disposable of this.#disposables) disposable.dispose();
    this.#changed.dispose();
  }

  #isOutdated(): boolean {
    let isOutdated = false;
    for (const [uri, drawn] of this.#drawn) {
      const folder = this.#projects.ofFile(vscode.Uri.parse(uri))?.state.folder;
      const titles = folder === undefined ? '' : this.#titles(folder, drawn.lenses);
      isOutdated ||= titles !== drawn.titles;
      drawn.titles = titles;
    }
    return isOutdated;
  }

  #titles(folder: string, lenses: readonly Lens[]): string {
    const state = this.#projects.find(folder)?.state;
    if (state === undefined) return '';
    const settings = lensSettings();
    const now = Date.now();
    return lenses
      .map(({ paths }) =>
        lensTitles(state, paths, settings, now)
          .map(({ title }) => title)
          .join('|'),
      )
      .join('\n');
  }
}

/** Which of several nodes a lens is about; `undefined` when the user changes their mind. */
export async function pickOfLens(
  paths: readonly (readonly string[])[],
): Promise<readonly string[] | undefined> {
  if (paths.length <= 1) return paths[0];
  const items = paths.map(path => ({
    label: path.at(-1) ?? '',
    description: path.slice(0, -1).join('/'),
    path,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: t('This line makes {0} nodes', paths.length),
    matchOnDescription: true,
  });
  return picked?.path;
}
