/** What pages may say, checked: whatever a page sends that is not exactly that is refused. */
import * as z from 'zod/mini';
import type { PageMethod, PageSubject, ToHost } from '../../webview/messages.ts';

const id = z.int().check(z.nonnegative());
const runId = z.int().check(z.positive());
const longText = z.string().check(z.maxLength(50_000_000));
const text = z.string().check(z.maxLength(10_000));
const path = z.readonly(z.array(z.string().check(z.maxLength(1000))).check(z.maxLength(1000)));
const count = z.int().check(z.nonnegative());

const subject: z.ZodMiniType<PageSubject> = z.discriminatedUnion('page', [
  z.strictObject({ page: z.literal('node'), folder: text, path }),
  z.strictObject({ page: z.literal('run'), folder: text, runId, path: z.exactOptional(path) }),
  z.strictObject({ page: z.literal('history'), folder: text, path: z.exactOptional(path) }),
]);

const runStatus = z.enum(['running', 'succeeded', 'failed', 'cancelled', 'lost']);
const runQuery = z.strictObject({
  path: z.exactOptional(path),
  statuses: z.exactOptional(z.readonly(z.array(runStatus))),
  triggers: z.exactOptional(z.readonly(z.array(z.enum(['editor', 'cli', 'api', 'schedule'])))),
  since: z.exactOptional(z.number()),
  text: z.exactOptional(text),
  unresolvedOnly: z.exactOptional(z.boolean()),
  limit: z.exactOptional(count),
  before: z.exactOptional(runId),
});

/** The parameters of each request. */
const params = {
  node: z.strictObject({ path }),
  activeRuns: z.strictObject({}),
  pipelines: z.strictObject({}),
  figures: z.strictObject({ path }),
  runTimes: z.strictObject({ path }),
  runs: runQuery,
  run: z.strictObject({ runId }),
  attempts: z.strictObject({ path, limit: z.exactOptional(count), before: z.exactOptional(count) }),
  grid: z.strictObject({ query: runQuery }),
  statistics: z.strictObject({ runId }),
  taskDocs: z.strictObject({ path }),
  follow: z.strictObject({ runId }),
  unfollow: z.strictObject({ runId }),
  openOutput: z.strictObject({
    runId,
    path: z.exactOptional(path),
    nodeRunId: z.exactOptional(count),
    errorsOnly: z.exactOptional(z.boolean()),
  }),
  readOutput: z.strictObject({ view: id, from: count, count: count.check(z.maximum(20_000)) }),
  searchOutput: z.strictObject({ view: id, text, from: count, limit: z.exactOptional(count) }),
  findError: z.strictObject({ view: id, from: count, direction: z.enum(['next', 'previous']) }),
  closeOutput: z.strictObject({ view: id }),
} satisfies Record<PageMethod, z.ZodMiniType>;

const action = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('openNode'), path, aside: z.exactOptional(z.boolean()) }),
  z.strictObject({ kind: z.literal('openSource'), path }),
  z.strictObject({
    kind: z.literal('openFile'),
    file: text,
    line: z.exactOptional(count),
    column: z.exactOptional(count),
  }),
  z.strictObject({ kind: z.literal('openRun'), runId, path: z.exactOptional(path) }),
  z.strictObject({ kind: z.literal('openHistory'), path: z.exactOptional(path) }),
  z.strictObject({ kind: z.literal('openLink'), url: text }),
  z.strictObject({ kind: z.literal('showPipelines') }),
  z.strictObject({ kind: z.literal('run'), paths: z.readonly(z.array(path)), withUpstreams: z.boolean() }),
  z.strictObject({ kind: z.literal('debug'), path }),
  z.strictObject({ kind: z.literal('cancel'), runId }),
  z.strictObject({ kind: z.literal('rerun'), runId }),
  z.strictObject({ kind: z.literal('rerunFailed'), runId }),
  z.strictObject({ kind: z.literal('copy'), text: longText }),
  z.strictObject({ kind: z.literal('save'), name: text, text: longText }),
  z.strictObject({ kind: z.literal('openText'), language: text, text: longText }),
  z.strictObject({
    kind: z.literal('openOutput'),
    runId,
    path: z.exactOptional(path),
    nodeRunId: z.exactOptional(count),
  }),
  z.strictObject({ kind: z.literal('retryStore') }),
  z.strictObject({ kind: z.literal('storeSettings') }),
  z.strictObject({ kind: z.literal('showLog') }),
  z.strictObject({ kind: z.literal('manageTrust') }),
]);

const envelope = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready'), subject: z.nullable(subject) }),
  z.strictObject({ type: z.literal('request'), id, method: z.string(), params: z.unknown() }),
  z.strictObject({ type: z.literal('action'), action }),
  z.strictObject({ type: z.literal('fault'), message: text }),
]);

/** A message of a page; `undefined` when it is none, or not for us. */
export function pageMessage(value: unknown): ToHost | undefined {
  const { success, data } = z.safeParse(envelope, value);
  if (!success) return undefined;
  if (data.type !== 'request') return data;
  if (!isMethod(data.method)) return undefined;
  const checked = z.safeParse(params[data.method], data.params);
  // The table above has the parameters of each method, so that what fits is what the union says.
  return checked.success
    ? ({ type: 'request', id: data.id, method: data.method, params: checked.data } as ToHost)
    : undefined;
}

/** What a panel showed before a reload; `undefined` when that is no subject. */
export function pageSubject(value: unknown): PageSubject | undefined {
  const { success, data } = z.safeParse(subject, value);
  return success ? data : undefined;
}

function isMethod(method: string): method is PageMethod {
  return Object.hasOwn(params, method);
}
