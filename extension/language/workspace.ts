/** The folders that are open in the editor, their projects, and the documents that lie over their files. */
import { dirname, sep } from 'node:path';
import { projectDirectoryOf } from './find-project.ts';
import { LanguageProject, type LanguageProjectOptions } from './language-project.ts';
import { fileOf, uriOf } from './place.ts';

/** A folder with its project. Folders of the same project share it. */
interface Folder {
  readonly uri: string;
  readonly project: LanguageProject;
}

export class Workspace {
  readonly #signal: () => AbortSignal;
  readonly #folders: Folder[] = [];
  /** Texts of open documents, by file. */
  readonly #documents = new Map<string, string>();

  constructor(signal: () => AbortSignal) {
    this.#signal = signal;
  }

  get projects(): readonly LanguageProject[] {
    return [...new Set(this.#folders.map(({ project }) => project))];
  }

  /** @returns the project, if it is a new one */
  addFolder(uri: string): LanguageProject | undefined {
    const directory = fileOf(uri)?.replace(/(?<=.)[\\/]$/, '');
    if (directory === undefined || this.#folders.some(folder => folder.uri === uri)) return undefined;
    return this.#add(uri, projectDirectoryOf(directory));
  }

  /** @returns the project, if no folder of it is left */
  removeFolder(uri: string): LanguageProject | undefined {
    const index = this.#folders.findIndex(folder => folder.uri === uri);
    const [removed] = index < 0 ? [] : this.#folders.splice(index, 1);
    return removed === undefined || this.projects.includes(removed.project) ? undefined : removed.project;
  }

  #add(uri: string, directory: string): LanguageProject | undefined {
    const known = this.projects.find(project => project.directory === directory);
    if (known !== undefined) {
      this.#folders.push({ uri, project: known });
      return undefined;
    }
    const options: LanguageProjectOptions = { folder: uri, directory, signal: this.#signal };
    const project = new LanguageProject(options);
    for (const [file, text] of this.#documents) if (isIn(file, directory)) project.update(file, text);
    this.#folders.push({ uri, project });
    return project;
  }

  /** The project of a folder as the editor names it. */
  projectOf(folder: string): LanguageProject | undefined {
    return this.#folders.find(({ uri }) => uri === folder)?.project;
  }

  /** The innermost project that a file belongs to. */
  projectAt(file: string): LanguageProject | undefined {
    return this.projects
      .filter(({ directory }) => isIn(file, directory))
      .sort((a, b) => b.directory.length - a.directory.length)[0];
  }

  /**
   * A document is opened, changed, or closed (`undefined`).
   *
   * @returns the project, if the file belongs to no folder and is the first one of its project
   */
  setDocument(file: string, text: string | undefined): LanguageProject | undefined {
    if (text === undefined) this.#documents.delete(file);
    else this.#documents.set(file, text);
    const concerned = this.projects.filter(({ directory }) => isIn(file, directory));
    for (const project of concerned) project.update(file, text);
    if (concerned.length > 0 || text === undefined || !/\.pipeline\.[mc]?[tj]s$/.test(file)) return undefined;
    const directory = projectDirectoryOf(dirname(file));
    return this.#add(uriOf(directory), directory);
  }

  /** A file has changed on the disk. What is open in the editor counts instead. */
  changeOnDisk(file: string): void {
    if (this.#documents.has(file) || /[\\/](?:node_modules|\.git|\.millrace)[\\/]/.test(file)) return;
    for (const project of this.projects) if (isIn(file, project.directory)) project.update(file, undefined);
  }
}

function isIn(file: string, directory: string): boolean {
  return file.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}
