/** Timeline, statistics and output of the run that is chosen on the page. */
import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { NodePath } from '../../../runner/model.ts';
import { messageOf } from '../../connection.ts';
import { usePage } from '../../page.ts';
import { Failure, Loading } from '../../parts/page-states.tsx';
import { useChosenRun } from './chosen-run.ts';

export function ChosenRun({ path }: { path: NodePath }) {
  const [chosen] = useChosenRun();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen !== null) place.current?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  return (
    <div ref={place}>{chosen === null ? null : <LoadedRun key={chosen} runId={chosen} path={path} />}</div>
  );
}

type RunPanel = ComponentType<{ runId: number; path?: NodePath }>;

/** Its parts are loaded when a run is chosen for the first time. */
function LoadedRun({ runId, path }: { runId: number; path: NodePath }) {
  const { connection } = usePage();
  const [panel, setPanel] = useState<{ readonly Panel: RunPanel } | { readonly error: string } | null>(null);
  useEffect(() => {
    import('../run/run-panel.tsx').then(
      module => {
        setPanel({ Panel: module.RunPanel });
      },
      (error: unknown) => {
        connection.fault(error);
        setPanel({ error: messageOf(error) });
      },
    );
  }, [connection]);
  if (panel === null) return <Loading what={`run ${String(runId)}`} />;
  if ('error' in panel)
    return <Failure title="The parts that show a run could not be loaded" detail={panel.error} />;
  return <panel.Panel runId={runId} path={path} />;
}
