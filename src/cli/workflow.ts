import { explanationOf } from '../../contracts/explanations/explanation-of.ts'
import type { FollowedWorkflow } from '../http/operator/views.ts'
import { commandOf } from './arguments.ts'
import { CliError, exitCodes } from './exit.ts'
import { printable, table } from './journal-text.ts'
import { currentUser, operatorPort } from './operator-port.ts'
import { usage } from './usage.ts'

const options = {
  config: { type: 'string' },
  url: { type: 'string' },
  operator: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

const suffix = '^^^^urn:ihe:iti:xdw:2013:workflowInstanceId'

/** `workflow <workflowInstanceId>`: how a publication went on, as the national gateway told it. Throws CliError. */
export async function workflow(args: readonly string[]): Promise<number> {
  const { values, positionals } = commandOf(args, options)
  const [id, ...rest] = positionals
  if (id === undefined || rest.length > 0) throw new CliError('usage', usage)
  const { url, config = process.env.FEDERATION_FILE } = values
  const port = operatorPort({ ...(url === undefined ? {} : { url }), ...(config === undefined ? {} : { config }) })
  const whole = id.includes('^') ? id : `${id}${suffix}`
  const path = `/workflows/${encodeURIComponent(whole)}`
  const found = await port.get<FollowedWorkflow>(path, values.operator ?? currentUser())
  const text = values.json ? JSON.stringify(found, undefined, 2) : linesOf(found)
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
  return exitCodes.success
}

/** A publication for people: a line for each event, and below what was said about it. */
export function linesOf({ workflowInstanceId, events }: FollowedWorkflow): string {
  const rows = events.map(({ eventDate = '', eventType, eventStatus, issuer = '', receivedAt }) => {
    return [eventDate, eventType, eventStatus, issuer, receivedAt]
  })
  const messages = events.flatMap(({ eventType, message }) => {
    if (message === undefined || message === '') return []
    return ['', `${eventType}: ${printable(message)}`, ...explained(message)]
  })
  return [
    printable(workflowInstanceId),
    '',
    table(['Date', 'Event', 'Outcome', 'Issuer', 'Received'], rows),
    ...messages,
  ].join('\n')
}

/** Codes of INI, at whose end the gateway's client may write on (`ERROR_CODE:R50CODE CONTEXT:`; ini.md §1.6), and problem types. */
const known = /\b(?:R|P[A-Z]{2}|QND|CRF|EDS|RTW|RtRE)\d{1,3}(?=\b|CODE)|\/msg\/[a-z-]+|\/errors\/[a-z/]+/g

/** What the codes in a message mean: they are told among other words. */
function explained(message: string): string[] {
  const codes = new Set(message.match(known))
  return [...codes].flatMap((code) => {
    const found = explanationOf(code, message)
    return found === undefined ? [] : [`  ${code}: ${found.meaning}`, `  What to do: ${found.next}`]
  })
}
