/** What the store's history says, in the form in which it crosses processes. */
import type { Selectable } from 'kysely';
import { formatPath, type NodePath } from '../model.ts';
import type { NodeRunRecord, RunRecord, StatisticsRecord } from '../records.ts';
import type { NodeRun, RunSummary } from '../store/history.ts';
import type { SystemStatisticsTable } from '../store/schema.ts';

export function toRunRecord(run: RunSummary): RunRecord {
  return {
    runId: run.runId,
    pipelinePath: run.pipelinePath,
    nodePaths: run.nodePaths,
    withUpstreams: run.withUpstreams,
    params: run.params,
    status: run.status,
    startedAt: run.startedAt.getTime(),
    endedAt: run.endedAt?.getTime() ?? null,
    trigger: run.trigger,
    startedBy: run.startedBy,
    host: run.host,
    codeVersion: run.codeVersion,
    runnerVersion: run.runnerVersion,
    resumedFrom: run.resumedFrom,
    cancelRequestedAt: run.cancelRequestedAt?.getTime() ?? null,
    failure: run.failure,
  };
}

export function toNodeRunRecord(nodeRun: NodeRun): NodeRunRecord {
  return {
    nodeRunId: nodeRun.nodeRunId,
    runId: nodeRun.runId,
    nodePath: nodeRun.nodePath,
    kind: nodeRun.kind,
    attempt: nodeRun.attempt,
    status: nodeRun.status,
    startedAt: nodeRun.startedAt?.getTime() ?? null,
    endedAt: nodeRun.endedAt?.getTime() ?? null,
    cost: nodeRun.cost,
    rowsProcessed: nodeRun.rowsProcessed,
    exitCode: nodeRun.exitCode,
    error: nodeRun.error,
    reason: nodeRun.reason,
  };
}

export function toStatisticsRecord(sample: Selectable<SystemStatisticsTable>): StatisticsRecord {
  return {
    at: sample.at.getTime(),
    cpu: sample.cpu,
    memory: sample.memory,
    swap: sample.swap,
    diskRead: sample.disk_read,
    diskWrite: sample.disk_write,
    netReceived: sample.net_received,
    netSent: sample.net_sent,
  };
}

/** Values by path as `a/b`. */
export function byPath<Value extends { readonly nodePath: NodePath }>(
  values: readonly Value[],
): Map<string, Value> {
  return new Map(values.map(value => [formatPath(value.nodePath), value]));
}
