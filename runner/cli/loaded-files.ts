/** Which files are loaded, as the databases of a project remember it; see runner/commands/parallel/loaded-schema.ts. */
import { forgetFiles, type RememberedFiles, rememberedFiles } from '../commands/parallel/remembered-files.ts';
import { isDriven } from '../databases/clients/clients.ts';
import { openPostgres } from '../databases/connect.ts';
import type { PostgresSession } from '../databases/postgres.ts';
import type { EffectiveConfig } from '../loader/config.ts';
import type { NodePath } from '../model.ts';
import { embeddedServer } from './open-project.ts';

export interface FilesInDatabase extends RememberedFiles {
  readonly alias: string;
}

/** The databases of a project that may remember files. */
export class LoadedFiles implements AsyncDisposable {
  readonly #sessions: readonly PostgresSession[];
  /** Why databases cannot be asked, by alias. */
  readonly unreachable: ReadonlyMap<string, string>;

  private constructor(sessions: readonly PostgresSession[], unreachable: ReadonlyMap<string, string>) {
    this.#sessions = sessions;
    this.unreachable = unreachable;
  }

  /** Connects to all of them that can be reached. */
  static async open(config: EffectiveConfig, directory: string): Promise<LoadedFiles> {
    const sessions: PostgresSession[] = [];
    const unreachable = new Map<string, string>();
    for (const [alias, definition] of Object.entries(config.databases)) {
      // Files are loaded through the bundled client.
      if (isDriven(definition)) continue;
      try {
        const resolveEmbedded = async () => {
          const { warehouseConfig } = await import('../store/embedded/databases.ts');
          return await warehouseConfig({ ...embeddedServer(), projectDirectory: directory });
        };
        sessions.push(await openPostgres(alias, definition, { resolveEmbedded }));
      } catch (error) {
        unreachable.set(alias, error instanceof Error ? error.message : String(error));
      }
    }
    return new LoadedFiles(sessions, unreachable);
  }

  async remembered(path: NodePath): Promise<FilesInDatabase[]> {
    return await this.#ofAll(session => rememberedFiles(session, path));
  }

  async forget(path: NodePath): Promise<FilesInDatabase[]> {
    return await this.#ofAll(session => forgetFiles(session, path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
  }

  async #ofAll(of: (session: PostgresSession) => Promise<RememberedFiles[]>): Promise<FilesInDatabase[]> {
    const found: FilesInDatabase[] = [];
    for (const session of this.#sessions)
      for (const files of await of(session)) found.push({ ...files, alias: session.alias });
    return found;
  }
}
