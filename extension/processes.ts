/** How processes of ours are started for a folder: by which runtime, in which environment. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { PROTOCOL_VERSION } from '../runner/service/protocol.ts';
import type { Project } from './project/project.ts';
import { processEnvironment, type Runtime, withPassword } from './runner/environment.ts';
import type { CommandLine } from './runner/run-starter.ts';
import { storePassword } from './secrets.ts';
import type { ServiceLaunch } from './service/service-client.ts';
import { nodePath, storeUrl } from './settings.ts';

export class Processes {
  readonly #dist: string;
  readonly #secrets: vscode.SecretStorage;

  constructor(context: vscode.ExtensionContext) {
    this.#dist = join(context.extensionPath, 'dist');
    this.#secrets = context.secrets;
  }

  get dist(): string {
    return this.#dist;
  }

  runtime(folder: vscode.Uri): Runtime {
    // What a folder that is not trusted says does not count: the setting is restricted.
    return { execPath: nodePath(folder) ?? process.execPath, dist: this.#dist };
  }

  /** For a service; user code is loaded in trusted folders only. */
  async launch({ state }: Project): Promise<ServiceLaunch> {
    const folder = vscode.Uri.parse(state.folder);
    const url = await this.#storeAddress(folder);
    return {
      ...this.runtime(folder),
      env: processEnvironment(process.env),
      options: {
        version: PROTOCOL_VERSION,
        directory: state.directory,
        trusted: state.trusted,
        ...(url === undefined ? {} : { storeUrl: url }),
      },
    };
  }

  async commandLine({ state }: Project): Promise<CommandLine> {
    const folder = vscode.Uri.parse(state.folder);
    return {
      runtime: this.runtime(folder),
      env: processEnvironment(process.env, await this.#storeAddress(folder)),
      directory: state.directory,
    };
  }

  async #storeAddress(folder: vscode.Uri): Promise<string | undefined> {
    const url = storeUrl(folder);
    return url === undefined ? undefined : withPassword(url, await storePassword(this.#secrets, url));
  }
}
