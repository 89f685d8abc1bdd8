import { CliError } from './exit.ts'
import { readInput } from './input.ts'
import { usage } from './usage.ts'
import { type Judge, malformed, print, type Verdict } from './verdict.ts'

/**
 * `verify`: judges what comes on standard input by the code the gateway runs, remembering nothing, and prints the verdict
 * as JSON. Resolves to 0 when accepted and 1 when refused, whatever the input. Throws CliError for wrong arguments.
 */
export async function verify([what, ...args]: string[]): Promise<number> {
  const judge = await judgeOf(what, args)
  const input = await readInput()
  if (typeof input === 'string') return print(malformed(input))
  return print(await judged(judge, input))
}

async function judgeOf(what: string | undefined, args: readonly string[]): Promise<Judge> {
  switch (what) {
    case 'saml':
      return (await import('./verify-saml.ts')).samlJudge(args)
    case 'jwt':
      return (await import('./verify-jwt.ts')).jwtJudge(args)
    case 'soap':
      return (await import('./verify-soap.ts')).soapJudge(args)
    case 'mtom':
      return (await import('./verify-mtom.ts')).mtomJudge(args)
    default:
      throw new CliError('usage', usage)
  }
}

/** A failure of our own is no acceptance. What it says of itself may quote the input, so only its name is told. */
async function judged(judge: Judge, input: Buffer): Promise<Verdict> {
  try {
    return await judge(input)
  } catch (error) {
    console.error(`unexpected: ${error instanceof Error ? error.name : typeof error}`)
    return { accepted: false, code: 'internal', reason: 'unexpected-failure', read: {} }
  }
}
