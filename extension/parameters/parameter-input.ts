/** Parameters of a run: which ones to ask for, and whether what the user typed will do. */
import {
  isAtOrBelow,
  type NodePath,
  type ParameterDefinition,
  type ParameterValue,
} from '../../runner/model.ts';
import { t } from '../l10n.ts';
import type { IndexedNode, PipelineIndex } from '../project/pipeline-index.ts';

export interface AskedParameter {
  readonly name: string;
  readonly definition: ParameterDefinition;
}

/** Those of the pipelines that run, of those around them and of those in them; what is nearer to the root wins. */
export function parametersOf(index: PipelineIndex, paths: readonly NodePath[]): AskedParameter[] {
  const concerned = concernedNodes(index.roots, paths);
  const found = new Map<string, ParameterDefinition>();
  const deepestFirst = concerned.toSorted((a, b) => b.path.length - a.path.length);
  for (const { node } of deepestFirst)
    for (const [name, definition] of Object.entries(node.params ?? {})) found.set(name, definition);
  return [...found].map(([name, definition]) => ({ name, definition }));
}

function concernedNodes(nodes: readonly IndexedNode[], paths: readonly NodePath[]): IndexedNode[] {
  return nodes
    .filter(({ path }) => paths.some(each => isAtOrBelow(each, path) || isAtOrBelow(path, each)))
    .flatMap(node => [node, ...concernedNodes(node.children, paths)]);
}

/** What is wrong with a text for a parameter; `undefined` when it will do. */
export function parameterProblem({ definition }: AskedParameter, text: string): string | undefined {
  switch (definition.type) {
    case 'string':
      return undefined;
    case 'number':
      return text.trim() === '' || !Number.isFinite(Number(text)) ? t('Give a number.') : undefined;
    case 'boolean':
      return text === 'true' || text === 'false' ? undefined : t('Give true or false.');
    case 'date':
      return isDate(text) ? undefined : t('Give a date as YYYY-MM-DD.');
  }
}

/** The text that a parameter begins with: what was given last, else its default. */
export function parameterText({ definition }: AskedParameter, last: ParameterValue | undefined): string {
  return String(last ?? definition.default ?? '');
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
