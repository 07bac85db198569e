/** How long runs took over time: the node and its most expensive children; and the same as a table. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatDuration } from '../../../runner/format.ts';
import type { NodePath } from '../../../runner/model.ts';
import type { RunTimes } from '../../../runner/records.ts';
import { messageOf } from '../../connection.ts';
import { usePage, useTheme } from '../../page.ts';
import { Tool } from '../../parts/buttons.tsx';
import { Icon } from '../../parts/icon.tsx';
import { RunLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page-frame.tsx';
import { Failure, Loaded, PageState } from '../../parts/page-states.tsx';
import { StatusIcon } from '../../parts/status.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { formatMoment } from '../../parts/times.ts';
import { useChosenRun } from './chosen-run.ts';
import type { NodeHistory } from './node-history.ts';
import type { RunTimesChart } from './run-times-chart.ts';
import { extentOf, hasEnough, rowsOf, type Series, seriesOf } from './run-times-model.ts';
import { lineStyles } from './run-times-styles.ts';

export function RunTimesSection({ path, history }: { path: NodePath; history: NodeHistory }) {
  const [isTable, setTable] = useState(false);
  const { state, reload } = history.runTimes;
  const name = path.at(-1) ?? 'All pipelines';
  const series = state.kind === 'ready' ? seriesOf(state.value, name) : [];
  return (
    <Section
      id="run-times"
      title="Run times"
      note={hasEnough(series) ? extentOf(series) : undefined}
      tools={
        hasEnough(series) ? (
          <Tool
            icon="table"
            label="Show the chart as a table"
            word="As table"
            pressed={isTable}
            onPress={() => {
              setTable(!isTable);
            }}
          />
        ) : undefined
      }
    >
      <Loaded state={state} what="the run times" onRetry={reload}>
        {times =>
          !hasEnough(series) ? (
            <PageState
              icon="graph-line"
              title="Not enough data"
              detail="Run times are drawn from the second run on."
            />
          ) : isTable ? (
            <TimesTable times={times} name={name} />
          ) : (
            <TimesChart series={series} />
          )
        }
      </Loaded>
    </Section>
  );
}

function TimesChart({ series }: { series: readonly Series[] }) {
  const { connection } = usePage();
  const [chosen, choose] = useChosenRun();
  const theme = useTheme();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [chart, setChart] = useState<RunTimesChart | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let drawn: RunTimesChart | null = null;
    let isGone = false;
    import('./run-times-chart.ts').then(
      ({ drawRunTimes }) => {
        if (isGone || canvas.current === null) return;
        drawn = drawRunTimes(canvas.current, choose);
        setChart(drawn);
      },
      (reason: unknown) => {
        connection.fault(reason);
        setError(messageOf(reason));
      },
    );
    return () => {
      isGone = true;
      drawn?.dispose();
    };
  }, [connection, choose]);
  useEffect(() => {
    chart?.show(series, chosen);
  }, [chart, series, chosen, theme]);
  if (error !== null)
    return <Failure title="The chart could not be drawn; “As table” shows the same" detail={error} />;
  const [own] = series;
  const hasFailures = series.some(({ failures }) => failures.length > 0);
  return (
    <>
      <ul class="keys" aria-label="Lines" hidden={series.length < 2 && !hasFailures}>
        {(series.length > 1 ? series : []).map(({ name }, index) => {
          const { colour, width, dash } = lineStyles(index);
          return (
            <li key={name}>
              <svg width="24" height="8" aria-hidden="true">
                <path
                  d="M0 4h24"
                  stroke={`var(${colour})`}
                  stroke-width={width}
                  stroke-dasharray={dash.length === 0 ? undefined : dash.join(' ')}
                />
              </svg>
              {name}
            </li>
          );
        })}
        {hasFailures ? (
          <li class="state-failed">
            <Icon name="error" class="coloured" />
            failed
          </li>
        ) : null}
      </ul>
      <div class="run-times">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`Run times of ${own?.name ?? ''} in ${extentOf(series)}; “As table” shows the same as a table`}
        />
      </div>
    </>
  );
}

type Row = ReturnType<typeof rowsOf>[number];

function TimesTable({ times, name }: { times: readonly RunTimes[]; name: string }) {
  const [chosen, choose] = useChosenRun();
  const now = Date.now();
  const columns: readonly Column<Row>[] = [
    {
      id: 'run',
      title: 'Run',
      numeric: true,
      class: 'run-id',
      cell: ({ runId }) => <RunLink runId={runId} />,
    },
    { id: 'started', title: 'Started', class: 'nowrap figures', cell: ({ at }) => formatMoment(at, now) },
    ...times.map(({ path }, index): Column<Row> => {
      const title = path.at(-1) ?? name;
      return {
        id: String(index),
        title,
        numeric: true,
        from: index === 0 ? 0 : 240 + index * 110,
        text: ({ points }) => {
          const point = points[index];
          return point?.duration == null ? null : `${formatDuration(point.duration)}, ${point.status}`;
        },
        cell: ({ points }) => {
          const point = points[index];
          if (point == null) return null;
          return (
            <span class="status">
              {point.status === 'succeeded' ? null : <StatusIcon state={point.status} />}
              {point.duration === null ? '' : formatDuration(point.duration)}
            </span>
          );
        },
      };
    }),
  ];
  return (
    <Table
      label="Run times"
      class="times"
      columns={columns}
      rows={rowsOf(times)}
      keyOf={({ runId }) => String(runId)}
      selected={chosen === null ? null : String(chosen)}
      onOpen={({ runId }) => {
        choose(runId);
      }}
      pageSize={50}
    />
  );
}
