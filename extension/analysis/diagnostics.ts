/** Mistakes as an editor and `millrace check` show them. */
import { PipelineError, suggestion } from '../../runner/api/errors.ts';
import { formatPath, type SourceLocation } from '../../runner/model.ts';
import { isNode, isPipeline, type Node } from '../../runner/api/node.ts';
import type { Diagnostic, DiagnosticCode, Fix, RelatedLocation } from './analysis.ts';
import { diagnosticKind } from './diagnostic-codes.ts';
import type { ApiCall, Machine, Mistake } from './evaluator/machine.ts';
import { replaceName } from './fixes.ts';
import { locationOf, rangeOf, type SyntaxNode, ts } from './syntax.ts';

/** A kind of mistake: how the API says it, and what exactly is to be underlined. */
interface Rule {
  readonly code: DiagnosticCode;
  readonly pattern: RegExp;
  readonly place?: (
    match: RegExpExecArray,
    node: SyntaxNode,
    call: ApiCall | undefined,
  ) => SyntaxNode | undefined;
  readonly related?: (machine: Machine, match: RegExpExecArray, call: ApiCall) => RelatedLocation[];
}

const rules: readonly Rule[] = [
  {
    code: 'invalid-id',
    pattern: /has the invalid id|needs an id/,
    place: (_, node) => optionValue(node, 'id'),
  },
  {
    code: 'duplicate-id',
    pattern: /already has a node with the id "([^"]*)"|already contains this node "([^"]*)"/,
    place: (_, node) => idOfArgument(node),
    related: (machine, [, id, same], { thisValue }) => {
      const name = id ?? same ?? '';
      return isNode(thisValue) && isPipeline(thisValue)
        ? placeOfNode(machine, thisValue.nodes.get(name), `"${name}" is here already`)
        : [];
    },
  },
  {
    code: 'unknown-upstream',
    pattern: /has no node "([^"]*)" \(wanted as /,
    place: ([, id = ''], node) => literalArgument(node, id),
  },
  {
    code: 'cycle',
    pattern: /would close a cycle: ([^.]*)\./,
    place: (_, node) => (ts.isCallExpression(node) ? node : undefined),
    related: (machine, [, cycle = ''], { thisValue }) =>
      edgesOfCycle(machine, thisValue, cycle.split(' -> ')),
  },
  { code: 'cycle', pattern: /cannot wait for itself/ },
  {
    code: 'unknown-option',
    pattern: /has an unknown option: "([^"]*)"|has unknown options: "([^"]*)"/,
    place: ([, one, first], node) => optionName(node, one ?? first ?? ''),
  },
  { code: 'sql-source', pattern: /has both sql and sqlFile|has neither sql nor sqlFile/ },
  {
    code: 'pipeline-error',
    pattern: /: ([a-zA-Z]+) must be |"[a-z0-9_]+": ([a-zA-Z]+) must be /,
    place: ([, option, other], node) => optionValue(node, option ?? other ?? ''),
  },
];

/** Errors that the API does not make, by what they say. */
const codes: readonly (readonly [RegExp, DiagnosticCode])[] = [
  [/^Cannot find "[^"]*", which is imported here\.$|^Cannot find the package /, 'missing-import'],
  [/^"[^"]*" exports no "/, 'missing-export'],
];

/** A mistake that the evaluation has met. */
export function diagnosticOf(machine: Machine, mistake: Mistake): Diagnostic {
  const { error, node, call, range } = mistake;
  const message = messageOf(error);
  const location =
    range !== undefined
      ? rangeOf(range.file, range.start, range.end)
      : locationOf(node ?? mistake.module?.source ?? (node as unknown as SyntaxNode));
  if (!(error instanceof PipelineError) || node === undefined) {
    const code =
      codes.find(([pattern]) => pattern.test(message))?.[1] ??
      (error instanceof SyntaxError ? 'syntax' : 'load-error');
    return diagnostic(code, message, location);
  }
  for (const { code, pattern, place, related } of rules) {
    const match = pattern.exec(message);
    if (match === null) continue;
    const exact = place?.(match, node, call);
    return diagnostic(code, message, exact === undefined ? location : locationOf(exact), {
      related: call === undefined || related === undefined ? [] : related(machine, match, call),
      ...guesses(code, message, node, exact),
    });
  }
  return diagnostic('pipeline-error', message, location);
}

/** A mistake of a kind. */
export function diagnostic(
  code: DiagnosticCode,
  message: string,
  location: SourceLocation,
  more: Partial<Pick<Diagnostic, 'related' | 'suggestion' | 'fixes'>> = {},
): Diagnostic {
  const { severity } = diagnosticKind(code);
  return { code, severity, message, location, related: [], ...more };
}

/** What is probably meant. */
function guesses(
  code: DiagnosticCode,
  message: string,
  node: SyntaxNode,
  exact: SyntaxNode | undefined,
): Pick<Diagnostic, 'suggestion' | 'fixes'> {
  if (code === 'unknown-option') {
    const meant = [...message.matchAll(/"([^"]*)" \(did you mean "([^"]*)"\?\)/g)];
    const [, , suggestion] = meant[0] ?? [];
    const fixes = meant.map(([, name = '', nearest = '']) => {
      const written = optionName(node, name);
      return written === undefined ? undefined : replaceName(written, nearest);
    });
    return {
      ...(suggestion === undefined ? {} : { suggestion }),
      ...fixList(fixes),
    };
  }
  const nearest = /did you mean "([^"]*)"|Use "([^"]*)", for example/i.exec(message);
  const name = nearest?.[1] ?? nearest?.[2];
  if (name === undefined) return {};
  return { suggestion: name, ...fixList([exact === undefined ? undefined : replaceName(exact, name)]) };
}

function fixList(fixes: readonly (Fix | undefined)[]): Pick<Diagnostic, 'fixes'> {
  const known = fixes.filter(fix => fix !== undefined);
  return known.length === 0 ? {} : { fixes: known };
}

/** What the loader says of an error. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `The file throws something that is not an error: ${textOf(error)}`;
  const isPlain = error instanceof PipelineError || error.name === 'Error' || error instanceof SyntaxError;
  return isPlain ? error.message : `${error.name}: ${error.message}`;
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    // Something that is not known, or that cannot be a text.
    return '…';
  }
}

/** The object literal with the options of a construction. */
export function optionsLiteral(node: SyntaxNode): ts.ObjectLiteralExpression | undefined {
  if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return undefined;
  const [first] = node.arguments ?? [];
  return first !== undefined && ts.isObjectLiteralExpression(first) ? first : undefined;
}

function property(node: SyntaxNode, name: string): ts.ObjectLiteralElementLike | undefined {
  return optionsLiteral(node)?.properties.find(
    ({ name: key }) =>
      key !== undefined && (ts.isIdentifier(key) || ts.isStringLiteral(key)) && key.text === name,
  );
}

/** Where the value of an option stands. */
export function optionValue(node: SyntaxNode, name: string): SyntaxNode | undefined {
  const found = property(node, name);
  if (found === undefined) return undefined;
  return ts.isPropertyAssignment(found) ? found.initializer : found;
}

function optionName(node: SyntaxNode, name: string): SyntaxNode | undefined {
  return property(node, name)?.name;
}

/** The id of the node that a call adds, if the node is made in the call itself. */
function idOfArgument(node: SyntaxNode): SyntaxNode | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const [first] = node.arguments;
  return first === undefined ? undefined : (optionValue(first, 'id') ?? first);
}

/** The string literal among the arguments of a call. */
function literalArgument(node: SyntaxNode, value: string): SyntaxNode | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  for (const argument of node.arguments) {
    const candidates = ts.isArrayLiteralExpression(argument) ? argument.elements : [argument];
    const found = candidates.find(candidate => ts.isStringLiteralLike(candidate) && candidate.text === value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function placeOfNode(machine: Machine, node: Node | undefined, message: string): RelatedLocation[] {
  const made = node === undefined ? undefined : machine.host.infos.of(node).made;
  return made === undefined ? [] : [{ message, location: locationOf(optionValue(made, 'id') ?? made) }];
}

function edgesOfCycle(machine: Machine, pipeline: unknown, ids: readonly string[]): RelatedLocation[] {
  if (!isNode(pipeline) || !isPipeline(pipeline)) return [];
  return ids.slice(1).flatMap((id, index) => {
    const up = ids[index] ?? '';
    const down = pipeline.nodes.get(id);
    const edge = down === undefined ? undefined : machine.host.infos.of(down).edges.get(up);
    return edge === undefined ? [] : [{ message: `"${id}" waits for "${up}"`, location: locationOf(edge) }];
  });
}

/** A command names a database that the project does not have. */
export function unknownDatabase(alias: string, aliases: readonly string[], node: SyntaxNode): Diagnostic {
  const help = suggestion(alias, aliases, 'The project has');
  const nearest = /^Did you mean "([^"]*)"/.exec(help)?.[1];
  const message = `There is no database "${alias}". ${help} Databases are named in millrace.config.ts.`;
  return diagnostic('unknown-database', message, locationOf(node), {
    ...(nearest === undefined ? {} : { suggestion: nearest, ...fixList([replaceName(node, nearest)]) }),
  });
}

export function missingFile(
  owner: Node,
  file: string,
  directory: string,
  location: SourceLocation,
): Diagnostic {
  const place = directory === '' ? "the project's directory" : `"${directory}"`;
  const message = `Task "${formatPath(owner.path)}": there is no file "${file}" in ${place}, which its name is relative to.`;
  return diagnostic('missing-file', message, location);
}

export function unusedNode(node: Node, location: SourceLocation): Diagnostic {
  const remedy = isPipeline(node)
    ? 'Add it to a pipeline, or export it from a pipeline file.'
    : 'Add it to a pipeline with add().';
  const message = `${node.toString()} is not part of any pipeline, so it never runs. ${remedy}`;
  return diagnostic('unused-node', message, location);
}
