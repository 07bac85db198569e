/** What functions in the options of commands are called with. */
import type { CommandContext, ParameterContext } from '../api/context.ts';
import { isPipeline, lineage, type Node } from '../api/node.ts';
import type { ParameterDefinition, ParameterValue } from '../model.ts';
import { previewSettings } from './preview-settings.ts';

/** When a command runs. */
export function runContext({ params }: CommandContext): ParameterContext {
  return { params };
}

/** When a command is shown. */
export function previewContext(node: Node | undefined): ParameterContext {
  const params = previewSettings().parameters?.(node) ?? defaultParameters(node);
  return { params };
}

/**
 * The defaults of the parameters that the pipelines around a node declare.
 *
 * @param unset what stands for a parameter without a default; default: `<name>`
 */
export function defaultParameters<Unset = ParameterValue>(
  node: Node | undefined,
  unset: (name: string) => ParameterValue | Unset = name => `<${name}>`,
): Readonly<Record<string, ParameterValue | Unset>> {
  return Object.fromEntries(
    Object.entries(declaredParameters(node)).map(([name, definition]) => [
      name,
      definition.default ?? unset(name),
    ]),
  );
}

/** As in a run, what is nearer to the root wins. */
function declaredParameters(node: Node | undefined): Readonly<Record<string, ParameterDefinition>> {
  const found: Record<string, ParameterDefinition> = {};
  if (node === undefined) return found;
  for (const around of lineage(node)) if (isPipeline(around)) Object.assign(found, around.params);
  return found;
}
