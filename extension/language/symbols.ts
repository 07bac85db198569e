/** The nodes that a file makes, as a tree. */
import { type DocumentSymbol, SymbolKind } from 'vscode-languageserver/node';
import type { StaticNodeGraph } from '../analysis/analysis.ts';
import type { LanguageProject } from './language-project.ts';
import { contains, hull, rangeOfLocation } from './place.ts';
import type { Range } from './protocol.ts';
import { rangeBetween } from './source-text.ts';

export function documentSymbols(project: LanguageProject, file: string): DocumentSymbol[] {
  const source = project.texts.source(file);
  if (source === undefined) return [];
  /** The symbols of a node: itself, or those of its children if it comes from another file. */
  const visit = (node: StaticNodeGraph): DocumentSymbol[] => {
    const children = node.nodes.flatMap(visit);
    const own = [node.location, node.addedAt].filter(place => place?.file === file);
    const [place] = own;
    if (place === undefined) return children;
    const ranges: Range[] = own.flatMap(at => (at === undefined ? [] : [rangeOfLocation(at)]));
    const range = [...ranges, ...children.map(child => child.range)].reduce(hull);
    return [
      {
        name: node.id,
        ...(node.description === '' ? {} : { detail: node.description }),
        kind: kindOf(node),
        range,
        selectionRange: selectionOf(node, range) ?? rangeOfLocation(place),
        children,
      },
    ];
  };
  const selectionOf = (node: StaticNodeGraph, range: Range): Range | undefined => {
    const indexed = project.index.get(node.path);
    const stretch = indexed === undefined ? undefined : project.names.definitionOf(indexed);
    if (stretch?.file !== file) return undefined;
    const selection = rangeBetween(source, stretch.start, stretch.end);
    return contains(range, selection) ? selection : undefined;
  };
  return project.analysis.root.nodes.flatMap(visit);
}

function kindOf({ kind }: StaticNodeGraph): SymbolKind {
  switch (kind) {
    case 'pipeline':
      return SymbolKind.Module;
    case 'task':
      return SymbolKind.Function;
    case 'parallel':
      return SymbolKind.Array;
    case 'dynamic':
      return SymbolKind.Null;
  }
}
