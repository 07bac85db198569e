/** The section of a run with its output: of everything, or of the attempts of one node. */
import { useId, useMemo, useRef } from 'preact/hooks';
import { formatPath, type NodePath } from '../../../runner/model.ts';
import type { OutputRecord, RunRecord } from '../../../runner/records.ts';
import { type OutputScope, OutputView } from '../../output/output-view.tsx';
import { usePage } from '../../page.ts';
import { ErrorBoundary } from '../../parts/error-boundary.tsx';
import { StatusIcon } from '../../parts/status.tsx';
import type { NodeState } from '../../timeline/layout.ts';
import { labelOf, type NodeHistory } from '../../timeline/nodes.ts';
import type { RunSelection } from './run-panel.tsx';

interface OutputTab {
  readonly id: string;
  readonly title: string;
  readonly state: NodeState | null;
  readonly scope: OutputScope;
  readonly isLive: boolean;
  readonly selection: RunSelection | null;
}

const EVERYTHING = 'everything';
/** Older attempts of one node are in its output as a whole. */
const MAX_ATTEMPTS = 5;

export interface OutputSectionProps {
  readonly run: RunRecord;
  readonly histories: readonly NodeHistory[];
  readonly path?: NodePath;
  readonly selection: RunSelection | null;
  readonly onSelect: (selection: RunSelection | null) => void;
}

export function OutputSection({ run, histories, path, selection, onSelect }: OutputSectionProps) {
  const { connection } = usePage();
  const own = useId();
  const list = useRef<HTMLDivElement>(null);
  const tabs = useMemo(() => outputTabs(run, histories, path, selection), [run, histories, path, selection]);
  const selected = selectedTab(tabs, selection);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = tabs.at((tabs.indexOf(selected) + step + tabs.length) % tabs.length);
    if (next === undefined) return;
    onSelect(next.selection);
    list.current?.querySelectorAll('button')[tabs.indexOf(next)]?.focus();
  };
  return (
    <section id="output" aria-labelledby="output-title">
      <div class="section-head output-head">
        <h2 id="output-title">Output</h2>
        <div class="tabs">
          <div role="tablist" aria-label="Whose output" ref={list} onKeyDown={onKeyDown}>
            {tabs.map(tab => (
              <button
                key={tab.id}
                type="button"
                role="tab"
                id={`${own}-${tab.id}`}
                aria-selected={tab === selected}
                aria-controls={`${own}-panel`}
                tabIndex={tab === selected ? 0 : -1}
                onClick={() => {
                  onSelect(tab.selection);
                }}
              >
                {tab.state === null ? null : <StatusIcon state={tab.state} />}
                {tab.title}
              </button>
            ))}
          </div>
        </div>
      </div>
      <div role="tabpanel" id={`${own}-panel`} aria-labelledby={`${own}-${selected.id}`}>
        <ErrorBoundary connection={connection} what="the output">
          <OutputView
            key={selected.id}
            scope={selected.scope}
            label={`Output of ${selected.title}`}
            pipelinePath={path === undefined ? run.pipelinePath : path.slice(0, -1)}
            isLive={selected.isLive}
            onNode={(record: OutputRecord) => {
              onSelect({ path: record.nodePath, nodeRunId: record.nodeRunId });
            }}
          />
        </ErrorBoundary>
      </div>
    </section>
  );
}

/** Everything, then the attempts of the node that is selected; without one, of the first that failed. */
function outputTabs(
  run: RunRecord,
  histories: readonly NodeHistory[],
  path: NodePath | undefined,
  selection: RunSelection | null,
): readonly [OutputTab, ...OutputTab[]] {
  const { runId } = run;
  const isRunning = run.status === 'running';
  const everything: OutputTab = {
    id: EVERYTHING,
    title: path === undefined ? 'Everything' : (path.at(-1) ?? 'Everything'),
    state: null,
    scope: { runId, ...(path !== undefined && { path }) },
    isLive: isRunning,
    selection: null,
  };
  const wanted = selection === null ? null : formatPath(selection.path);
  const history =
    wanted === null
      ? histories.find(({ state, kind }) => state === 'failed' && kind !== 'pipeline')
      : histories.find(each => formatPath(each.path) === wanted);
  if (history === undefined) return [everything];
  const { state } = history;
  const id = history.path.at(-1) ?? '';
  const isOpen = isRunning && (state === 'running' || state === 'queued' || state === 'waiting');
  const attempts = history.attempts.filter(({ startedAt }) => startedAt !== null);
  if (attempts.length < 2 || history.kind === 'pipeline') {
    if (path !== undefined && formatPath(path) === formatPath(history.path)) return [everything];
    return [
      everything,
      {
        id: `node ${formatPath(history.path)}`,
        title: selection === null ? id : labelOf(history.path, run.pipelinePath),
        state,
        scope: { runId, path: history.path },
        isLive: isOpen,
        selection: { path: history.path, nodeRunId: null },
      },
    ];
  }
  return [
    everything,
    ...attempts.slice(-MAX_ATTEMPTS).map((record, index): OutputTab => ({
      id: `attempt ${record.nodeRunId}`,
      title: index === 0 ? `${id}, attempt ${record.attempt}` : `attempt ${record.attempt}`,
      state: record.status,
      scope: { runId, nodeRunId: record.nodeRunId },
      isLive: isRunning && record.status === 'running',
      selection: { path: history.path, nodeRunId: record.nodeRunId },
    })),
  ];
}

/** Of a node without an attempt in particular, the newest one. */
function selectedTab(tabs: readonly [OutputTab, ...OutputTab[]], selection: RunSelection | null): OutputTab {
  const [everything] = tabs;
  if (selection === null) return everything;
  return (
    tabs.find(tab => selection.nodeRunId !== null && tab.id === `attempt ${selection.nodeRunId}`) ??
    tabs.slice(1).at(-1) ??
    everything
  );
}
