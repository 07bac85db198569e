/** Everything that a task has tried, newest first. */
import { useState } from 'preact/hooks';
import { formatCount, formatDuration } from '../../../runner/format.ts';
import type { NodePath } from '../../../runner/model.ts';
import type { NodeRunRecord } from '../../../runner/records.ts';
import { durationOf, shortError } from '../../graph/faces.ts';
import { useAction, usePushed, useRequest } from '../../page.ts';
import { Tool } from '../../parts/buttons.tsx';
import { ActionLink, RunLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page-frame.tsx';
import { Loaded } from '../../parts/page-states.tsx';
import { Status, StatusIcon } from '../../parts/status.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { formatMoment } from '../../parts/times.ts';
import { useChosenRun } from './chosen-run.ts';
import type { NodeHistory } from './node-history.ts';

type Attempt = NodeRunRecord & { readonly lines: number };

const pageSize = 20;

export function Attempts({ path, history }: { path: NodePath; history: NodeHistory }) {
  const act = useAction();
  const [limit, setLimit] = useState(pageSize);
  const [chosen, choose] = useChosenRun();
  const attempts = useRequest('attempts', { path, limit });
  usePushed('runs', attempts.reload);
  const list = attempts.state.kind === 'ready' ? attempts.state.value : [];
  const [newest] = list;
  return (
    <Section
      id="attempts"
      title="Attempts"
      tools={
        newest === undefined ? undefined : (
          <Tool
            icon="output"
            label="Show the output of the newest attempt"
            word="Show output"
            onPress={() => {
              act({ kind: 'openOutput', runId: newest.runId, path, nodeRunId: newest.nodeRunId });
            }}
          />
        )
      }
    >
      <Loaded state={attempts.state} what="the attempts" onRetry={attempts.reload}>
        {all =>
          all.length === 0 ? (
            <p class="dim">It has not run yet.</p>
          ) : (
            <>
              <Table
                label="Attempts"
                class="attempts"
                columns={columnsOf(path, history.now)}
                rows={all}
                keyOf={({ nodeRunId }) => String(nodeRunId)}
                selected={
                  chosen === null ? null : String(all.find(({ runId }) => runId === chosen)?.nodeRunId ?? '')
                }
                onOpen={({ runId }) => {
                  choose(chosen === runId ? null : runId);
                }}
              />
              {all.length < limit ? null : (
                <Tool
                  icon="chevron-down"
                  label="Show older attempts"
                  word="Older"
                  onPress={() => {
                    setLimit(limit * 5);
                  }}
                />
              )}
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function columnsOf(path: NodePath, now: number): readonly Column<Attempt>[] {
  const clock = Date.now();
  return [
    {
      id: 'outcome',
      title: 'Outcome',
      class: 'outcome',
      cell: ({ status }, isNarrow) => (isNarrow ? <StatusIcon state={status} /> : <Status state={status} />),
    },
    { id: 'run', title: 'Run', numeric: true, cell: ({ runId }) => <RunLink runId={runId} path={path} /> },
    {
      id: 'attempt',
      title: 'Attempt',
      numeric: true,
      from: 560,
      text: each => String(each.attempt),
      cell: each => each.attempt,
    },
    {
      id: 'started',
      title: 'Started',
      class: 'nowrap figures',
      cell: ({ startedAt }, isNarrow) =>
        startedAt === null ? null : formatMoment(startedAt, clock, isNarrow ? 'minutes' : 'seconds'),
    },
    {
      id: 'duration',
      title: 'Duration',
      numeric: true,
      cell: each => {
        const running = each.startedAt === null ? null : Math.max(0, (now - each.startedAt) / 1000);
        const seconds = each.status === 'running' ? running : durationOf(each);
        return seconds === null ? null : formatDuration(seconds);
      },
    },
    {
      id: 'exit',
      title: 'Exit code',
      numeric: true,
      from: 640,
      text: ({ exitCode }) => (exitCode === null ? null : String(exitCode)),
      cell: ({ exitCode }) => exitCode,
    },
    {
      id: 'lines',
      title: 'Lines',
      numeric: true,
      from: 480,
      text: ({ lines }) => formatCount(lines),
      cell: ({ runId, nodeRunId, lines }) => (
        <ActionLink action={{ kind: 'openOutput', runId, path, nodeRunId }} title="Show the output">
          {formatCount(lines)}
        </ActionLink>
      ),
    },
    {
      id: 'error',
      title: 'Error',
      class: 'prose error-text',
      cell: ({ error, reason }) => (error === null ? null : shortError(error)) ?? reason,
    },
  ];
}
