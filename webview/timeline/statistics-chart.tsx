/** How busy the machine was, on the axis of the timeline. */
import { useMemo, useState } from 'preact/hooks';
import type { StatisticsRecord } from '../../runner/records.ts';
import { share, type TimeScale } from './axis.ts';
import { linePath, PLOT_HEIGHT, PLOT_WIDTH, type Series, statisticsSeries, valueAt } from './statistics.ts';

export function StatisticsChart({
  records,
  startedAt,
  scale,
  width,
  now,
}: {
  records: readonly StatisticsRecord[];
  /** Ms. */
  startedAt: number;
  scale: TimeScale;
  /** Px. */
  width: number;
  /** Seconds since the beginning; `null` after the end. */
  now: number | null;
}) {
  const [pointed, setPointed] = useState<number | null>(null);
  const series = useMemo(() => statisticsSeries(records, startedAt), [records, startedAt]);
  if (series.length === 0)
    return (
      <p class="statistics-empty">
        {now === null ? 'No statistics of the machine were recorded' : 'No statistics of the machine yet'}
      </p>
    );
  const at = pointed ?? now;
  return (
    <div
      class="statistics"
      onPointerMove={event => {
        const { left } = event.currentTarget.getBoundingClientRect();
        setPointed(scale.from + ((event.clientX - left) / Math.max(1, width)) * (scale.to - scale.from));
      }}
      onPointerLeave={() => {
        setPointed(null);
      }}
    >
      {series.map(one => (
        <Strip key={one.id} series={one} scale={scale} at={at} isPointed={pointed !== null} width={width} />
      ))}
    </div>
  );
}

function Strip({
  series,
  scale,
  at,
  isPointed,
  width,
}: {
  series: Series;
  scale: TimeScale;
  at: number | null;
  isPointed: boolean;
  width: number;
}) {
  const { line, area } = useMemo(() => linePath(series, scale), [series, scale.from, scale.to]);
  const highest = series.samples.reduce((most, { value }) => Math.max(most, value), 0);
  const value = at === null ? null : valueAt(series, at);
  const x = at === null ? 0 : share(scale, at) * width;
  // Beside the line where there is room, else above the plot.
  const isBeside = at !== null && x + 90 < width;
  return (
    <div class={`strip strip-${series.id}`}>
      <span class="strip-name">{series.title}</span>
      {value === null ? (
        <span class="strip-value figures">{`up to ${series.format(highest)}`}</span>
      ) : (
        <span
          class={`strip-value figures${isBeside ? ' beside' : ''}`}
          style={isBeside ? { left: `${x + 8}px` } : {}}
        >
          {series.format(value)}
        </span>
      )}
      <svg
        class="strip-plot"
        viewBox={`0 0 ${PLOT_WIDTH} ${PLOT_HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${series.title}: up to ${series.format(highest)}; the table has all values`}
      >
        <path class="strip-area" d={area} />
        <path class={`strip-line${area === '' ? ' point' : ''}`} d={line} />
      </svg>
      {isPointed ? <i class="strip-pointer" style={{ left: `${x}px` }} /> : null}
    </div>
  );
}
