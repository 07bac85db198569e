/** Runs in words. */
import { formatPath, isAtOrBelow, type NodePath, type RunTrigger } from '../../../runner/model.ts';
import type { RunRecord } from '../../../runner/records.ts';

/** `in the editor`, as in “started … in the editor”. */
export function triggerText(trigger: RunTrigger): string {
  switch (trigger) {
    case 'editor':
      return 'in the editor';
    case 'cli':
      return 'in a terminal';
    case 'api':
      return 'by the API';
    case 'schedule':
      return 'by a schedule';
  }
}

/** One word for lists. */
export function triggerWord(trigger: RunTrigger): string {
  return trigger === 'cli' ? 'terminal' : trigger;
}

/** What ran of the pipeline: `everything`, `a, b and 3 more`, `a with upstreams`. */
export function selectionText({ nodePaths, pipelinePath, withUpstreams }: RunRecord): string {
  if (nodePaths.length === 0 || nodePaths.some(path => isAtOrBelow(pipelinePath, path))) return 'everything';
  const names = nodePaths.slice(0, 3).map(path => nameBelow(path, pipelinePath));
  const more = nodePaths.length > names.length ? ` and ${nodePaths.length - names.length} more` : '';
  return `${names.join(', ')}${more}${withUpstreams ? ' with upstreams' : ''}`;
}

export function pipelineText(path: NodePath): string {
  return path.length === 0 ? 'everything' : formatPath(path);
}

function nameBelow(path: NodePath, pipelinePath: NodePath): string {
  return formatPath(isAtOrBelow(path, pipelinePath) ? path.slice(pipelinePath.length) : path);
}
