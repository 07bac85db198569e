/** The tables that a statement reads, writes, makes and drops, by its syntax tree. */
import { isObject, listIn, namesIn, numberIn, objectIn, type SyntaxTree, textIn } from './tree.ts';

/** How a statement uses a table or view. */
export interface TableUse {
  readonly kind: 'read' | 'write' | 'create' | 'drop';
  /** As in SQL, without quotes: `schema.table`; tables in `public` without the schema. */
  readonly table: string;
  /** Where its name stands; bytes from the start of the statement. */
  readonly offset: number;
  /** `if exists`, `if not exists`, `or replace`: it is all the same whether it is there. */
  readonly isLenient: boolean;
}

export interface RoutineCall {
  readonly name: string;
  readonly offset: number;
}

/** `alter schema … rename to …` */
export interface SchemaRename {
  readonly from: string;
  readonly to: string;
  readonly offset: number;
}

/** What is done in a statement, or when a routine is called. */
export interface Effects {
  readonly uses: readonly TableUse[];
  readonly calls: readonly RoutineCall[];
  readonly renames: readonly SchemaRename[];
}

export interface StatementFacts extends Effects {
  /** Tables that only this session sees. */
  readonly temporary: readonly string[];
  /** Names without a schema mean something else from here on. */
  readonly setsSearchPath: boolean;
  /** A routine that it makes, or a block that it runs. */
  readonly routine: RoutineSource | undefined;
}

export interface RoutineSource {
  /** `undefined`: it runs at once. */
  readonly name: string | undefined;
  readonly language: string;
  readonly body: string | undefined;
}

/** Names of common table expressions, which hide tables of the same names. */
type Hidden = ReadonlySet<string>;

const nothingHidden: Hidden = new Set();

const tableTypes = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE']);

export function statementFacts(tree: SyntaxTree): StatementFacts {
  const finder = new UseFinder();
  finder.visit(tree, nothingHidden);
  return finder.facts();
}

/** The name under which tables are compared. */
export function tableName(schema: string | undefined, name: string): string {
  return schema === undefined || schema === 'public' ? name : `${schema}.${name}`;
}

class UseFinder {
  readonly #uses: TableUse[] = [];
  readonly #calls: RoutineCall[] = [];
  readonly #renames: SchemaRename[] = [];
  readonly #temporary: string[] = [];
  #setsSearchPath = false;
  #routine: RoutineSource | undefined;

  facts(): StatementFacts {
    return {
      uses: this.#uses,
      calls: this.#calls,
      renames: this.#renames,
      temporary: this.#temporary,
      setsSearchPath: this.#setsSearchPath,
      routine: this.#routine,
    };
  }

  visit(value: unknown, hidden: Hidden): void {
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item, hidden);
    } else if (isObject(value)) {
      if (typeof value['relname'] === 'string') this.#use('read', value, hidden);
      else for (const key in value) this.#visitNode(key, value[key], hidden);
    }
  }

  #visitNode(kind: string, value: unknown, hidden: Hidden): void {
    if (!isObject(value)) {
      this.visit(value, hidden);
      return;
    }
    switch (kind) {
      case 'InsertStmt':
      case 'UpdateStmt':
      case 'DeleteStmt':
      case 'MergeStmt':
        this.#use('write', value['relation'], nothingHidden);
        this.#visitQuery(without(value, 'relation'), hidden);
        return;
      case 'SelectStmt':
      case 'selectStmt':
      case 'query':
      case 'larg':
      case 'rarg':
        this.#visitQuery(value, hidden);
        return;
      case 'intoClause':
      case 'into':
        this.#use('create', value['rel'], nothingHidden);
        return;
      case 'CreateTableAsStmt': {
        const isLenient = value['if_not_exists'] === true;
        this.#use('create', objectIn(value, 'into')['rel'], nothingHidden, isLenient);
        this.visit(value['query'], hidden);
        return;
      }
      case 'CreateStmt':
      case 'base':
        this.#use('create', value['relation'], nothingHidden, value['if_not_exists'] === true);
        this.visit(without(value, 'relation'), hidden);
        return;
      case 'ViewStmt':
        this.#use('create', value['view'], nothingHidden, value['replace'] === true);
        this.visit(value['query'], hidden);
        return;
      case 'CopyStmt':
        this.#use(value['is_from'] === true ? 'write' : 'read', value['relation'], nothingHidden);
        this.visit(without(value, 'relation'), hidden);
        return;
      case 'TruncateStmt':
        for (const table of listIn(value, 'relations')) this.#use('write', rangeOf(table), nothingHidden);
        return;
      case 'IndexStmt':
      case 'RuleStmt':
      case 'CreateTrigStmt':
      case 'RefreshMatViewStmt':
        this.#use('write', value['relation'], nothingHidden);
        this.visit(without(value, 'relation'), hidden);
        return;
      case 'AlterTableStmt':
        if (!tableTypes.has(String(value['objtype']))) return;
        this.#use('write', value['relation'], nothingHidden, value['missing_ok'] === true);
        this.visit(value['cmds'], hidden);
        return;
      case 'DropStmt':
        this.#drop(value);
        return;
      case 'RenameStmt':
        this.#rename(value);
        return;
      case 'AlterObjectSchemaStmt':
        this.#move(value);
        return;
      case 'GrantStmt':
        if (value['objtype'] === 'OBJECT_TABLE' && value['targtype'] === 'ACL_TARGET_OBJECT')
          this.visit(value['objects'], hidden);
        return;
      case 'FuncCall':
      case 'funccall':
        this.#calls.push({
          name: namesIn(value['funcname']).join('.').toLowerCase(),
          offset: numberIn(value, 'location'),
        });
        this.visit(value, hidden);
        return;
      case 'VariableSetStmt':
        if (value['name'] === 'search_path') this.#setsSearchPath = true;
        return;
      case 'CreateFunctionStmt':
        this.#defineRoutine(value);
        return;
      case 'DoStmt':
        this.#routine = { name: undefined, ...sourceOf(listIn(value, 'args'), 'plpgsql') };
        return;
      // Not tables, though they are named like them.
      case 'CreateSeqStmt':
      case 'AlterSeqStmt':
      case 'CompositeTypeStmt':
      case 'CommentStmt':
      case 'typeName':
      case 'TypeName':
        return;
      default:
        this.visit(value, hidden);
    }
  }

  /** A query with the common table expressions that it begins with. */
  #visitQuery(query: SyntaxTree, hidden: Hidden): void {
    const clause = objectIn(query, 'withClause');
    const expressions = listIn(clause, 'ctes').map(item =>
      isObject(item) ? objectIn(item, 'CommonTableExpr') : {},
    );
    if (expressions.length === 0) {
      this.visit(query, hidden);
      return;
    }
    const inScope = new Set(hidden);
    const nameOf = (expression: SyntaxTree): string => textIn(expression, 'ctename') ?? '';
    if (clause['recursive'] === true) for (const each of expressions) inScope.add(nameOf(each));
    for (const each of expressions) {
      this.visit(each['ctequery'], new Set(inScope));
      inScope.add(nameOf(each));
    }
    this.visit(without(query, 'withClause'), inScope);
  }

  #use(kind: TableUse['kind'], relation: unknown, hidden: Hidden, isLenient = false): void {
    if (!isObject(relation)) return;
    const name = textIn(relation, 'relname');
    const schema = textIn(relation, 'schemaname');
    if (name === undefined || schema === 'pg_temp') return;
    if (schema === undefined && hidden.has(name)) return;
    if (kind === 'create' && relation['relpersistence'] === 't') {
      this.#temporary.push(name);
      return;
    }
    this.#uses.push({
      kind,
      table: tableName(schema, name),
      offset: numberIn(relation, 'location'),
      isLenient,
    });
  }

  #drop(statement: SyntaxTree): void {
    if (!tableTypes.has(String(statement['removeType']))) return;
    for (const object of listIn(statement, 'objects')) {
      const names = namesIn(object);
      const name = names.at(-1);
      if (name === undefined) continue;
      const table = tableName(names.at(-2), name);
      this.#uses.push({ kind: 'drop', table, offset: 0, isLenient: statement['missing_ok'] === true });
    }
  }

  #rename(statement: SyntaxTree): void {
    const to = textIn(statement, 'newname') ?? '';
    const relation = objectIn(statement, 'relation');
    if (statement['renameType'] === 'OBJECT_SCHEMA') {
      this.#renames.push({ from: textIn(statement, 'subname') ?? '', to, offset: 0 });
    } else if (tableTypes.has(String(statement['renameType']))) {
      this.#use('drop', relation, nothingHidden);
      this.#use('create', { ...relation, relname: to }, nothingHidden);
    } else if (tableTypes.has(String(statement['relationType']))) {
      this.#use('write', relation, nothingHidden);
    }
  }

  #move(statement: SyntaxTree): void {
    if (!tableTypes.has(String(statement['objectType']))) return;
    const relation = objectIn(statement, 'relation');
    this.#use('drop', relation, nothingHidden);
    this.#use('create', { ...relation, schemaname: statement['newschema'] }, nothingHidden);
  }

  #defineRoutine(statement: SyntaxTree): void {
    const name = namesIn(statement['funcname']).join('.').toLowerCase();
    const { language, body } = sourceOf(listIn(statement, 'options'), 'sql');
    this.#routine = { name, language, body };
    // What `begin atomic … end` does is in the tree: it is done when the routine is called, like everything else in it.
    this.visit(statement['sql_body'], nothingHidden);
  }
}

function sourceOf(
  options: readonly unknown[],
  defaultLanguage: string,
): { readonly language: string; readonly body: string | undefined } {
  let language = defaultLanguage;
  let body: string | undefined;
  for (const option of options) {
    const element = isObject(option) ? objectIn(option, 'DefElem') : {};
    const argument = objectIn(element, 'arg');
    const [text = textIn(objectIn(argument, 'String'), 'sval')] = namesIn(argument);
    if (element['defname'] === 'language') language = text?.toLowerCase() ?? language;
    if (element['defname'] === 'as') body = text;
  }
  return { language, body };
}

/** The table that a list names. */
function rangeOf(item: unknown): unknown {
  return isObject(item) ? item['RangeVar'] : undefined;
}

function without(tree: SyntaxTree, key: string): SyntaxTree {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => name !== key));
}
