// Lint: typescript-eslint at its strictest, and the layers of the house. A room may import only what stands in
// docs/architecture.md; a lesson learned becomes a rule here.
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Forbids imports by pattern, with the reason that the reader of the error sees. */
function forbid(...groups) {
  return {
    'no-restricted-imports': ['error', { patterns: groups.map(([group, message]) => ({ group, message })) }],
  };
}

const noEditor = [['vscode'], 'Only extension/ knows the editor.'];
const noExtension = [
  ['**/extension/**', '**/webview/**'],
  'The runner knows neither the extension nor the pages.',
];

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'test/fixtures/',
      'test/.artifacts/',
      '**/.millrace/',
      'examples/**/data/',
    ],
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // `using _lock = …` is there for its end.
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // A void union is what `Command.run` promises its users: returning nothing is success.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/unbound-method': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  { files: ['runner/**/*.ts'], rules: forbid(noEditor, noExtension) },
  {
    files: ['runner/model.ts', 'runner/events.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\./model\\.ts$)', message: 'The shared nouns import nothing.' }] },
      ],
    },
  },
  {
    files: ['migrations/**/*.ts'],
    rules: forbid([['../**', 'pg', 'node:*'], 'Migrations stand alone on kysely.']),
  },
  {
    files: ['extension/**/*.ts'],
    ignores: ['extension/analysis/**'],
    rules: forbid([
      ['**/runner/{api,commands,databases,loader,scheduler,pool,engine,cli}/**'],
      "The runner's engine stays in the runner.",
    ]),
  },
  {
    // The analysis builds the graph with the API's own classes; the rest of the runner is not its business.
    files: ['extension/analysis/**/*.ts'],
    rules: forbid(noEditor, [
      [
        '**/runner/{databases,loader,scheduler,pool,engine,cli,store}/**',
        '!**/runner/databases/sql-script.ts',
      ],
      'The analysis runs no user code and knows no store.',
    ]),
  },
  {
    files: ['extension/**/*.ts'],
    ignores: ['extension/analysis/syntax.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: 'ts-morph', message: 'Only extension/analysis/syntax.ts knows the parser.' }] },
      ],
    },
  },
  {
    files: ['webview/**/*.ts', 'webview/**/*.tsx'],
    rules: forbid(noEditor, [['node:*', '**/extension/**'], 'Pages run in a browser.']),
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'no-console': 'off', '@typescript-eslint/no-floating-promises': 'error' },
  },
  { files: ['examples/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.{js,mjs,cjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
);
