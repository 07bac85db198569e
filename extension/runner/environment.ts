/** The environment and the runtime of the processes that Millrace starts from an editor. */
import { join } from 'node:path';

export interface Runtime {
  /** The Node that runs Millrace. */
  readonly execPath: string;
  /** Folder of the bundle. */
  readonly dist: string;
}

/** Variables of the editor that are no business of the user's pipelines. */
const ofTheEditor =
  /^(?:VSCODE_|ELECTRON_|CHROME_|NODE_OPTIONS$|NODE_CHANNEL_|APPLICATION_INSIGHTS|MILLRACE_SERVICE$|MILLRACE_WORKER$)/;

/**
 * The environment for a process of ours: the editor's own without what it needs for itself.
 *
 * @param storeUrl Address of the store with its password, by a setting; the environment's own wins.
 */
export function processEnvironment(
  environment: NodeJS.ProcessEnv,
  storeUrl?: string,
): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && !ofTheEditor.test(name)) own[name] = value;
  if (storeUrl !== undefined && storeUrl !== '' && (own['MILLRACE_STORE_URL'] ?? '') === '')
    own['MILLRACE_STORE_URL'] = storeUrl;
  // The editor's runtime is Node only when it is told so; a plain Node does not mind.
  own['ELECTRON_RUN_AS_NODE'] = '1';
  return own;
}

/** The file of the command line. */
export function cliFile({ dist }: Runtime): string {
  return join(dist, 'millrace.js');
}

/** Puts a password into an address; what the address has already stays. */
export function withPassword(url: string, password: string | undefined): string {
  if (password === undefined || password === '') return url;
  const parts = /^(postgres(?:ql)?:\/\/)(?:([^@/?#]*)@)?(.*)$/s.exec(url);
  if (parts === null) return url;
  const [, scheme = '', user = '', rest = ''] = parts;
  if (user === '' || user.includes(':')) return url;
  return `${scheme}${user}:${encodeURIComponent(password)}@${rest}`;
}
