/** Top of a node's page: what it is, how it stands, what can be done; and the run that goes on. */
import type { ComponentChildren } from 'preact';
import { formatClock, formatDuration, formatElapsed } from '../../../runner/format.ts';
import { formatPath } from '../../../runner/model.ts';
import { durationOf } from '../../graph/faces.ts';
import type { NodeView } from '../../messages.ts';
import { useAction, usePage } from '../../page.ts';
import { Button, Menu, Tool } from '../../parts/buttons.tsx';
import { Icon } from '../../parts/icon.tsx';
import { kindIcon, kindName } from '../../parts/kinds.ts';
import { RunLink } from '../../parts/links.tsx';
import { nodeBreadcrumbs, PageFrame } from '../../parts/page-frame.tsx';
import { Status } from '../../parts/status.tsx';
import { stateWord } from '../../parts/states.ts';
import { formatAge } from '../../parts/times.ts';
import type { NodeHistory } from './node-history.ts';

/** Around everything that a page shows of a node. */
export function NodeFrame({
  view,
  history,
  children,
}: {
  view: NodeView;
  history: NodeHistory;
  children: ComponentChildren;
}) {
  const { node, problems } = view;
  return (
    <PageFrame
      breadcrumbs={nodeBreadcrumbs(node.path)}
      icon={<Icon name={kindIcon(node.kind)} label={kindName(node.kind)} size="large" />}
      title={node.path.at(-1) ?? 'All pipelines'}
      actions={<Actions view={view} history={history} />}
      description={node.description}
      facts={
        <>
          {Object.entries(node.labels).map(([key, value]) => (
            <span key={key} class="label">
              <span class="key">{key}</span>
              {value}
            </span>
          ))}
          <Facts view={view} history={history} />
        </>
      }
    >
      {problems.length === 0 ? null : (
        <div class="banner state-waiting" role="status">
          <Icon name="warning" class="coloured" />
          <span class="text">
            {problems[0]}
            {problems.length > 1 ? <span class="dim"> and {problems.length - 1} more problems</span> : null}
          </span>
        </div>
      )}
      {node.kind === 'dynamic' && node.reason !== undefined ? (
        <div class="banner state-waiting" role="status">
          <Icon name="info" class="coloured" />
          <span class="text">{node.reason}</span>
        </div>
      ) : null}
      <LiveStrip history={history} />
      {children}
    </PageFrame>
  );
}

function Actions({ view: { node, source }, history }: { view: NodeView; history: NodeHistory }) {
  const { trusted } = usePage();
  const act = useAction();
  const { path } = node;
  const { activeRun } = history;
  const reason = !trusted
    ? 'Millrace runs nothing in a folder that is not trusted.'
    : activeRun !== null
      ? `Run ${String(activeRun.runId)} goes on.`
      : undefined;
  const run = (withUpstreams: boolean) => () => {
    act({ kind: 'run', paths: [path], withUpstreams });
  };
  const isPipeline = node.kind === 'pipeline';
  return (
    <>
      <Button kind="primary" icon="play" reason={reason} onPress={run(false)}>
        Run
      </Button>
      {path.length <= 1 ? null : (
        <Button icon="run-above" reason={reason} onPress={run(true)}>
          Run with upstreams
        </Button>
      )}
      {isPipeline ? null : (
        <Tool
          icon="debug-alt"
          label="Debug this task"
          reason={reason}
          onPress={() => {
            act({ kind: 'debug', path });
          }}
        />
      )}
      <Tool
        icon="go-to-file"
        label={
          source === null ? 'Open source' : `Open source: ${source.name}:${String(source.location.line)}`
        }
        reason={source === null ? 'The place in the source is not known.' : undefined}
        onPress={() => {
          act({ kind: 'openSource', path });
        }}
      />
      <Menu
        icon="ellipsis"
        label="More actions"
        items={[
          {
            icon: 'history',
            title: 'Run history',
            run: () => {
              act({ kind: 'openHistory', path });
            },
          },
          {
            icon: 'copy',
            title: 'Copy path',
            run: () => {
              act({ kind: 'copy', text: formatPath(path) });
            },
          },
          {
            icon: 'terminal',
            title: 'Copy command to run it',
            run: () => {
              act({ kind: 'copy', text: `millrace run ${shellWord(formatPath(path))}`.trim() });
            },
          },
          {
            icon: 'output',
            title: 'Show log',
            run: () => {
              act({ kind: 'showLog' });
            },
          },
        ]}
      />
    </>
  );
}

function Facts({ view, history }: { view: NodeView; history: NodeHistory }) {
  const { node } = view;
  const own = history.figuresByKey.get(formatPath(node.path));
  const isKnown = history.figures.state.kind === 'ready';
  const last = own?.last ?? null;
  const seconds = durationOf(last);
  const attempts = last !== null && last.attempt > 1 ? ` after ${String(last.attempt)} attempts` : '';
  return (
    <>
      {last !== null ? (
        <Status state={last.status}>
          Last outcome: {stateWord(last.status)}
          {attempts}
          {seconds === null || last.status === 'failed' ? '' : `, ${formatDuration(seconds)}`},{' '}
          {formatAge(last.endedAt ?? last.startedAt ?? history.now, Date.now())}
        </Status>
      ) : isKnown ? (
        <Status state="none">Never ran</Status>
      ) : history.figures.state.kind === 'error' && history.figures.state.code === 'store' ? (
        <span class="status state-waiting">
          <Icon name="database" class="coloured" />
          The store is away: states and durations are not known
        </span>
      ) : null}
      {own?.averageDuration == null ? null : (
        <Fact name="Average duration" value={formatDuration(own.averageDuration)} />
      )}
      {node.kind !== 'pipeline' || own?.averageRunTime == null ? null : (
        <Fact name="Run time" value={formatDuration(own.averageRunTime)} />
      )}
      {node.kind === 'pipeline' || own === undefined || own.cost === 0 ? null : (
        <Fact name="Cost" value={formatDuration(own.cost)} />
      )}
      {node.maxRetries === undefined || node.maxRetries === 0 ? null : (
        <Fact name="Retries" value={String(node.maxRetries)} />
      )}
      {node.timeout === undefined ? null : <Fact name="Timeout" value={formatElapsed(node.timeout)} />}
      {node.maxParallelTasks === undefined ? null : (
        <Fact name="At once" value={`${String(node.maxParallelTasks)} tasks at most`} />
      )}
      {node.onFailure === undefined ? null : <Fact name="On failure" value={node.onFailure} />}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <span>
      <span class="dim">{name}</span> <span class="figures">{value}</span>
    </span>
  );
}

function LiveStrip({ history }: { history: NodeHistory }) {
  const act = useAction();
  const { live, now } = history;
  if (live === null) return null;
  const { run, progress } = live;
  const failed = live.nodeRuns.filter(
    ({ status, kind }) => status === 'failed' && kind !== 'pipeline',
  ).length;
  const elapsed = formatElapsed((now - run.startedAt) / 1000);
  const percent = Math.floor(progress.fraction * 100);
  return (
    <div class="live-strip state-running">
      <span class="status">
        <Icon name="sync~spin" class="coloured" />
        <RunLink runId={run.runId}>Run {run.runId}</RunLink>
        <strong class="figures">{percent} %</strong>
      </span>
      <div
        class="progress"
        role="progressbar"
        aria-label={`Progress of run ${String(run.runId)}`}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <i style={{ width: `${String(percent)}%` }} />
      </div>
      <span class="figures">
        {elapsed}
        {progress.left === null || progress.left < 1 ? '' : `, about ${formatClock(progress.left)} left`}
      </span>
      {failed === 0 ? null : <Status state="failed">{failed} failed</Status>}
      <Tool
        icon="debug-stop"
        label={`Cancel run ${String(run.runId)}`}
        word={run.cancelRequestedAt === null ? 'Cancel' : 'Cancelling…'}
        reason={run.cancelRequestedAt === null ? undefined : 'It was asked to end.'}
        onPress={() => {
          act({ kind: 'cancel', runId: run.runId });
        }}
      />
    </div>
  );
}

function shellWord(text: string): string {
  return /^[\w./-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
