/** Whether a TypeScript file is an ES module or CommonJS, by what is written in it. */
import type ts from 'typescript';

export type ModuleFormat = 'module' | 'commonjs';

/** Variables of CommonJS that TypeScript projects also use in files with ESM syntax. */
export type CommonJsVariable = '__dirname' | '__filename' | 'require';

export interface ModuleSyntax {
  readonly format: ModuleFormat;
  /** What an ES module uses of CommonJS without declaring it. */
  readonly missing: readonly CommonJsVariable[];
  /** Names in `module.exports = { … }`: Node finds only some of them itself when an ES module imports the file. */
  readonly exported: readonly string[];
}

interface Findings {
  /** `import`, `export`. */
  hasModuleSyntax: boolean;
  /** `import.meta` and `await` outside of functions: nothing that CommonJS could do. */
  needsModule: boolean;
  /** `export =`, `module.exports`, `exports.x`: nothing that an ES module could do. */
  needsCommonJs: boolean;
  readonly used: Set<string>;
  readonly declared: Set<string>;
  readonly exported: Set<string>;
}

/**
 * Reads the format off the syntax; the `type` of the package does not matter, because people mix them up and because
 * a file is meant as it is written. `.mts` and `.cts` say it themselves.
 */
export function readModuleSyntax(typescript: typeof ts, path: string, source: string): ModuleSyntax {
  const file = typescript.createSourceFile(
    path,
    source,
    typescript.ScriptTarget.Latest,
    false,
    typescript.ScriptKind.TS,
  );
  const findings: Findings = {
    hasModuleSyntax: false,
    needsModule: false,
    needsCommonJs: false,
    used: new Set(),
    declared: new Set(),
    exported: new Set(),
  };
  for (const statement of file.statements) {
    readStatement(typescript, statement, findings);
    visit(typescript, statement, findings, false);
  }
  const format = decide(path, findings);
  const isMissing = (name: string) => findings.used.has(name) && !findings.declared.has(name);
  const missing = format === 'module' ? COMMONJS_VARIABLES.filter(isMissing) : [];
  return { format, missing, exported: [...findings.exported] };
}

const COMMONJS_VARIABLES: readonly CommonJsVariable[] = ['__dirname', '__filename', 'require'];

/** Names that only a file written as CommonJS has when it has neither imports nor exports. */
const COMMONJS_ONLY = ['require', 'module', 'exports'];

function decide(path: string, findings: Findings): ModuleFormat {
  if (path.endsWith('.mts')) return 'module';
  if (path.endsWith('.cts')) return 'commonjs';
  if (findings.needsModule) return 'module';
  if (findings.needsCommonJs) return 'commonjs';
  if (findings.hasModuleSyntax) return 'module';
  return COMMONJS_ONLY.some(name => findings.used.has(name) && !findings.declared.has(name))
    ? 'commonjs'
    : 'module';
}

/** What a statement at the top of the file says about the format, and the names that it declares there. */
function readStatement(typescript: typeof ts, statement: ts.Statement, findings: Findings): void {
  if (typescript.isExportAssignment(statement)) {
    if (statement.isExportEquals === true) findings.needsCommonJs = true;
    else findings.hasModuleSyntax = true;
  } else if (typescript.isImportDeclaration(statement) || typescript.isExportDeclaration(statement)) {
    findings.hasModuleSyntax = true;
  } else if (
    typescript.canHaveModifiers(statement) &&
    typescript
      .getModifiers(statement)
      ?.some(modifier => modifier.kind === typescript.SyntaxKind.ExportKeyword) === true
  ) {
    findings.hasModuleSyntax = true;
  }
  for (const name of declaredNames(typescript, statement)) findings.declared.add(name);
}

function declaredNames(typescript: typeof ts, statement: ts.Statement): string[] {
  if (typescript.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(declaration =>
      boundNames(typescript, declaration.name),
    );
  }
  if (typescript.isImportDeclaration(statement)) {
    const clause = statement.importClause;
    if (clause === undefined) return [];
    const bindings = clause.namedBindings;
    const names =
      bindings === undefined
        ? []
        : typescript.isNamespaceImport(bindings)
          ? [bindings]
          : [...bindings.elements];
    return [clause, ...names].flatMap(({ name }) => (name === undefined ? [] : [name.text]));
  }
  if (
    typescript.isFunctionDeclaration(statement) ||
    typescript.isClassDeclaration(statement) ||
    typescript.isEnumDeclaration(statement) ||
    typescript.isImportEqualsDeclaration(statement)
  ) {
    return statement.name === undefined ? [] : [statement.name.text];
  }
  return [];
}

function boundNames(typescript: typeof ts, name: ts.BindingName): string[] {
  if (typescript.isIdentifier(name)) return [name.text];
  return name.elements.flatMap(element =>
    typescript.isOmittedExpression(element) ? [] : boundNames(typescript, element.name),
  );
}

function visit(typescript: typeof ts, node: ts.Node, findings: Findings, inFunction: boolean): void {
  if (typescript.isIdentifier(node)) {
    findings.used.add(node.text);
    return;
  }
  if (typescript.isMetaProperty(node)) {
    if (node.keywordToken === typescript.SyntaxKind.ImportKeyword) findings.needsModule = true;
    return;
  }
  if (!inFunction && isAwait(typescript, node)) findings.needsModule = true;
  if (isCommonJsExport(typescript, node)) findings.needsCommonJs = true;
  if (typescript.isBinaryExpression(node) && isModuleExports(typescript, node.left)) {
    for (const name of propertyNames(typescript, node.right)) findings.exported.add(name);
  }
  if (typescript.isPropertyAssignment(node) && typescript.isIdentifier(node.name)) {
    visit(typescript, node.initializer, findings, inFunction);
    return;
  }
  if (typescript.isPropertyAccessExpression(node)) {
    // `x.require` uses x, not require.
    visit(typescript, node.expression, findings, inFunction);
    return;
  }
  const inner =
    inFunction || typescript.isFunctionLike(node) || typescript.isClassStaticBlockDeclaration(node);
  typescript.forEachChild(node, child => {
    visit(typescript, child, findings, inner);
  });
}

function isAwait(typescript: typeof ts, node: ts.Node): boolean {
  if (typescript.isAwaitExpression(node)) return true;
  if (typescript.isForOfStatement(node)) return node.awaitModifier !== undefined;
  if (!typescript.isVariableDeclarationList(node)) return false;
  const kind: number = node.flags & typescript.NodeFlags.BlockScoped;
  const awaitUsing: number = typescript.NodeFlags.AwaitUsing;
  return kind === awaitUsing;
}

/** `module.exports`, `exports.x`, `exports['x']`; in a file that declares those names itself, they are not meant. */
function isCommonJsExport(typescript: typeof ts, node: ts.Node): boolean {
  if (typescript.isPropertyAccessExpression(node) && typescript.isIdentifier(node.expression)) {
    return node.expression.text === 'exports' || isModuleExports(typescript, node);
  }
  if (typescript.isElementAccessExpression(node) && typescript.isIdentifier(node.expression)) {
    return node.expression.text === 'exports';
  }
  return false;
}

function isModuleExports(typescript: typeof ts, node: ts.Node): boolean {
  if (!typescript.isPropertyAccessExpression(node) || !typescript.isIdentifier(node.expression)) return false;
  return node.expression.text === 'module' && node.name.text === 'exports';
}

function propertyNames(typescript: typeof ts, value: ts.Expression): string[] {
  if (!typescript.isObjectLiteralExpression(value)) return [];
  return value.properties.flatMap(({ name }) => {
    const isKnown = name !== undefined && (typescript.isIdentifier(name) || typescript.isStringLiteral(name));
    return isKnown ? [name.text] : [];
  });
}
