/** The parameters of a run that functions in the options of commands see before there is one. */
import { isPipeline, lineage, type Node } from '../../runner/api/node.ts';
import { defaultParameters } from '../../runner/commands/parameter-context.ts';
import type { ParameterValue } from '../../runner/model.ts';
import type { Machine } from './evaluator/machine.ts';
import type { Dyn } from './evaluator/values.ts';

/**
 * The defaults of the parameters of a node, as commands show them.
 *
 * @param unset what stands for a parameter without a default; default: its name
 */
export function staticParameters<Unset = ParameterValue>(
  machine: Machine,
  node: Node | undefined,
  unset?: (name: string) => Unset,
): Readonly<Record<string, ParameterValue | Unset>> {
  const params = machine.created({ ...defaultParameters(node, unset) });
  const unknown = node === undefined ? undefined : unknownParameters(machine, node);
  if (unknown !== undefined) machine.open(params, unknown);
  return params;
}

/** Why it is not known which parameters the pipelines around a node have, or which defaults. */
function unknownParameters(machine: Machine, node: Node): Dyn | undefined {
  for (const around of lineage(node)) {
    if (!isPipeline(around)) continue;
    const { unknown, placeholder } = machine.host.infos.of(around);
    const dyn = unknown.get('params') ?? placeholder;
    if (dyn !== undefined) return dyn.derive();
  }
  return undefined;
}
