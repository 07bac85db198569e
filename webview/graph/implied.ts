/** Which dependencies follow from others; pure. */

export interface Dependent {
  readonly id: string;
  readonly upstreams: readonly string[];
}

/**
 * For each node the upstreams that it would wait for anyway, because another of its upstreams waits for them, directly or
 * not. Upstreams that are not among the nodes are left out. In a circle nothing is implied, so that all of it is seen.
 */
export function impliedUpstreams(nodes: readonly Dependent[]): ReadonlyMap<string, ReadonlySet<string>> {
  const numbers = new Map(nodes.map(({ id }, index) => [id, index]));
  const upstreams = nodes.map(node =>
    node.upstreams.flatMap(id => {
      const number = numbers.get(id);
      return number === undefined ? [] : [number];
    }),
  );
  const words = Math.ceil(nodes.length / 32);
  /** Bits of everything that a node waits for, directly or not. */
  const above = nodes.map(() => new Uint32Array(words));
  const { order, circular } = inOrder(upstreams);
  for (const number of order) {
    const own = above[number];
    if (own === undefined) continue;
    for (const upstream of upstreams[number] ?? []) {
      own[upstream >> 5] = (own[upstream >> 5] ?? 0) | (1 << (upstream & 31));
      for (const [word, bits] of (above[upstream] ?? []).entries()) own[word] = (own[word] ?? 0) | bits;
    }
  }
  const implied = new Map<string, ReadonlySet<string>>();
  for (const [number, node] of nodes.entries()) {
    if (circular.has(number)) continue;
    const found = new Set<string>();
    for (const upstream of upstreams[number] ?? []) {
      const isAboveAnother = (upstreams[number] ?? []).some(
        other => other !== upstream && (((above[other]?.[upstream >> 5] ?? 0) >>> (upstream & 31)) & 1) === 1,
      );
      if (isAboveAnother) found.add(nodes[upstream]?.id ?? '');
    }
    if (found.size > 0) implied.set(node.id, found);
  }
  return implied;
}

/** Numbers after all that they wait for; those in or below a circle are `circular`. */
function inOrder(upstreams: readonly (readonly number[])[]): {
  readonly order: readonly number[];
  readonly circular: ReadonlySet<number>;
} {
  const downstreams: number[][] = upstreams.map(() => []);
  const open = upstreams.map(each => new Set(each).size);
  for (const [number, each] of upstreams.entries())
    for (const upstream of new Set(each)) downstreams[upstream]?.push(number);
  const order = open.flatMap((count, number) => (count === 0 ? [number] : []));
  for (const number of order)
    for (const downstream of downstreams[number] ?? []) {
      const left = (open[downstream] ?? 0) - 1;
      open[downstream] = left;
      if (left === 0) order.push(downstream);
    }
  const done = new Set(order);
  return { order, circular: new Set([...upstreams.keys()].filter(number => !done.has(number))) };
}
