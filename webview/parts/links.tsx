/** Links that the extension follows: to nodes, runs and files. */
import type { ComponentChildren } from 'preact';
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { PageAction } from '../messages.ts';
import { useAction } from '../page.ts';

/** A link that makes the extension do something. `strong`: Ctrl/Cmd-click does that instead. */
export function ActionLink({
  action,
  withCtrl,
  title,
  class: extra,
  focusable = true,
  children,
}: {
  action: PageAction;
  withCtrl?: PageAction;
  title?: string | undefined;
  class?: string;
  /** Whether Tab reaches it; rows of a table have keys of their own. */
  focusable?: boolean;
  children: ComponentChildren;
}) {
  const act = useAction();
  return (
    <a
      href="#"
      class={extra}
      title={title}
      tabIndex={focusable ? undefined : -1}
      onClick={event => {
        // The address is only there to make it a link.
        event.preventDefault();
        event.stopPropagation();
        act(withCtrl !== undefined && (event.ctrlKey || event.metaKey) ? withCtrl : action);
      }}
    >
      {children}
    </a>
  );
}

/** To a node's page, with Ctrl/Cmd to its source. */
export function NodeLink({
  path,
  title,
  focusable,
  children,
}: {
  path: NodePath;
  title?: string;
  focusable?: boolean;
  /** Default: its id. */
  children?: ComponentChildren;
}) {
  return (
    <ActionLink
      action={{ kind: 'openNode', path }}
      withCtrl={{ kind: 'openSource', path }}
      title={title ?? formatPath(path)}
      {...(focusable === undefined ? {} : { focusable })}
    >
      {children ?? path.at(-1) ?? 'Pipelines'}
    </ActionLink>
  );
}

/** To a run's page, where `path` is selected. */
export function RunLink({
  runId,
  path,
  children,
}: {
  runId: number;
  path?: NodePath;
  children?: ComponentChildren;
}) {
  return (
    <ActionLink
      action={{ kind: 'openRun', runId, ...(path === undefined ? {} : { path }) }}
      title={`Run ${String(runId)}`}
    >
      {children ?? String(runId)}
    </ActionLink>
  );
}

/** To a place in a file. */
export function FileLink({
  file,
  line,
  column,
  children,
}: {
  file: string;
  line?: number;
  column?: number;
  children?: ComponentChildren;
}) {
  return (
    <ActionLink
      action={{
        kind: 'openFile',
        file,
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
      }}
    >
      {children ?? (line === undefined ? file : `${file}:${String(line)}`)}
    </ActionLink>
  );
}
