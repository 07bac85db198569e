import { csv, ExecuteSQL, ParallelTask, type Pipeline, type ProjectSettings, ReadFile, Task } from 'millrace';
import { historyFolder, listHistoryFiles } from './history-files.ts';

const tables: Readonly<Record<string, string>> = {
  commits: 'repo_raw.new_commit',
  changes: 'repo_raw.new_file_change',
  gone: 'repo_raw.gone_commit',
};

/** One task for each file that the last read has left. A file can be loaded again: its rows are replaced. */
export class LoadFiles extends ParallelTask {
  override async addParallelTasks(subPipeline: Pipeline, project: ProjectSettings): Promise<void> {
    for (const name of await listHistoryFiles(project.dataDir)) {
      const [id = '', kind = ''] = /^([a-z]+)_\d+/.exec(name) ?? [];
      const table = tables[kind];
      if (table === undefined) continue;
      subPipeline.add(
        new Task({
          id,
          description: `Loads ${name}`,
          commands: [
            new ExecuteSQL({ sql: `DELETE FROM ${table} WHERE file_name = '${name}'` }),
            new ReadFile({ file: `${historyFolder}/${name}`, table, format: csv({ delimiter: '\t' }) }),
          ],
        }),
      );
    }
  }

  override docs() {
    return [{ label: 'files', value: `${historyFolder}/*.tsv`, language: 'file' as const }];
  }
}
