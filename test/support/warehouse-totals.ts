/** What the warehouse should say of invented days, added up without it. */
import type { Activity, Download } from '../../examples/python-project-stats/collect_data/sample/generate.ts';

/** Of one project on one day; `null` where there was none. */
export interface ProjectTotals {
  readonly downloads: number | null;
  readonly forks: number | null;
  readonly commits: number | null;
  readonly pullRequests: number | null;
}

/** Of one day. Takes memory for each project and each name of a repository, not for each row. */
export class DayTotals {
  downloadRows = 0;
  activityRows = 0;
  downloads = 0;
  forks = 0;
  commits = 0;
  pullRequests = 0;
  readonly #downloads = new Map<string, number>();
  readonly #activity = new Map<string, Omit<ProjectTotals, 'downloads'>>();

  readonly addDownload = ({ project, downloads }: Download): void => {
    this.downloadRows++;
    this.downloads += downloads;
    this.#downloads.set(project, (this.#downloads.get(project) ?? 0) + downloads);
  };

  readonly addActivity = ({ repository, forks, commits, pullRequests }: Activity): void => {
    this.activityRows++;
    this.forks += forks ?? 0;
    this.commits += commits ?? 0;
    this.pullRequests += pullRequests ?? 0;
    const before = this.#activity.get(repository);
    this.#activity.set(repository, {
      forks: sum(before?.forks, forks),
      commits: sum(before?.commits, commits),
      pullRequests: sum(before?.pullRequests, pullRequests),
    });
  };

  /** The projects with downloads on this day. */
  get projects(): Iterable<string> {
    return this.#downloads.keys();
  }

  /** Downloads and activity by project, for those of the projects that had any. */
  byProject(projects: ReadonlySet<string>): Map<string, ProjectTotals> {
    const totals = new Map<string, ProjectTotals>();
    for (const project of projects) {
      const downloads = this.#downloads.get(project);
      const activity = this.#activity.get(project);
      if (downloads === undefined && activity === undefined) continue;
      totals.set(project, {
        downloads: downloads ?? null,
        ...(activity ?? { forks: null, commits: null, pullRequests: null }),
      });
    }
    return totals;
  }
}

function sum(before: number | null | undefined, more: number | undefined): number | null {
  return more === undefined ? (before ?? null) : (before ?? 0) + more;
}
