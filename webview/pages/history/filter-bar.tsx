/** What runs the history shows: fields, and chips with counts. */
import { useEffect, useState } from 'preact/hooks';
import { formatCount } from '../../../runner/format.ts';
import type { RunStatus, RunTrigger } from '../../../runner/model.ts';
import type { RunList } from '../../../runner/records.ts';
import { useRequest, valueOf } from '../../page.ts';
import { Tool } from '../../parts/buttons.tsx';
import { SearchField, Select } from '../../parts/fields.tsx';
import { Status } from '../../parts/status.tsx';
import { triggerWord } from '../run/run-words.ts';
import {
  DAY_CHOICES,
  dayChoiceTitle,
  type HistoryFilters,
  isFiltered,
  NO_FILTERS,
  RUN_STATUSES,
  RUN_TRIGGERS,
} from './filters.ts';

/** While somebody types nothing is asked: ms. */
const PAUSE = 200;

export function FilterBar({
  filters,
  list,
  onChange,
}: {
  filters: HistoryFilters;
  list: RunList | null;
  onChange: (filters: HistoryFilters) => void;
}) {
  const [text, setText] = useState(filters.text);
  const pipelines = valueOf(useRequest('pipelines', {}).state) ?? [];
  const paths =
    filters.path === '' || pipelines.includes(filters.path) ? pipelines : [filters.path, ...pipelines];
  useEffect(() => {
    setText(filters.text);
  }, [filters.text]);
  useEffect(() => {
    if (text === filters.text) return;
    const timer = setTimeout(() => {
      onChange({ ...filters, text });
    }, PAUSE);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  const toggle = (status: RunStatus): void => {
    const { statuses } = filters;
    onChange({
      ...filters,
      statuses: statuses.includes(status) ? statuses.filter(each => each !== status) : [...statuses, status],
    });
  };
  return (
    <div role="search" aria-label="Runs">
      <div class="history-fields">
        <SearchField label="Filter by node, error or run" value={text} onChange={setText} />
        <Select
          label="Pipeline"
          value={filters.path}
          options={[
            { value: '', title: 'Any pipeline' },
            ...paths.map(path => ({ value: path, title: path.split('/').join(' / ') })),
          ]}
          onChange={path => {
            onChange({ ...filters, path });
          }}
        />
        <Select
          label="Time"
          value={String(filters.days)}
          options={[null, ...DAY_CHOICES].map(days => ({ value: String(days), title: dayChoiceTitle(days) }))}
          onChange={value => {
            onChange({ ...filters, days: value === 'null' ? null : Number(value) });
          }}
        />
        <Select<RunTrigger | ''>
          label="Trigger"
          value={filters.trigger ?? ''}
          options={[
            { value: '', title: 'Any trigger' },
            ...RUN_TRIGGERS.map(trigger => ({ value: trigger, title: triggerWord(trigger) })),
          ]}
          onChange={trigger => {
            onChange({ ...filters, trigger: trigger === '' ? null : trigger });
          }}
        />
      </div>
      <div class="toolbar history-chips">
        {RUN_STATUSES.map(status => {
          const count = list?.byStatus[status] ?? 0;
          const isOn = filters.statuses.includes(status);
          return count === 0 && !isOn ? null : (
            <button
              key={status}
              type="button"
              class="tool worded chip"
              aria-pressed={isOn}
              onClick={() => {
                toggle(status);
              }}
            >
              <Status state={status} />
              <span class="figures dim">{formatCount(count)}</span>
            </button>
          );
        })}
        <span class="divider" />
        <button
          type="button"
          class="tool worded"
          aria-pressed={filters.unresolvedOnly}
          title="Only failures that no later run of the same pipeline has made good"
          onClick={() => {
            onChange({ ...filters, unresolvedOnly: !filters.unresolvedOnly });
          }}
        >
          Unresolved failures only
        </button>
        <span class="grow" />
        {list === null ? null : (
          <span class="dim small figures" role="status">
            {formatCount(list.matching)} of {formatCount(list.total)} {list.total === 1 ? 'run' : 'runs'}
          </span>
        )}
        {isFiltered(filters) ? (
          <Tool
            icon="close"
            label="Clear all filters"
            word="Clear"
            onPress={() => {
              setText('');
              onChange(NO_FILTERS);
            }}
          />
        ) : null}
      </div>
    </div>
  );
}
