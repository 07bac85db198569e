/** The last line that each running task has printed, from one view on the output of the run. */
import { useEffect, useState } from 'preact/hooks';
import { stripAnsi } from '../../output/ansi.ts';
import { usePage } from '../../page.ts';

/** Read again at most so often: ms. */
const PACE = 500;
/** What a busy run may print in between is not looked through. */
const TAIL = 500;
const MAX_LENGTH = 200;

/** By id of the node run; asks nothing while it is not needed. */
export function useLastLines(runId: number, isNeeded: boolean): ReadonlyMap<number, string> {
  const { connection } = usePage();
  const [lines, setLines] = useState<ReadonlyMap<number, string>>(new Map());
  useEffect(() => {
    if (!isNeeded) return;
    const found = new Map<number, string>();
    let isOver = false;
    let view: number | null = null;
    let known = 0;
    let read = 0;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const readSoon = (): void => {
      if (timer !== null || isOver) return;
      timer = setTimeout(
        () => {
          if (view === null || known <= read) {
            timer = null;
            return;
          }
          const from = Math.max(read, known - TAIL);
          read = known;
          connection
            .request('readOutput', { view, from, count: known - from })
            .then(records => {
              for (const { nodeRunId, message } of records)
                if (message.trim() !== '') found.set(nodeRunId, stripAnsi(message.slice(0, MAX_LENGTH)));
              if (!isOver) setLines(new Map(found));
            })
            // The output below says what is wrong.
            .catch(() => null)
            .finally(() => {
              timer = null;
              if (known > read) readSoon();
            });
        },
        read === 0 ? 0 : PACE,
      );
    };
    const end = connection.on('output', message => {
      if (message.view !== view) return;
      known = message.extent.lines;
      readSoon();
    });
    connection.request('openOutput', { runId }).then(
      opened => {
        if (isOver) {
          connection.request('closeOutput', { view: opened.view }).catch(() => null);
          return;
        }
        ({ view } = opened);
        known = opened.extent.lines;
        readSoon();
      },
      () => null,
    );
    return () => {
      isOver = true;
      end();
      if (timer !== null) clearTimeout(timer);
      if (view !== null) connection.request('closeOutput', { view }).catch(() => null);
    };
  }, [connection, runId, isNeeded]);
  return lines;
}
