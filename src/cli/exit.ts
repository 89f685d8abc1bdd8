/** What an exit code of the command line means. */
export const exitCodes = {
  success: 0,
  /** The gateway did something it should not have: a defect. */
  unexpected: 1,
  usage: 2,
  'partial-success': 3,
  failure: 4,
  refused: 5,
  unreachable: 6,
} as const

export type Exit = keyof typeof exitCodes

/** Ends the command with a code and one line on standard error. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: Exit

  constructor(exit: Exit, message: string) {
    super(message)
    this.exit = exit
  }
}
