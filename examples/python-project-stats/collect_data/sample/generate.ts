/**
 * Invents the rows of a day. The same seed, day and number of rows give the same rows. They are made one by one, so that a
 * day may have any size.
 */
import { dayId } from '../day-files.ts';
import { projectName, userName } from './names.ts';
import { mulberry32, seedOf } from './random.ts';

export interface SampleDay {
  /** `2018-04-10` */
  readonly day: string;
  /** Of each file. */
  readonly rows: number;
  readonly seed: number;
}

/** A row of downloads; `undefined` where the file has nothing. */
export interface Download {
  readonly project: string;
  readonly version: string;
  readonly python: string | undefined;
  readonly installer: string | undefined;
  readonly downloads: number;
}

/** A row of activity, of which at least one number is there. */
export interface Activity {
  readonly user: string;
  readonly repository: string;
  readonly forks: number | undefined;
  readonly commits: number | undefined;
  readonly pullRequests: number | undefined;
}

const pythons = [undefined, '2.6', '2.7', '3.3', '3.4', '3.5', '3.6', '3.7'];
const installers = [undefined, 'pip', 'setuptools', 'Browser', 'bandersnatch', 'conda'];
const clients = pythons.length * installers.length;

/** A project in ten has no downloads on a day. */
const QUIET = 0.1;

/** A few projects have very many combinations of version and client, most have a handful. */
function combinations(project: number, rows: number): number {
  return 2 + Math.floor(rows / 333 / (1 + project) ** 0.6);
}

export function* downloadsOf({ day, rows, seed }: SampleDay): Generator<Download> {
  const random = mulberry32(seedOf(seed, Number(dayId(day)), 1));
  let left = rows;
  for (let number = 0; left > 0; number++) {
    if (random() < QUIET) continue;
    const project = projectName(number);
    const count = Math.min(left, combinations(number, rows));
    const clientsOfVersion = 1 + Math.floor(random() * clients);
    const first = Math.floor(random() * clients);
    left -= count;
    for (let index = 0; index < count; index++) {
      const version = Math.floor(index / clientsOfVersion);
      // 7 and the number of clients have no divisor in common, so no client comes twice for a version.
      const client = (first + (index % clientsOfVersion) * 7) % clients;
      yield {
        project,
        version: `${Math.floor(version / 100)}.${Math.floor(version / 10) % 10}.${version % 10}`,
        python: pythons[client % pythons.length],
        installer: installers[Math.floor(client / pythons.length)],
        // Few downloads mostly, sometimes thousands.
        downloads: Math.ceil(1 / (1.0001 - random())),
      };
    }
  }
}

export function* activityOf({ day, rows, seed }: SampleDay): Generator<Activity> {
  const random = mulberry32(seedOf(seed, Number(dayId(day)), 2));
  let left = rows;
  for (let number = 0; left > 0; number++) {
    // One repository in three is called like a project.
    const isProject = number % 3 === 0;
    const repository = isProject ? projectName(number / 3) : `dotfiles-${number}`;
    const count = Math.min(left, isProject ? 1 + Math.floor(random() * 8) : 1);
    const firstUser = Math.floor(random() * rows);
    left -= count;
    for (let index = 0; index < count; index++) {
      const kind = random();
      const amount = Math.ceil(1 / (1.01 - random()));
      yield {
        user: userName(firstUser + index),
        repository,
        forks: kind < 0.3 || kind > 0.95 ? amount : undefined,
        commits: kind >= 0.3 && kind < 0.9 ? amount : undefined,
        pullRequests: kind >= 0.8 ? 1 + Math.floor(random() * 5) : undefined,
      };
    }
  }
}

/** The lines of a file, without the names of the columns. */
export function* downloadLines(sample: SampleDay): Generator<string> {
  const id = dayId(sample.day);
  for (const row of downloadsOf(sample)) {
    yield [id, row.project, row.version, row.python, row.installer, row.downloads].join('\t');
  }
}

export function* activityLines(sample: SampleDay): Generator<string> {
  const id = dayId(sample.day);
  for (const row of activityOf(sample)) {
    yield [id, row.user, row.repository, row.forks, row.commits, row.pullRequests].join('\t');
  }
}
