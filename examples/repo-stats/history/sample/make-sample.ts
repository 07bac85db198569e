/**
 * Makes `history.log.gz`: what `git log` prints of the history of an invented project, a small web shop. The same
 * history comes out every time. Run it with `node history/sample/make-sample.ts`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { gitLogArguments } from '../git-log.ts';

const firstMonday = Date.UTC(2023, 0, 2, 9) / 1000;
const weeks = 78;

/** People, how much of the work they do, and the weeks in which they are there. */
const people = [
  { name: 'Ada Berg', email: 'ada@shop.example', share: 5, from: 0, to: weeks },
  { name: 'Tomás Quiroga', email: 'tomas@shop.example', share: 4, from: 0, to: 60 },
  { name: 'Mei-Ling Wu', email: 'mei@shop.example', share: 4, from: 12, to: weeks },
  { name: 'Kofi Mensah', email: 'kofi@shop.example', share: 2, from: 30, to: weeks },
  { name: 'Dependency Bot', email: 'bot@shop.example', share: 1, from: 20, to: weeks },
];

/** Files, and how often they are changed. */
const files = [
  { path: 'src/cart/cart.ts', weight: 9 },
  { path: 'src/cart/discount.ts', weight: 5 },
  { path: 'src/catalogue/search.ts', weight: 7 },
  { path: 'src/catalogue/product.ts', weight: 4 },
  { path: 'src/payment/card.ts', weight: 3 },
  { path: 'src/payment/invoice.ts', weight: 3 },
  { path: 'src/main.ts', weight: 2 },
  { path: 'test/cart.test.ts', weight: 6 },
  { path: 'test/search.test.ts', weight: 4 },
  { path: 'docs/guide.md', weight: 2 },
  { path: 'README.md', weight: 1 },
  { path: 'package.json', weight: 2 },
];

const verbs = ['Add', 'Fix', 'Simplify', 'Speed up', 'Test', 'Rename', 'Document'];
const things = [
  'discount codes',
  'search by size',
  'empty carts',
  'invoices',
  'card checks',
  'product pages',
  'prices',
];

writeFileSync(new URL('history.log.gz', import.meta.url), gzipSync(gitLog(fastImportStream()), { level: 9 }));

function gitLog(stream: string): Buffer {
  const repository = mkdtempSync(join(tmpdir(), 'repo-stats-sample-'));
  try {
    const git = (args: readonly string[], input = ''): Buffer =>
      execFileSync('git', ['-C', repository, ...args], { input, maxBuffer: 2 ** 28 });
    git(['init', '--quiet', '--bare', '--initial-branch=main']);
    git(['fast-import', '--quiet'], stream);
    return git([...gitLogArguments, 'main']);
  } finally {
    rmSync(repository, { recursive: true });
  }
}

function fastImportStream(): string {
  const random = mulberry32(7);
  const contents = new Map<string, string[]>();
  let stream = '';
  for (let week = 0; week < weeks; week++) {
    const present = people.filter(({ from, to }) => from <= week && week < to);
    const commits = Math.floor(random() * 9);
    for (let commit = 0; commit < commits; commit++) {
      const author = pick(present, ({ share }) => share, random);
      const seconds = firstMonday + week * 604_800 + Math.floor(((commit + random()) / commits) * 400_000);
      const message = `${pick(verbs, () => 1, random)} ${pick(things, () => 1, random)}`;
      stream += `commit refs/heads/main\ncommitter ${author.name} <${author.email}> ${seconds} +0100\n${data(message)}`;
      const changed = new Set(
        Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(files, f => f.weight, random)),
      );
      for (const { path } of changed) {
        const lines = contents.get(path) ?? [];
        const start = Math.floor(random() * lines.length);
        const added = Array.from({ length: 1 + Math.floor(random() ** 2 * 40) }, () => random().toString(36));
        lines.splice(start, Math.floor(random() ** 2 * 20), ...added);
        contents.set(path, lines);
        stream += `M 100644 inline ${path}\n${data(lines.join('\n') + '\n')}`;
      }
    }
  }
  return stream;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

function pick<T>(choices: readonly T[], weight: (choice: T) => number, random: () => number): T {
  let rest = random() * choices.reduce((sum, choice) => sum + weight(choice), 0);
  const found = choices.find(choice => (rest -= weight(choice)) < 0);
  if (found === undefined) throw new Error('There is nothing to choose from.');
  return found;
}

/** Numbers between 0 and 1 that are the same in every run. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
