// A dot for each test, then whatever failed in full; the counts go to the file that scripts/test.mjs names.
import { writeFileSync } from 'node:fs';
import { reporters, Runner } from 'mocha';

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Runner.constants;
const width = 100;

export default class Reporter extends reporters.Base {
  constructor(runner, options) {
    super(runner, options);
    let column = 0;
    const dot = sign => {
      process.stdout.write(column > 0 && column % width === 0 ? `\n${sign}` : sign);
      column += 1;
    };
    runner.on(EVENT_TEST_PASS, () => dot('.'));
    runner.on(EVENT_TEST_PENDING, test => {
      process.stdout.write(`\nskipped: ${test.fullTitle()}\n`);
      column = 0;
    });
    runner.on(EVENT_TEST_FAIL, test => {
      process.stdout.write(`\nFAILED: ${test.fullTitle()}\n`);
      column = 0;
    });
    runner.once(EVENT_RUN_END, () => {
      process.stdout.write('\n');
      this.epilogue();
      const file = process.env.MILLRACE_TEST_RESULTS;
      if (file !== undefined)
        writeFileSync(file, JSON.stringify({ passed: this.stats.passes, failed: this.stats.failures }));
    });
  }
}
