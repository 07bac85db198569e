/** What a file says about itself before anything of it is evaluated; computed once for each version of it. */
import { Kind, type SourceFile, type SyntaxNode, ts } from './syntax.ts';

export interface SourceFacts {
  /** Names that stand where a value is needed: imports of other names are types, which vanish. */
  readonly valueNames: ReadonlySet<string>;
  /** Names that are declared within functions, blocks and loops: they hide an import, which then may vanish. */
  readonly innerNames: ReadonlySet<string>;
  /** Whether the file is written as CommonJS. */
  readonly isCommonJs: boolean;
  /** A name is both imported and declared. */
  readonly isAmbiguous: boolean;
  /** Whether something is declared with `using`. */
  readonly hasUsing: boolean;
  /** The first mistake for which Node refuses the whole file. */
  readonly earlyError: EarlyError | undefined;
}

export interface EarlyError {
  readonly message: string;
  readonly node: SyntaxNode;
}

const known = new WeakMap<SourceFile, SourceFacts>();

/** Facts that do not refer to the syntax tree, by path, for files whose tree was dropped and is parsed again. */
const lasting = new Map<string, { readonly text: string; readonly facts: SourceFacts }>();
const maxLasting = 2000;

export function factsOf(file: SourceFile): SourceFacts {
  let facts = known.get(file);
  if (facts === undefined) {
    const { fileName, text } = file;
    const last = lasting.get(fileName);
    if (last?.text === text) ({ facts } = last);
    else {
      const finder = new FactFinder(file);
      facts = finder.facts();
      if (lasting.size >= maxLasting) lasting.clear();
      if (finder.hasNotedNodes || facts.earlyError !== undefined) lasting.delete(fileName);
      else lasting.set(fileName, { text, facts });
    }
    known.set(file, facts);
  }
  return facts;
}

/** The code that waits or yields itself, and all that it is a part of within its function. Most files have none. */
const suspending = new WeakSet<SyntaxNode>();

/** Whether a piece of code waits or yields itself, not in a function within it. The facts of its file must be known. */
export function isSuspending(node: SyntaxNode): boolean {
  return suspending.has(node);
}

function noteSuspension(node: SyntaxNode): void {
  for (
    let at = node;
    !ts.isFunctionLike(at) && !ts.isClassLike(at) && !ts.isSourceFile(at) && !suspending.has(at);
    at = at.parent
  ) {
    suspending.add(at);
  }
}

interface FunctionContext {
  readonly isFunction: boolean;
  readonly isAsync: boolean;
  readonly isGenerator: boolean;
  readonly labels: readonly string[];
  readonly inLoop: boolean;
  readonly inSwitch: boolean;
}

class FactFinder {
  readonly #file: SourceFile;
  readonly #valueNames = new Set<string>();
  readonly #innerNames = new Set<string>();
  #hasModuleSyntax = false;
  #usesCommonJs = false;
  #isAmbiguous = false;
  #hasUsing = false;
  #earlyError: EarlyError | undefined;
  /** Whether something was noted of nodes of the tree. */
  hasNotedNodes = false;

  constructor(file: SourceFile) {
    this.#file = file;
  }

  facts(): SourceFacts {
    const top: FunctionContext = {
      isFunction: false,
      isAsync: true,
      isGenerator: false,
      labels: [],
      inLoop: false,
      inSwitch: false,
    };
    this.#checkDeclarations(this.#file.statements);
    const [, second] = this.#file.statements.filter(exportsDefault);
    if (second !== undefined) this.#fail(second, "Duplicate export of 'default'");
    for (const statement of this.#file.statements) this.#visit(statement, top);
    return {
      valueNames: this.#valueNames,
      innerNames: this.#innerNames,
      isCommonJs: this.#usesCommonJs && !this.#hasModuleSyntax,
      isAmbiguous: this.#isAmbiguous,
      hasUsing: this.#hasUsing,
      earlyError: this.#earlyError,
    };
  }

  #fail(node: SyntaxNode, message: string): void {
    this.#earlyError ??= { node, message };
  }

  #noteSuspension(node: SyntaxNode): void {
    this.hasNotedNodes = true;
    noteSuspension(node);
  }

  #visit(node: SyntaxNode, context: FunctionContext): void {
    if (ts.isTypeNode(node) && node.kind !== Kind.ExpressionWithTypeArguments) return;
    switch (node.kind) {
      case Kind.InterfaceDeclaration:
      case Kind.TypeAliasDeclaration:
        return;
      case Kind.Identifier:
        this.#useName(node as ts.Identifier);
        return;
      case Kind.ImportDeclaration:
        this.#hasModuleSyntax = true;
        if (!ts.isSourceFile(node.parent)) this.#fail(node, 'Cannot use import statement outside a module');
        return;
      case Kind.ExportDeclaration: {
        this.#hasModuleSyntax = true;
        if (!ts.isSourceFile(node.parent)) this.#fail(node, "Unexpected token 'export'");
        const { exportClause, moduleSpecifier, isTypeOnly } = node as ts.ExportDeclaration;
        if (isTypeOnly || moduleSpecifier !== undefined || exportClause === undefined) return;
        if (!ts.isNamedExports(exportClause)) return;
        for (const { name, propertyName, isTypeOnly: isType } of exportClause.elements) {
          if (!isType) this.#valueNames.add((propertyName ?? name).text);
        }
        return;
      }
      case Kind.ExportAssignment:
        if ((node as ts.ExportAssignment).isExportEquals === true) this.#usesCommonJs = true;
        else this.#hasModuleSyntax = true;
        if (!ts.isSourceFile(node.parent)) this.#fail(node, "Unexpected token 'export'");
        break;
      case Kind.ImportEqualsDeclaration:
        this.#usesCommonJs = true;
        return;
      case Kind.MetaProperty:
        return;
      case Kind.PropertyAccessExpression: {
        const { expression, name } = node as ts.PropertyAccessExpression;
        if (ts.isIdentifier(expression)) {
          if (expression.text === 'exports') this.#usesCommonJs = true;
          if (expression.text === 'module' && name.text === 'exports') this.#usesCommonJs = true;
        }
        this.#visit(expression, context);
        return;
      }
      case Kind.ShorthandPropertyAssignment: {
        const { name, objectAssignmentInitializer } = node as ts.ShorthandPropertyAssignment;
        this.#valueNames.add(name.text);
        if (objectAssignmentInitializer !== undefined) this.#visit(objectAssignmentInitializer, context);
        return;
      }
      case Kind.ReturnStatement:
        if (!context.isFunction) this.#fail(node, 'Illegal return statement');
        break;
      case Kind.BreakStatement:
      case Kind.ContinueStatement:
        this.#checkJump(node as ts.BreakOrContinueStatement, context);
        return;
      case Kind.YieldExpression:
        this.#noteSuspension(node);
        break;
      case Kind.AwaitExpression:
        this.#noteSuspension(node);
        if (!context.isAsync)
          this.#fail(node, 'await is only valid in async functions and the top level bodies of modules');
        break;
      case Kind.BinaryExpression: {
        const { left, operatorToken } = node as ts.BinaryExpression;
        const isAssignment =
          operatorToken.kind >= Kind.FirstAssignment && operatorToken.kind <= Kind.LastAssignment;
        if (isAssignment && !isTarget(left, operatorToken.kind === Kind.EqualsToken))
          this.#fail(left, 'Invalid left-hand side in assignment');
        break;
      }
      case Kind.PostfixUnaryExpression:
      case Kind.PrefixUnaryExpression: {
        const { operand, operator } = node as ts.PrefixUnaryExpression;
        const isUpdate = operator === Kind.PlusPlusToken || operator === Kind.MinusMinusToken;
        if (isUpdate && !isTarget(operand, false))
          this.#fail(operand, 'Invalid left-hand side expression in postfix operation');
        break;
      }
      case Kind.DeleteExpression:
        if (ts.isIdentifier(unwrapped((node as ts.DeleteExpression).expression)))
          this.#fail(node, 'Delete of an unqualified identifier in strict mode.');
        break;
      case Kind.CaseBlock: {
        const defaults = (node as ts.CaseBlock).clauses.filter(clause => ts.isDefaultClause(clause));
        const [, second] = defaults;
        if (second !== undefined) this.#fail(second, 'More than one default clause in switch statement');
        break;
      }
      case Kind.VariableDeclarationList:
        this.#checkConstants(node as ts.VariableDeclarationList);
        break;
      case Kind.ClassDeclaration:
      case Kind.ClassExpression:
        this.#checkClass(node as ts.ClassLikeDeclaration);
        break;
      default:
        break;
    }
    if (
      ts.canHaveModifiers(node) &&
      ts.getModifiers(node)?.some(({ kind }) => kind === Kind.ExportKeyword) === true
    ) {
      this.#hasModuleSyntax = true;
      if (!ts.isSourceFile(node.parent) && !ts.isModuleBlock(node.parent))
        this.#fail(node, "Unexpected token 'export'");
    }
    if (ts.isVariableDeclaration(node) || ts.isParameter(node)) {
      const statement = node.parent.parent;
      const isAtTop = ts.isVariableStatement(statement) && ts.isSourceFile(statement.parent);
      if (!isAtTop) for (const { text } of boundNames(node.name)) this.#innerNames.add(text);
    }
    if (isDeclaredOnly(node)) return;
    this.#visitChildren(node, context);
  }

  #visitChildren(node: SyntaxNode, context: FunctionContext): void {
    const inner = this.#contextIn(node, context);
    const ownName = nameOf(node);
    if (ts.isBlock(node) || ts.isModuleBlock(node)) {
      const parameters = ts.isFunctionLike(node.parent) ? node.parent.parameters : undefined;
      this.#checkDeclarations(node.statements, parameters);
    } else if (ts.isCaseBlock(node)) {
      this.#checkDeclarations(node.clauses.flatMap(clause => [...clause.statements]));
    }
    ts.forEachChild(node, child => {
      // Names of members and declarations are not used, they are given.
      if (child === ownName) {
        if (ts.isComputedPropertyName(child)) this.#visit(child.expression, context);
        return;
      }
      this.#visit(child, inner);
    });
  }

  #contextIn(node: SyntaxNode, context: FunctionContext): FunctionContext {
    if (ts.isFunctionLike(node)) {
      const { modifiers } = node as { modifiers?: readonly ts.ModifierLike[] };
      return {
        isFunction: true,
        isAsync: modifiers?.some(({ kind }) => kind === Kind.AsyncKeyword) === true,
        isGenerator: (node as { asteriskToken?: unknown }).asteriskToken !== undefined,
        labels: [],
        inLoop: false,
        inSwitch: false,
      };
    }
    if (ts.isClassStaticBlockDeclaration(node) || ts.isPropertyDeclaration(node))
      return { ...context, isFunction: false, isAsync: false, labels: [], inLoop: false, inSwitch: false };
    if (ts.isIterationStatement(node, false)) return { ...context, inLoop: true };
    if (ts.isSwitchStatement(node)) return { ...context, inSwitch: true };
    if (ts.isLabeledStatement(node)) return { ...context, labels: [...context.labels, node.label.text] };
    return context;
  }

  #useName(name: ts.Identifier): void {
    this.#valueNames.add(name.text);
    if (name.text === 'require') this.#usesCommonJs = true;
  }

  #checkJump(node: ts.BreakOrContinueStatement, context: FunctionContext): void {
    const { label } = node;
    if (label !== undefined) {
      if (!context.labels.includes(label.text)) this.#fail(node, `Undefined label '${label.text}'`);
    } else if (node.kind === Kind.ContinueStatement) {
      if (!context.inLoop) this.#fail(node, 'Illegal continue statement: no surrounding iteration statement');
    } else if (!context.inLoop && !context.inSwitch) {
      this.#fail(node, 'Illegal break statement');
    }
  }

  #checkConstants(list: ts.VariableDeclarationList): void {
    const isConstant = (list.flags & ts.NodeFlags.Const) !== 0;
    this.#hasUsing ||= isUsing(list);
    const parent: SyntaxNode = list.parent;
    if (list.declarations.length === 0) this.#fail(parent, 'Unexpected token');
    if (ts.isForOfStatement(parent) || ts.isForInStatement(parent)) return;
    for (const declaration of list.declarations) {
      if (declaration.initializer !== undefined) continue;
      if (!ts.isIdentifier(declaration.name))
        this.#fail(declaration, 'Missing initializer in destructuring declaration');
      else if (isConstant) this.#fail(declaration, 'Missing initializer in const declaration');
    }
  }

  #checkClass(node: ts.ClassLikeDeclaration): void {
    const constructors = node.members.filter(
      member => ts.isConstructorDeclaration(member) && member.body !== undefined,
    );
    const [, second] = constructors;
    if (second !== undefined) this.#fail(second, 'A class may only have one constructor');
  }

  /** Names that are declared twice in a block. */
  #checkDeclarations(
    statements: Iterable<ts.Statement>,
    parameters?: readonly ts.ParameterDeclaration[],
  ): void {
    const lexical = new Map<string, SyntaxNode>();
    const others = new Set<string>();
    const imported = new Set<string>();
    for (const parameter of parameters ?? [])
      for (const name of boundNames(parameter.name)) others.add(name.text);
    for (const statement of statements) {
      const isImported = ts.isImportDeclaration(statement);
      for (const { name, isLexical, isParameterLike } of declarations(statement)) {
        const isTaken = lexical.has(name.text) || (isLexical && others.has(name.text));
        // An import whose name is declared again may vanish, by rules of the compiler that are not worth knowing.
        if (isTaken && (isImported || imported.has(name.text))) this.#isAmbiguous = true;
        else if (isTaken) this.#fail(name, `Identifier '${name.text}' has already been declared`);
        if (isImported) imported.add(name.text);
        if (isLexical) lexical.set(name.text, name);
        else if (!isParameterLike) others.add(name.text);
      }
    }
  }
}

function exportsDefault(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return statement.isExportEquals !== true;
  const isCode =
    ts.isClassDeclaration(statement) || (ts.isFunctionDeclaration(statement) && statement.body !== undefined);
  return isCode && ts.getModifiers(statement)?.some(({ kind }) => kind === Kind.DefaultKeyword) === true;
}

interface Declared {
  readonly name: ts.Identifier;
  readonly isLexical: boolean;
  readonly isParameterLike: boolean;
}

/** The values that a statement declares in its block. */
function* declarations(statement: ts.Statement): Generator<Declared> {
  if (isDeclaredOnly(statement)) return;
  if (ts.isVariableStatement(statement)) {
    const isLexical = (statement.declarationList.flags & ts.NodeFlags.BlockScoped) !== 0;
    for (const declaration of statement.declarationList.declarations)
      for (const name of boundNames(declaration.name)) yield { name, isLexical, isParameterLike: false };
  } else if (ts.isFunctionDeclaration(statement)) {
    if (statement.name !== undefined && statement.body !== undefined) {
      // In a block, and in a module, a function is declared like a class; in a function's body it may hide parameters.
      const isParameterLike = ts.isBlock(statement.parent) && ts.isFunctionLike(statement.parent.parent);
      yield { name: statement.name, isLexical: !isParameterLike, isParameterLike };
    }
  } else if (ts.isClassDeclaration(statement)) {
    if (statement.name !== undefined) yield { name: statement.name, isLexical: true, isParameterLike: false };
  } else if (ts.isImportDeclaration(statement)) {
    for (const name of importedNames(statement)) yield { name, isLexical: true, isParameterLike: false };
  }
}

function* importedNames({ importClause }: ts.ImportDeclaration): Generator<ts.Identifier> {
  if (importClause === undefined || importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return;
  if (importClause.name !== undefined) yield importClause.name;
  const { namedBindings } = importClause;
  if (namedBindings === undefined) return;
  if (ts.isNamespaceImport(namedBindings)) yield namedBindings.name;
  else for (const element of namedBindings.elements) if (!element.isTypeOnly) yield element.name;
}

/** All names that a pattern gives values to. */
export function* boundNames(name: ts.BindingName): Generator<ts.Identifier> {
  if (ts.isIdentifier(name)) {
    yield name;
    return;
  }
  for (const element of name.elements) if (!ts.isOmittedExpression(element)) yield* boundNames(element.name);
}

/** Whether a declaration is for types only and leaves no trace in the code that runs. */
export function isDeclaredOnly(node: SyntaxNode): boolean {
  return (
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) => kind === Kind.DeclareKeyword) === true
  );
}

function isTarget(expression: ts.Expression, allowsPattern: boolean): boolean {
  const target = unwrapped(expression);
  if (ts.isIdentifier(target)) return target.text !== 'eval' && target.text !== 'arguments';
  if (ts.isPropertyAccessExpression(target) || ts.isElementAccessExpression(target))
    return (target.flags & ts.NodeFlags.OptionalChain) === 0;
  if (!allowsPattern || ts.isParenthesizedExpression(expression)) return false;
  return ts.isArrayLiteralExpression(target) || ts.isObjectLiteralExpression(target);
}

/** An expression without parentheses and what is there for types only. */
export function unwrapped(expression: ts.Expression): ts.Expression {
  let inner = expression;
  while (
    ts.isParenthesizedExpression(inner) ||
    ts.isAsExpression(inner) ||
    ts.isSatisfiesExpression(inner) ||
    ts.isNonNullExpression(inner) ||
    ts.isTypeAssertionExpression(inner)
  ) {
    inner = inner.expression;
  }
  return inner;
}

/** `using` and `await using`, whose flags are those of `let` and `const` together, or more. */
export function isUsing(list: ts.VariableDeclarationList): boolean {
  const constFlag: number = ts.NodeFlags.Const;
  return (list.flags & ts.NodeFlags.BlockScoped) > constFlag;
}

function nameOf(node: SyntaxNode): SyntaxNode | undefined {
  if (ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)) {
    return ts.isIdentifier(node.name) ? node.name : undefined;
  }
  if (
    ts.isPropertyAssignment(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isAccessor(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isClassLike(node) ||
    ts.isEnumDeclaration(node) ||
    ts.isEnumMember(node) ||
    ts.isModuleDeclaration(node)
  ) {
    return node.name;
  }
  if (ts.isLabeledStatement(node)) return node.label;
  return undefined;
}
