/** Addresses of stored output as documents: `millrace-output:/run-412/load/customers.log?{…}`. */
import { formatPath } from '../../runner/model.ts';
import type { OutputQuery } from '../../runner/records.ts';

export const outputScheme = 'millrace-output';

export interface OutputAddress {
  readonly folder: string;
  readonly query: OutputQuery;
}

/** Path and query of the address. */
export function outputUriParts({ folder, query }: OutputAddress): {
  readonly path: string;
  readonly query: string;
} {
  const name = query.path === undefined || query.path.length === 0 ? 'output' : formatPath(query.path);
  const attempt = query.nodeRunId === undefined ? '' : `-${String(query.nodeRunId)}`;
  return {
    path: `/run-${String(query.runId)}/${name}${attempt}.log`,
    query: JSON.stringify({ folder, ...query }),
  };
}

/** What an address is about; `undefined` when it is none of ours. */
export function outputAddress(query: string): OutputAddress | undefined {
  let value: unknown;
  try {
    value = JSON.parse(query);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { folder, runId, path, nodeRunId } = value as Readonly<Record<string, unknown>>;
  if (typeof folder !== 'string' || typeof runId !== 'number') return undefined;
  const isPath = Array.isArray(path) && path.every(id => typeof id === 'string');
  return {
    folder,
    query: {
      runId,
      ...(isPath ? { path } : {}),
      ...(typeof nodeRunId === 'number' ? { nodeRunId } : {}),
    },
  };
}
