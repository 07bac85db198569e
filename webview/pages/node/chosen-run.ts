/** The run that is chosen on the page: by its row, or by a click on a point of the chart. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export type ChosenRun = readonly [runId: number | null, choose: (runId: number | null) => void];

export const ChosenRunContext = createContext<ChosenRun | null>(null);

export function useChosenRun(): ChosenRun {
  const chosen = useContext(ChosenRunContext);
  if (chosen === null) throw new Error('no run can be chosen here');
  return chosen;
}
