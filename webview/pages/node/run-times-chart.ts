/** Draws run times with chart.js. Loaded when there is something to draw. */
import {
  Chart,
  type ChartDataset,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  Tooltip,
} from 'chart.js';
import { formatDuration, formatElapsed } from '../../../runner/format.ts';
import { formatDay, formatMoment, formatTimeOfDay } from '../../parts/times.ts';
import { type ChartPoint, gridStep, type Series, timeTicks } from './run-times-model.ts';
import { lineStyles } from './run-times-styles.ts';

export interface RunTimesChart {
  show(series: readonly Series[], chosen: number | null): void;
  /** Computes the colours anew. */
  recolour(): void;
  dispose(): void;
}

type Line = ChartDataset<'line', ChartPoint[]>;

export function drawRunTimes(canvas: HTMLCanvasElement, onChoose: (runId: number) => void): RunTimesChart {
  Chart.register(LineController, LineElement, PointElement, LinearScale, Tooltip);
  let shown: readonly Series[] = [];
  let chosen: number | null = null;
  const chosenMark: Plugin<'line'> = {
    id: 'chosen',
    afterDatasetsDraw: chart => {
      crossFailures(chart);
      markChosen(chart, chosen);
    },
  };
  const chart = new Chart<'line', ChartPoint[]>(canvas, {
    type: 'line',
    data: { datasets: [] },
    plugins: [chosenMark],
    options: {
      animation: false,
      parsing: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: 'nearest', axis: 'xy', intersect: false },
      onClick: (_, elements) => {
        const [first] = elements;
        const point =
          first === undefined ? undefined : chart.data.datasets[first.datasetIndex]?.data[first.index];
        if (point !== undefined) onChoose(point.point.runId);
      },
      onHover: (event, elements) => {
        if (event.native?.target instanceof HTMLElement)
          event.native.target.style.cursor = elements.length > 0 ? 'pointer' : '';
      },
      layout: { padding: { top: 8, right: 8 } },
    },
  });

  function update(): void {
    const style = getComputedStyle(document.body);
    const colour = (name: string): string => {
      const named = /^var\((.*)\)$/.exec(name)?.[1] ?? name;
      return style.getPropertyValue(named).trim();
    };
    const text = resolved(canvas, 'var(--dim)');
    const grid = resolved(canvas, 'var(--hair)');
    const font = { family: style.fontFamily, size: 11 };
    const bad = colour('--vscode-charts-red');
    const points = shown.flatMap(({ line, failures }) => [...line, ...failures]);
    const times = points.map(({ x }) => x);
    const from = Math.min(...times);
    const to = Math.max(...times);
    const highest = Math.max(0.01, ...points.map(({ y }) => y));
    const step = gridStep(highest, 4);
    const isOneDay = to - from < 36 * 3_600_000;
    // Neighbouring words are not to be the same.
    const precision = to - from < 10 * 60_000 ? 'seconds' : 'minutes';
    const now = Date.now();
    const lines = shown.map(({ name, line }, index): Line => {
      const { colour: stroke, width, dash } = lineStyles(index);
      return {
        label: name,
        data: [...line],
        borderColor: colour(stroke),
        backgroundColor: colour(stroke),
        borderWidth: width,
        borderDash: [...dash],
        borderJoinStyle: 'round',
        clip: false,
        pointRadius: line.length === 1 ? 3 : 0,
        pointHoverRadius: 4,
        pointHitRadius: 8,
        // The node itself is above its parts.
        order: index === 0 ? 1 : 2,
      };
    });
    const failures = shown.map(({ name, failures: failed }): Line => ({
      label: name,
      data: [...failed],
      showLine: false,
      pointRadius: 5.5,
      pointHoverRadius: 6.5,
      pointHitRadius: 8,
      borderWidth: 0,
      borderColor: bad,
      backgroundColor: bad,
      order: 0,
      clip: false,
    }));
    chart.data.datasets = [...lines, ...failures];
    chart.options.scales = {
      x: {
        type: 'linear',
        min: from,
        max: to,
        grid: { display: false },
        border: { display: false },
        afterBuildTicks: axis => {
          axis.ticks = timeTicks(from, to, axis.width > 600 ? 5 : 3).map(value => ({ value }));
        },
        ticks: {
          color: text,
          font,
          maxRotation: 0,
          autoSkip: false,
          align: 'inner',
          callback: value =>
            isOneDay ? formatTimeOfDay(Number(value), precision) : formatDay(Number(value), now),
        },
      },
      y: {
        type: 'linear',
        min: 0,
        max: Math.ceil(highest / step) * step,
        border: { display: false },
        grid: { color: grid, drawTicks: false },
        ticks: {
          color: text,
          font,
          padding: 6,
          stepSize: step,
          callback: value =>
            Number(value) === 0
              ? '0'
              : step < 1
                ? formatDuration(Number(value))
                : formatElapsed(Number(value)),
        },
      },
    };
    chart.options.plugins = {
      tooltip: {
        animation: false,
        displayColors: false,
        backgroundColor:
          colour('--vscode-editorHoverWidget-background') || colour('--vscode-editorWidget-background'),
        borderColor: colour('--vscode-widget-border') || colour('--vscode-contrastBorder') || grid,
        borderWidth: 1,
        cornerRadius: 4,
        caretSize: 0,
        padding: { x: 8, y: 4 },
        titleColor: colour('--vscode-foreground'),
        bodyColor: colour('--vscode-foreground'),
        titleFont: { family: style.fontFamily, size: 12, weight: 600 },
        bodyFont: { family: style.fontFamily, size: 12 },
        callbacks: {
          title: ([item]) =>
            item === undefined
              ? ''
              : `${item.dataset.label ?? ''}: ${formatMoment((item.raw as ChartPoint).x, now)}`,
          label: item => {
            const { y, point } = item.raw as ChartPoint;
            return `${formatDuration(y)} · ${point.status} · run ${String(point.runId)}`;
          },
        },
      },
    };
    chart.update('none');
  }

  return {
    show(series, run) {
      shown = series;
      chosen = run;
      update();
    },
    recolour: update,
    dispose() {
      chart.destroy();
    },
  };
}

/** A ring around the points of the run that is chosen. */
function markChosen(chart: Chart<'line'>, runId: number | null): void {
  if (runId === null) return;
  const context = chart.ctx;
  for (const [index, dataset] of chart.data.datasets.entries()) {
    const points = dataset.data as unknown as readonly ChartPoint[];
    const at = points.findIndex(({ point }) => point.runId === runId);
    const element = at < 0 ? undefined : chart.getDatasetMeta(index).data[at];
    if (element === undefined) continue;
    const style = getComputedStyle(document.body);
    context.save();
    context.beginPath();
    context.arc(element.x, element.y, 5, 0, 2 * Math.PI);
    context.fillStyle = style.getPropertyValue('--vscode-editor-background');
    context.strokeStyle = style.getPropertyValue('--vscode-foreground');
    context.lineWidth = 3;
    context.fill();
    context.stroke();
    context.restore();
  }
}

/** Crosses in the circles of what failed. */
function crossFailures(chart: Chart<'line'>): void {
  const context = chart.ctx;
  context.save();
  context.strokeStyle = getComputedStyle(document.body).getPropertyValue('--vscode-editor-background');
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [index, { showLine }] of chart.data.datasets.entries()) {
    if (showLine !== false) continue;
    for (const { x, y } of chart.getDatasetMeta(index).data) {
      context.moveTo(x - 2.2, y - 2.2);
      context.lineTo(x + 2.2, y + 2.2);
      context.moveTo(x + 2.2, y - 2.2);
      context.lineTo(x - 2.2, y + 2.2);
    }
  }
  context.stroke();
  context.restore();
}

/** A colour of the style sheet as the canvas takes it: mixtures are computed by the browser. */
function resolved(near: HTMLElement, colour: string): string {
  const probe = document.createElement('span');
  probe.style.color = colour;
  near.parentElement?.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
