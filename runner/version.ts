import packageJson from '../package.json' with { type: 'json' };

/** The version of this runner, as in package.json. */
export const runnerVersion: string = packageJson.version;
