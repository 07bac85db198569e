/** Answers the editor's requests and tells it what happens. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { ConfigurationRecord, OutputQuery, RunDetailsRecord } from '../records.ts';
import { requestCancel } from '../store/cancel.ts';
import { endQuietly } from '../store/connection.ts';
import { errorMessage, StoreError } from '../store/errors.ts';
import { systemStatistics } from '../store/history.ts';
import { describeUrl } from '../store/location.ts';
import { attemptsWithLines } from '../store/node-outcomes.ts';
import { READ_LINES_IN_ORDER } from '../store/output-lines.ts';
import type { ChangeNotice } from '../store/run-lock.ts';
import type { Store } from '../store/store.ts';
import { CONFIG_FILES } from './config-files.ts';
import type { Request } from './messages.ts';
import { readFigures, readGrid, readRunTimes } from './node-figures.ts';
import { OutputView, type OutputSource } from './output-view.ts';
import { ProjectGraphs } from './project-graph.ts';
import { ProjectError, ProjectProcesses } from './project-process.ts';
import type { CancelAnswer, FromService, ServiceErrorCode, ServiceOptions } from './protocol.ts';
import { readRunDetails } from './run-details.ts';
import { RunFollower } from './run-follower.ts';
import { readRunList } from './run-queries.ts';
import { toNodeRunRecord, toStatisticsRecord } from './run-records.ts';
import { RunWatch } from './run-watch.ts';
import { StoreLink } from './store-link.ts';

/** A request that cannot be answered; the message is for people. */
class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ServiceErrorCode;

  constructor(code: ServiceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
