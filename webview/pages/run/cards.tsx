/** Cards of a run: what failed (they stay), and what goes on right now. */
import { useState } from 'preact/hooks';
import { formatCount, formatDuration, formatElapsed, plural } from '../../../runner/format.ts';
import { formatPath, type NodePath } from '../../../runner/model.ts';
import { stripAnsi } from '../../output/ansi.ts';
import { lineText } from '../../output/line-text.ts';
import { findLinks } from '../../output/links.ts';
import { useAction } from '../../page.ts';
import { Button, Tool } from '../../parts/buttons.tsx';
import { FileLink, NodeLink } from '../../parts/links.tsx';
import { StatusIcon } from '../../parts/status.tsx';
import { formatAge } from '../../parts/times.ts';
import { labelOf, type NodeHistory } from '../../timeline/nodes.ts';
import type { FailedNode } from './failures.ts';
import type { RunSelection } from './run-panel.tsx';

const MAX_FAILURES = 3;
const MAX_LINES = 12;
const MAX_LENGTH = 500;
const MAX_RUNNING = 9;
const MAX_NAMES = 4;

export function FailureCards({
  failed,
  pipelinePath,
  now,
  onShow,
}: {
  failed: readonly FailedNode[];
  pipelinePath: NodePath;
  now: number;
  onShow: (selection: RunSelection) => void;
}) {
  const [isAll, setAll] = useState(false);
  const shown = isAll ? failed : failed.slice(0, MAX_FAILURES);
  if (failed.length === 0) return null;
  return (
    <div class="failures">
      {shown.map(one => (
        <FailureCard
          key={formatPath(one.history.path)}
          failed={one}
          pipelinePath={pipelinePath}
          now={now}
          onShow={onShow}
        />
      ))}
      {shown.length < failed.length ? (
        <Button
          onPress={() => {
            setAll(true);
          }}
        >
          Show {formatCount(failed.length - shown.length)} more that failed
        </Button>
      ) : null}
    </div>
  );
}

function FailureCard({
  failed: { history, last, skipped, skippedTasks },
  pipelinePath,
  now,
  onShow,
}: {
  failed: FailedNode;
  pipelinePath: NodePath;
  now: number;
  onShow: (selection: RunSelection) => void;
}) {
  const act = useAction();
  const [isWhole, setWhole] = useState(false);
  const text =
    last.error ?? last.reason ?? (history.state === 'lost' ? 'The runner died.' : 'It did not say why.');
  const error = text.split('\n').map(stripAnsi).join('\n');
  const lines = error.split('\n');
  const shown = isWhole ? lines : lines.slice(0, MAX_LINES).map(shorten);
  const hidden = lines.length - shown.length;
  const isCut = hidden > 0 || shown.some((line, index) => line !== lines[index]);
  // What a caret points at keeps its place.
  const carets = lines.flatMap((line, index) => (/^\s+\^\s*$/.test(line) ? [index - 1, index] : []));
  const attempts = history.attempts.filter(({ startedAt }) => startedAt !== null).length;
  const duration =
    last.startedAt === null || last.endedAt === null ? null : (last.endedAt - last.startedAt) / 1000;
  const when = [
    duration === null ? '' : formatDuration(duration),
    last.endedAt === null ? '' : formatAge(last.endedAt, now),
    last.exitCode === null || last.exitCode === 0 ? '' : `exit code ${last.exitCode}`,
  ].filter(part => part !== '');
  const place = findLinks(error).find(({ target }) => target.kind === 'file')?.target;
  const label = labelOf(history.path, pipelinePath);
  return (
    <article class={`failure state-${history.state}`} aria-label={`${label} ${history.state}`}>
      <header>
        <StatusIcon state={history.state} />
        <span class="strong">
          <NodeLink path={history.path}>{label}</NodeLink>
        </span>
        <span>
          {history.state}
          {attempts > 1 ? ` after ${attempts} attempts` : ''}
        </span>
        <span class="dim">{when.join(', ')}</span>
        <span class="toolbar">
          <Tool
            icon="output"
            label="Show in output"
            word="Show in output"
            onPress={() => {
              onShow({ path: history.path, nodeRunId: last.nodeRunId });
            }}
          />
          <Tool
            icon="go-to-file"
            label="Open its source"
            onPress={() => {
              act({ kind: 'openSource', path: history.path });
            }}
          />
          <Tool
            icon="copy"
            label="Copy the error"
            onPress={() => {
              act({ kind: 'copy', text: error });
            }}
          />
        </span>
      </header>
      <pre class="failure-text" tabIndex={carets.length > 0 ? 0 : undefined}>
        {shown.map((line, index) => (
          <ErrorLine key={index} text={line} isExact={carets.includes(index)} />
        ))}
      </pre>
      {isCut ? (
        <Tool
          icon="unfold"
          label="Show the whole error"
          word={hidden > 0 ? plural(hidden, 'more line') : 'All of it'}
          onPress={() => {
            setWhole(true);
          }}
        />
      ) : null}
      {place?.kind !== 'file' && skipped.length === 0 ? null : (
        <div class="failure-foot">
          {place?.kind === 'file' ? (
            <FileLink
              file={place.file}
              line={place.line}
              {...(place.column !== undefined && { column: place.column })}
            />
          ) : null}
          {skipped.length === 0 ? null : (
            <span class="dim">
              {place?.kind === 'file' ? ' · ' : ''}
              {skippedTasks === 0
                ? 'skipped: '
                : `${formatCount(skippedTasks)} ${skippedTasks === 1 ? 'task' : 'tasks'} skipped: `}
              {skipped
                .slice(0, MAX_NAMES)
                .map(path => labelOf(path, pipelinePath))
                .join(', ')}
              {skipped.length > MAX_NAMES ? ` and ${formatCount(skipped.length - MAX_NAMES)} more` : ''}
            </span>
          )}
        </div>
      )}
    </article>
  );
}

function shorten(line: string): string {
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}

/** Links are made where places and addresses stand. */
function ErrorLine({ text, isExact }: { text: string; isExact: boolean }) {
  const act = useAction();
  return (
    <span class={`failure-line${isExact ? ' exact' : ''}`}>
      {lineText(text, '').pieces.map(({ text: piece, link }, index) =>
        link === null ? (
          piece
        ) : link.kind === 'file' ? (
          <FileLink
            key={index}
            file={link.file}
            line={link.line}
            {...(link.column !== undefined && { column: link.column })}
          >
            {piece}
          </FileLink>
        ) : (
          <a
            key={index}
            href="#"
            onClick={event => {
              event.preventDefault();
              act({ kind: 'openLink', url: link.url });
            }}
          >
            {piece}
          </a>
        ),
      )}
    </span>
  );
}

export function RunningCards({
  running,
  lastLines,
  pipelinePath,
  now,
  onShow,
}: {
  running: readonly NodeHistory[];
  /** By id of the node run. */
  lastLines: ReadonlyMap<number, string>;
  pipelinePath: NodePath;
  now: number;
  onShow: (selection: RunSelection) => void;
}) {
  if (running.length === 0) return null;
  const shown = running.slice(0, MAX_RUNNING);
  return (
    <div class="running-cards">
      {shown.map(history => (
        <RunningCard
          key={formatPath(history.path)}
          history={history}
          lastLine={lastLines.get(history.attempts.at(-1)?.nodeRunId ?? -1) ?? ''}
          label={labelOf(history.path, pipelinePath)}
          now={now}
          onShow={onShow}
        />
      ))}
      {shown.length < running.length ? (
        <p class="dim">and {formatCount(running.length - shown.length)} more are running</p>
      ) : null}
    </div>
  );
}

function RunningCard({
  history,
  lastLine,
  label,
  now,
  onShow,
}: {
  history: NodeHistory;
  lastLine: string;
  label: string;
  now: number;
  onShow: (selection: RunSelection) => void;
}) {
  const act = useAction();
  const last = history.attempts.at(-1);
  const elapsed = Math.max(0, (now - (last?.startedAt ?? now)) / 1000);
  const { expected } = history;
  const share = expected === null || expected === 0 ? null : Math.min(1, elapsed / expected);
  return (
    <article class="running-card state-running" aria-label={`${label} running`}>
      <header>
        <StatusIcon state="running" />
        <a
          href="#"
          title="Show its output (Ctrl+click: its page)"
          onClick={event => {
            event.preventDefault();
            if (event.ctrlKey || event.metaKey) act({ kind: 'openNode', path: history.path });
            else onShow({ path: history.path, nodeRunId: last?.nodeRunId ?? null });
          }}
        >
          {label}
        </a>
        {last !== undefined && last.attempt > 1 ? <span class="dim">attempt {last.attempt}</span> : null}
        <span class="numeric">
          {formatElapsed(elapsed)}
          {expected === null ? null : (
            <span class="dim"> of {formatElapsed(Math.max(1, Math.round(expected)))}</span>
          )}
        </span>
      </header>
      <div class={`running-bar${share === null ? ' unknown' : ''}`} aria-hidden="true">
        <i style={{ width: `${(share ?? 0) * 100}%` }} />
      </div>
      <code class="running-line">{lastLine === '' ? '\u00a0' : lastLine}</code>
    </article>
  );
}
