/** The module `millrace` as user code sees it: the runner's own classes, whatever is installed. */
import type { ModuleFormat } from './module-format.ts';

/** What the module exports, by name. */
export type ApiExports = Readonly<Record<string, unknown>>;

/** The name that user code imports. */
export const API_NAME = 'millrace';

const KEY = 'millrace.api';

const URLS: Readonly<Record<ModuleFormat, string>> = { module: 'millrace:api', commonjs: 'millrace:api-cjs' };

/** Makes the runner's API reachable for the module that {@link virtualApiSource} writes. */
export function publishApi(api: ApiExports): void {
  Object.defineProperty(globalThis, Symbol.for(KEY), { value: api, configurable: true });
}

export function virtualApiUrl(format: ModuleFormat): string {
  return URLS[format];
}

/** The format of one of the URLs of {@link virtualApiUrl}; `undefined` for all others. */
export function virtualApiFormat(url: string): ModuleFormat | undefined {
  if (url === URLS.module) return 'module';
  return url === URLS.commonjs ? 'commonjs' : undefined;
}

/** Code that exports what was published. */
export function virtualApiSource(format: ModuleFormat, api: ApiExports): string {
  const published = `globalThis[Symbol.for('${KEY}')]`;
  if (format === 'commonjs') return `module.exports = ${published};\n`;
  const exports = Object.keys(api).map(name =>
    name === 'default' ? 'export default api.default;' : `export const ${name} = api.${name};`,
  );
  return [`const api = ${published};`, ...exports, ''].join('\n');
}
