import { writeFile } from 'node:fs/promises'
import { explanationOf } from '../../contracts/explanations/explanation-of.ts'
import { GatewayError, type Issue } from '../core/errors.ts'
import { commandOf, millisecondsOf } from './arguments.ts'
import { CliError, type Exit, exitCodes } from './exit.ts'
import { configPathOf } from './ini-endpoint.ts'
import { typedPatient } from './patient.ts'
import type { Recorded } from './recording.ts'
import { type TsEndpoint, tsCall, tsEndpoint } from './ts-endpoint.ts'
import { type ShownMessage, shownTs } from './ts-masking.ts'
import { type TsResult, tsOperations } from './ts-operations.ts'
import { usage } from './usage.ts'

const options = {
  config: { type: 'string' },
  federation: { type: 'string', default: '.crocevia/federation.json' },
  community: { type: 'string', default: 'sistema-ts' },
  subject: { type: 'string' },
  patient: { type: 'string' },
  nre: { type: 'string' },
  doctor: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  token: { type: 'string' },
  'token-file': { type: 'string' },
  url: { type: 'string' },
  timeout: { type: 'string', default: '10' },
  json: { type: 'boolean', default: false },
} as const

/** A message and its answer, masked. */
interface Exchange {
  readonly url: string
  readonly ms: number
  readonly request: ShownMessage
  readonly answer?: ShownMessage & { readonly http: number }
}

/** How an operation ended. */
interface Ending {
  readonly status: Exit
  readonly said: string
  readonly lines: readonly string[]
  readonly issues: readonly Issue[]
}

/**
 * `ts <operation>`: does one operation of Sistema TS as the gateway of a configuration would, once, and shows what went over
 * the wire with secrets masked. None changes or locks a prescription. Resolves to the exit code; throws CliError for what
 * was never sent.
 */
export async function ts(args: readonly string[]): Promise<number> {
  const { values, positionals } = commandOf(args, options)
  const name = positionals.join(' ')
  const operation = Object.hasOwn(tsOperations, name) ? tsOperations[name] : undefined
  if (operation === undefined) {
    throw new CliError('usage', `ts is followed by one of ${Object.keys(tsOperations).join(', ')}\n\n${usage}`)
  }
  await using endpoint = await tsEndpoint(configPathOf(values.config, values.federation), values.community)
  const call = tsCall(endpoint, subjectOf(values.subject, endpoint), {
    timeoutMs: millisecondsOf('timeout', values.timeout),
    patientId: values.patient === undefined ? undefined : typedPatient(values.patient),
  })
  const { token, ending } = await done(() => operation({ endpoint, values, call }), endpoint)
  if (token !== undefined && values['token-file'] !== undefined) {
    await writeFile(values['token-file'], `${token}\n`, { mode: 0o600 })
  }
  const lost = token !== undefined && values['token-file'] === undefined
  const told = lost ? { ...ending, lines: [...ending.lines, 'a session was told; --token-file keeps it'] } : ending
  const secrets = [...endpoint.secrets, ...[token, values.token].flatMap((one) => one ?? [])]
  const exchanges = endpoint.recorded.map((one) => exchangeOf(one, secrets))
  const text = values.json
    ? JSON.stringify({ operation: name, exchanges, ...told }, undefined, 2)
    : [...exchanges.map(asText), endingAsText(told)].join('\n\n')
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
  return exitCodes[ending.status]
}

/** A region says who its user is; of a direct user the name is all there is. */
function subjectOf(typed: string | undefined, { entry }: TsEndpoint) {
  if (typed !== undefined) return typedPatient(typed)
  if (entry.sistemaTs?.as === 'user') return typedPatient('nobody^^^&2.16.840.1.113883.2.9.2&ISO')
  throw new CliError('usage', '--subject is needed: a region says who asks, by their codice fiscale')
}

async function done(run: () => Promise<TsResult>, { recorded }: TsEndpoint) {
  try {
    const { accepted, code, errors, lines, token } = await run()
    const status = accepted ? 'success' : 'failure'
    const issues = errors.map(({ severity, code: told, text, position }) => ({
      ...{ severity, code: told, text },
      ...(position === undefined ? {} : { location: `line ${position}` }),
    }))
    const ending: Ending = { status, said: `outcome ${code}`, lines, issues }
    return { ending, ...(token === undefined ? {} : { token }) }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    if (recorded.length === 0) throw new CliError(error.fault === 'gateway' ? 'unexpected' : 'usage', error.message)
    const ending: Ending = { ...failureOf(error, recorded.at(-1)), lines: [], issues: error.issues }
    return { ending }
  }
}

function failureOf(
  { code, message, details }: GatewayError,
  last: Recorded | undefined,
): Pick<Ending, 'status' | 'said'> {
  if (details.reason === 'authentication') {
    return { status: 'refused', said: `${message}: do not try again with them, since accounts lock` }
  }
  const reason = details.reason === undefined ? '' : `, ${details.reason}`
  return { status: last?.answer === undefined ? 'unreachable' : 'failure', said: `${message} (${code}${reason})` }
}

function exchangeOf({ url, headers, request, answer, durationMs }: Recorded, secrets: readonly string[]): Exchange {
  return {
    url,
    ms: Math.round(durationMs),
    request: shownTs({ headers, body: request }, secrets),
    ...(answer === undefined ? {} : { answer: { http: answer.status, ...shownTs(answer, secrets) } }),
  }
}

function asText({ url, ms, request, answer }: Exchange): string {
  const heads = (message: ShownMessage) => Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`)
  const answered =
    answer === undefined
      ? [`no answer, ${ms} ms`]
      : [`HTTP ${answer.http}, ${ms} ms`, ...heads(answer), '', answer.body]
  return [`POST ${url}`, ...heads(request), '', request.body, '', ...answered].join('\n')
}

function endingAsText({ status, said, lines, issues }: Ending): string {
  const told = issues.flatMap(({ severity, code, text, location }) => {
    const meaning = explanationOf(code, text)?.meaning
    const line = `  ${severity} ${code}: ${text}${location === undefined ? '' : ` [${location}]`}`
    return meaning === undefined ? [line] : [line, `    ${meaning}`]
  })
  return [`${status}: ${said}`, ...told, ...lines.map((line) => `  ${line}`)].join('\n')
}
