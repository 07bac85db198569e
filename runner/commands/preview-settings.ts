/** What commands show of settings that they only get when they run. */

export interface PreviewSettings {
  /** Alias of the database of commands that name none. */
  readonly defaultDatabase: string;
  /** Directory with input files. */
  readonly dataDir: string;
  /** Reads a file that a preview shows, where it is not that of the disk; throws like `readFileSync`. */
  readonly readFile?: ((path: string) => string) | undefined;
}

let settings: PreviewSettings = { defaultDatabase: 'dwh', dataDir: 'data' };

/** For whoever has read the configuration of the project: makes previews show its settings. */
export function setPreviewSettings(project: PreviewSettings): void {
  settings = project;
}

export function previewSettings(): PreviewSettings {
  return settings;
}
