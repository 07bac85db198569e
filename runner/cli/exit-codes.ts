/** What the exit code of a command says; documented in docs/cli.md. */
export const exitCodes = {
  success: 0,
  /** The run failed. */
  failed: 1,
  /** Wrong usage or an unknown path. */
  usage: 2,
  /** The store cannot be reached. */
  store: 3,
  cancelled: 130,
} as const;
