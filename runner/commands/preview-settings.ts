/** What commands show of settings that they only get when they run. */
import type { ParameterContext } from '../api/context.ts';
import type { Node } from '../api/node.ts';

export interface PreviewSettings {
  /** Alias of the database of commands that name none. */
  readonly defaultDatabase: string;
  /** Directory with input files. */
  readonly dataDir: string;
  /** Reads a file that a preview shows, where it is not that of the disk; throws like `readFileSync`. */
  readonly readFile?: ((path: string) => string) | undefined;
  /** The parameters of a node, where its pipelines do not know them. Default: their defaults. */
  readonly parameters?: ((node: Node | undefined) => ParameterContext['params']) | undefined;
}

let settings: PreviewSettings = { defaultDatabase: 'dwh', dataDir: 'data' };

/** For whoever has read the configuration of the project: makes previews show its settings. */
export function setPreviewSettings(project: PreviewSettings): void {
  settings = project;
}

export function previewSettings(): PreviewSettings {
  return settings;
}
