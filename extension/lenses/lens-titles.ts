/** What stands in the lenses above a node. */
import { formatDuration, formatElapsed } from '../../runner/format.ts';
import type { NodePath } from '../../runner/model.ts';
import { excerptOfError } from '../diagnostics/failure-places.ts';
import { outcomeIcon } from '../icons.ts';
import { t } from '../l10n.ts';
import { findNode } from '../project/pipeline-index.ts';
import { type NodeStatus, nodeStatus, type ProjectState, runOf } from '../project/project-state.ts';
import { formatAge, statusWord } from '../wording.ts';

export interface LensSettings {
  readonly run: boolean;
  readonly runWithUpstreams: boolean;
  readonly graph: boolean;
  readonly lastRun: boolean;
}

export type LensAction = 'run' | 'runWithUpstreams' | 'stop' | 'openNode' | 'openRun';

export interface LensTitle {
  readonly title: string;
  readonly action: LensAction;
  readonly tooltip: string;
}

/**
 * The lenses of one place in the source, in order.
 *
 * @param paths The nodes that the place makes; several in a loop.
 */
export function lensTitles(
  state: ProjectState,
  paths: readonly NodePath[],
  settings: LensSettings,
  now: number,
): LensTitle[] {
  const titles: LensTitle[] = [];
  const count = paths.length;
  const statuses = paths.map(path => nodeStatus(state, path));
  const isRunning = paths.some((path, index) => runOf(state, path, statuses[index]) !== undefined);
  const outcome = settings.lastRun ? summary(statuses, now) : undefined;
  if (isRunning && outcome !== undefined) titles.push(outcome);
  if (settings.run && state.trusted) {
    if (isRunning) {
      titles.push({ title: withIcon('debug-stop', t('Stop')), action: 'stop', tooltip: t('Cancel the run') });
    } else {
      const title = count === 1 ? t('Run') : t('Run ({0} nodes)', count);
      titles.push({
        title: withIcon('play', title),
        action: 'run',
        tooltip: t('Run this and keep its history'),
      });
    }
  }
  const hasUpstreams = paths.some(path => {
    const indexed = findNode(state.pipelines, path);
    return indexed !== undefined && indexed.node.upstreams.length > 0;
  });
  if (settings.runWithUpstreams && state.trusted && hasUpstreams && !isRunning) {
    titles.push({
      title: withIcon('run-above', t('Run with upstreams')),
      action: 'runWithUpstreams',
      tooltip: t('Run this and everything that it waits for'),
    });
  }
  if (settings.graph)
    titles.push({
      title: withIcon('type-hierarchy-sub', t('DAG')),
      action: 'openNode',
      tooltip: t('Open the page with graph, run times and last runs'),
    });
  if (!isRunning && outcome !== undefined) titles.push(outcome);
  return titles;
}

/** One node's last outcome, or how many of several ended how. */
function summary(statuses: readonly NodeStatus[], now: number): LensTitle | undefined {
  const [status] = statuses;
  if (status === undefined) return undefined;
  if (statuses.length === 1) return single(status, now);
  const running = statuses.filter(({ kind }) => kind === 'running' || kind === 'queued').length;
  const failed = statuses.filter(each => each.kind === 'ended' && each.outcome === 'failed').length;
  const succeeded = statuses.filter(each => each.kind === 'ended' && each.outcome === 'succeeded').length;
  const parts: string[] = [];
  if (running > 0) parts.push(withIcon('sync~spin', String(running)));
  if (failed > 0) parts.push(withIcon('error', String(failed)));
  if (succeeded > 0) parts.push(withIcon('pass', String(succeeded)));
  if (parts.length === 0) return undefined;
  return {
    title: parts.join(' '),
    action: 'openRun',
    tooltip: t('{0} running, {1} failed, {2} succeeded', running, failed, succeeded),
  };
}

function single(status: NodeStatus, now: number): LensTitle | undefined {
  switch (status.kind) {
    case 'none':
      return undefined;
    case 'queued':
      return {
        title: withIcon('circle-large-outline', t('queued')),
        action: 'openRun',
        tooltip: t('Open the run'),
      };
    case 'running':
      return {
        title: withIcon('sync~spin', formatElapsed((now - status.startedAt) / 1000)),
        action: 'openRun',
        tooltip: t('Open run {0}', status.runId),
      };
    case 'ended': {
      const { outcome, duration, at, runId } = status;
      const what =
        outcome === 'succeeded' && duration !== null ? formatDuration(duration) : statusWord(outcome);
      const when = at === null ? '' : `, ${formatAge(at, now)}`;
      return {
        title: withIcon(outcomeIcon(outcome).codicon, `${what}${when}`),
        action: 'openRun',
        tooltip: status.error === null ? t('Open run {0}', runId) : excerptOfError(status.error),
      };
    }
  }
}

/** A blank that breaks would be swallowed behind the icon. */
function withIcon(codicon: string, text: string): string {
  return `$(${codicon})\u00a0${text}`;
}
