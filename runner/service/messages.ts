/** What arrives at the service, checked. */
import * as z from 'zod/mini';
import {
  PROTOCOL_VERSION,
  type ServiceMethod,
  type ServiceOptions,
  type ServiceRequests,
} from './protocol.ts';

const id = z.int().check(z.gte(0));
const path = z.array(z.string());
const statuses = z.enum(['running', 'succeeded', 'failed', 'cancelled', 'lost']);
const triggers = z.enum(['editor', 'cli', 'api', 'schedule']);
const none = z.object({});
const ofRun = z.object({ runId: id });
const ofNode = z.object({ path });

const runQuery = z.object({
  path: z.optional(path),
  statuses: z.optional(z.array(statuses)),
  triggers: z.optional(z.array(triggers)),
  since: z.optional(z.number()),
  text: z.optional(z.string()),
  unresolvedOnly: z.optional(z.boolean()),
  limit: z.optional(id),
  before: z.optional(id),
});

const paramsOf: Readonly<Record<ServiceMethod, z.ZodMiniType>> = {
  connect: none,
  configuration: none,
  figures: ofNode,
  runTimes: ofNode,
  runs: runQuery,
  run: ofRun,
  attempts: z.object({ path, limit: z.optional(id), before: z.optional(id) }),
  grid: z.object({ query: runQuery }),
  statistics: ofRun,
  taskDocs: ofNode,
  cancel: ofRun,
  follow: ofRun,
  unfollow: ofRun,
  openOutput: z.object({
    runId: id,
    path: z.optional(path),
    nodeRunId: z.optional(id),
    errorsOnly: z.optional(z.boolean()),
  }),
  readOutput: z.object({ view: id, from: id, count: id }),
  searchOutput: z.object({ view: id, text: z.string(), from: id, limit: z.optional(id) }),
  findError: z.object({
    view: id,
    from: id,
    direction: z.enum(['next', 'previous']),
  }),
  closeOutput: z.object({ view: id }),
};

const envelope = z.union([
  z.object({ type: z.literal('shutdown') }),
  z.object({ type: z.literal('request'), id, method: z.string(), params: z.unknown() }),
]);

const options = z.object({
  version: z.literal(PROTOCOL_VERSION),
  directory: z.string().check(z.minLength(1)),
  trusted: z.boolean(),
  storeUrl: z.optional(z.string()),
});

/** A request whose parameters are what its method takes. */
export type Request = {
  [Method in ServiceMethod]: {
    readonly id: number;
    readonly method: Method;
    readonly params: ServiceRequests[Method]['params'];
  };
}[ServiceMethod];

export type Incoming =
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'request'; readonly request: Request }
  /** A request that cannot be answered. */
  | { readonly kind: 'wrong'; readonly id: number; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

export function readMessage(message: unknown): Incoming {
  const parsed = envelope.safeParse(message);
  if (!parsed.success) return { kind: 'unknown', message: z.prettifyError(parsed.error) };
  const given = parsed.data;
  if (given.type === 'shutdown') return { kind: 'shutdown' };
  if (!isMethod(given.method))
    return { kind: 'wrong', id: given.id, message: `There is no request "${given.method}".` };
  const params = paramsOf[given.method].safeParse(given.params ?? {});
  if (!params.success) {
    const why = z.prettifyError(params.error);
    return { kind: 'wrong', id: given.id, message: `The request "${given.method}" is wrong: ${why}` };
  }
  // Checked by the schema of its own method, which no type can say.
  return { kind: 'request', request: { id: given.id, method: given.method, params: params.data } as Request };
}

function isMethod(name: string): name is ServiceMethod {
  return Object.hasOwn(paramsOf, name);
}

/** @throws when they are missing or not those of this version. */
export function readOptions(json: string | undefined): ServiceOptions {
  if (json === undefined) throw new Error('MILLRACE_SERVICE is missing: the editor starts this program.');
  const parsed = options.safeParse(JSON.parse(json));
  if (!parsed.success) throw new Error(`MILLRACE_SERVICE is wrong: ${z.prettifyError(parsed.error)}`);
  const { storeUrl, ...rest } = parsed.data;
  return storeUrl === undefined || storeUrl === '' ? rest : { ...rest, storeUrl };
}
