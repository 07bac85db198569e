/** What the page of a task or a parallel task shows: neighbours, run times, commands, attempts. */
import type { NodeView } from '../../messages.ts';
import { Attempts } from './attempts.tsx';
import { ChosenRun } from './chosen-run-panel.tsx';
import { Commands } from './commands.tsx';
import { Neighbours } from './neighbours.tsx';
import type { NodeHistory } from './node-history.ts';
import { RunTimesSection } from './run-times.tsx';

export function TaskContent({ view, history }: { view: NodeView; history: NodeHistory }) {
  const { node } = view;
  const last = history.figuresByKey.get(node.path.join('/'))?.last ?? null;
  return (
    <>
      <Neighbours view={view} history={history} />
      <RunTimesSection path={node.path} history={history} />
      <Commands node={node} last={last} />
      <Attempts path={node.path} history={history} />
      <ChosenRun path={node.path} />
    </>
  );
}
