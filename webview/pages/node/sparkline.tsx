/** The last outcomes of a node: height is duration; a failure is as high as can be, with a cross; what did not run is a line. */
import type { RunPoint } from '../../../runner/records.ts';
import { plural } from '../../../runner/format.ts';

const size = { width: 80, height: 16, bar: 6, step: 8 };

export function Sparkline({ points }: { points: readonly RunPoint[] }) {
  if (points.length === 0) return null;
  const longest = Math.max(0, ...points.map(({ duration }) => duration ?? 0));
  const first = size.width - points.length * size.step;
  return (
    <svg
      class="sparkline"
      width={size.width}
      height={size.height}
      role="img"
      aria-label={`last ${plural(points.length, 'run')}: ${points.map(({ status }) => status).join(', ')}`}
    >
      {points.map(({ runId, status, duration }, index) => {
        const x = first + index * size.step;
        if (status === 'skipped' || status === 'cancelled' || status === 'unchanged')
          return <rect key={runId} class={`state-${status}`} x={x} y={15} width={size.bar} height={1} />;
        const isWhole = status === 'failed' || status === 'lost';
        const part = longest === 0 ? 0 : (duration ?? longest) / longest;
        const height = isWhole ? size.height : Math.max(3, Math.round(part * (size.height - 3)));
        return (
          <g key={runId} class={`state-${status}`}>
            <rect
              class={status === 'running' ? 'open' : undefined}
              x={x}
              y={size.height - height}
              width={size.bar}
              height={height}
              rx={1}
            />
            {isWhole ? <path d={`M${String(x + 1.5)} 6.5l3 3m0-3l-3 3`} /> : null}
          </g>
        );
      })}
    </svg>
  );
}
