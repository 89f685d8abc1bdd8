import { GatewayError } from '../core/errors.ts'
import { millisecondsOf, needed } from './arguments.ts'
import { CliError, type Exit, exitCodes } from './exit.ts'
import { callOf } from './ini-call.ts'
import { configPathOf, type IniEndpoint, iniEndpoint } from './ini-endpoint.ts'
import { type ToldExchange, toldExchange } from './ini-exchange.ts'
import { type IniOperation, iniOperations } from './ini-operations.ts'
import { type IniValues, iniArguments } from './ini-options.ts'
import type { Result } from './ini-result.ts'
import { outcomeAsJson, outcomeAsText } from './ini-text.ts'
import { typedPatient } from './patient.ts'
import { usage } from './usage.ts'

/** How an operation ended, as the gateway takes it. */
export interface IniOutcome extends Omit<Result, 'exit'> {
  readonly operation: string
  readonly status: Exit
  /** The gateway's own word for a failure. */
  readonly error?: { readonly code: string; readonly details: GatewayError['details'] }
  readonly dropped: number
  readonly ms: number
}

/**
 * `ini <operation>`: does one operation of INI as the gateway of a configuration would, and shows what went over the wire,
 * with secrets masked. Resolves to the exit code; throws CliError for what was never sent.
 */
export async function ini(args: readonly string[]): Promise<number> {
  const { values, positionals } = iniArguments(args)
  const words = positionals.join(' ')
  const operation = Object.hasOwn(iniOperations, words) ? iniOperations[words] : undefined
  if (operation === undefined) {
    throw new CliError('usage', `ini is followed by one of ${Object.keys(iniOperations).join(', ')}\n\n${usage}`)
  }
  const patient = needed('patient', values.patient)
  await using endpoint = await iniEndpoint(configPathOf(values.config, values.federation), values.community)
  if (endpoint.isProduction && !values.production) {
    const warning = 'this is INI’s production host, and nothing done here is in the audit trail'
    throw new CliError('usage', `${warning}: --production says that it is meant`)
  }
  const outcome = await done(operation, { endpoint, values, patient, words })
  const exchanges = endpoint.recorded.map((recorded) => toldExchange(recorded, values))
  const text = (values.json ? outcomeAsJson : outcomeAsText)(exchanges, outcome)
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
  return exitCodes[outcome.status]
}

interface Wish {
  readonly endpoint: IniEndpoint
  readonly values: IniValues
  readonly patient: string
  readonly words: string
}

async function done({ name, run }: IniOperation, { endpoint, values, patient, words }: Wish): Promise<IniOutcome> {
  await using held = new AsyncDisposableStack()
  const { gateway, operations, recorded } = endpoint
  const patientId = typedPatient(patient)
  const timeoutMs = millisecondsOf('timeout', values.timeout)
  const asking = { operation: name, patientId, gateway, claims: operations.claims, held, timeoutMs }
  const call = callOf(values, asking)
  const started = performance.now()
  const told = () => ({
    operation: words,
    dropped: endpoint.dropped(),
    ms: Math.round(performance.now() - started),
  })
  try {
    const { exit, ...result } = await run({ endpoint, values, call, patientId })
    return { ...result, ...told(), status: exit ?? 'success' }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    const last = recorded.at(-1)
    if (last === undefined && error.fault !== 'community') throw new CliError(unsent(error), error.message)
    const { code, details, message } = error
    const status = last === undefined ? 'unreachable' : failureOf(error, toldExchange(last, { show: false }))
    return { ...told(), status, said: `${message} (${code})`, error: { code, details } }
  }
}

/** Nothing was sent: the wishes cannot be, or we cannot. */
function unsent({ fault }: GatewayError): Exit {
  return fault === 'gateway' ? 'unexpected' : 'usage'
}

/** By the last answer: a fault or our being turned away is a refusal, any other readable answer a failure. */
function failureOf({ code }: GatewayError, { status, http }: ToldExchange): Exit {
  if (code === 'internal') return 'unexpected'
  if (status === 'refused' || http === 401 || http === 403) return 'refused'
  return status === 'unreachable' ? 'unreachable' : 'failure'
}
