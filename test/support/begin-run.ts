/** A runner that begins a run, writes a line, says the run's id, and never ends. */
import { join } from 'node:path';
import { openStore } from '../../runner/store/open.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { lines, newRun, started } from './runs.ts';

const store = await openStore({
  projectDirectory: process.env['PROJECT'] ?? '',
  applicationName: 'test',
  resources: join(import.meta.dirname, '..', '..'),
});
const recorder = await RunRecorder.begin(store, newRun());
const id = recorder.nextNodeRunId();
recorder.onEvent(started(recorder, ['demo', 'task']), id);
recorder.onOutput(lines(recorder, id, 1, 'the last words', { time: recorder.startedAt.getTime() + 3_000 }));
await recorder.flush();
process.send?.(recorder.runId);
setInterval(() => undefined, 60_000);
