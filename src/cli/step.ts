import type { Exchange } from './caller.ts'
import { exitCodes } from './exit.ts'
import type { Told } from './told.ts'

/** One exchange of a command, as it is shown. */
export interface Step {
  /** What was done, in a few words. */
  readonly what: string
  readonly exchange: Exchange
  /** What was sent, by name: ids and the like. */
  readonly sent: Readonly<Record<string, string | readonly string[]>>
  readonly told: Told
  /** How much was found, by name. */
  readonly found?: Readonly<Record<string, number>>
  /** The ids of what was found; people are shown them only when they ask for nothing else. */
  readonly listed?: readonly string[]
}

export interface ShowOptions {
  readonly json: boolean
  /** The messages themselves, too. They carry signatures and certificates, never a key. */
  readonly show: boolean
  /** The ids of what was found, in a text. */
  readonly lists?: boolean
}

/** Prints the exchanges of a command; resolves to its exit code, which is that of the last. */
export async function shown(steps: readonly Step[], options: ShowOptions): Promise<number> {
  const text = options.json
    ? JSON.stringify(
        steps.map((step) => stepAsJson(step, options)),
        undefined,
        2,
      )
    : steps.map((step) => stepAsText(step, options)).join('\n\n')
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
  return exitCodes[steps.at(-1)?.told.status ?? 'success']
}

/** The stable JSON of an exchange. */
export function stepAsJson({ what, exchange, sent, told, found, listed }: Step, { show }: Pick<ShowOptions, 'show'>) {
  const { url, action, messageId, claimed, status, durationMs, request, answer } = exchange
  return {
    what,
    url,
    action,
    messageId,
    claimed,
    sent,
    http: status,
    ms: Math.round(durationMs),
    status: told.status,
    issues: told.issues,
    fault: told.fault,
    found,
    listed,
    ...(show ? { request, answer: answer.toString('utf8') } : {}),
  }
}

/** The exchange as a block for people. */
export function stepAsText(
  { what, exchange, sent, told, found = {}, listed = [] }: Step,
  { show, lists = false }: Omit<ShowOptions, 'json'>,
): string {
  const { url, messageId, claimed, durationMs, request, answer } = exchange
  const spoken =
    claimed &&
    `${claimed.organizationName} (${claimed.organization}): ${claimed.role}, ${claimed.purpose}, ${claimed.action}`
  const rows: (readonly [string, string])[] = [
    ['message', messageId],
    ...(spoken === undefined ? [] : [['on the word of', spoken] as const]),
    ...rowsOf(sent),
    ['answered', `${told.status}, ${Math.round(durationMs)} ms`],
    ...told.issues.map(({ severity, code, text, location }) => {
      return [severity, `${code}: ${text}${location === undefined ? '' : ` [${location}]`}`] as const
    }),
    ...faultRows(told),
    ...Object.entries(found).map(([name, count]) => [name, String(count)] as const),
    ...(lists ? listed.map((id) => ['', id] as const) : []),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const block = [`${what}: ${url}`, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`.trimEnd())]
  if (show) block.push('', 'request', request, '', 'answer', answer.toString('utf8'))
  return block.join('\n')
}

function rowsOf(facts: Readonly<Record<string, string | readonly string[]>>): (readonly [string, string])[] {
  return Object.entries(facts).flatMap(([name, fact]) =>
    (typeof fact === 'string' ? [fact] : fact).map((text, index) => [index === 0 ? name : '', text] as const),
  )
}

/** In INI's form where it has one: a code, a description and the time (ini.md §1.6). */
function faultRows({ fault }: Told): (readonly [string, string])[] {
  if (fault === undefined) return []
  const { errorCode, description, timestamp } = fault.detail
  const code = errorCode ?? fault.subcode ?? fault.code
  return [
    ['fault', `${code}: ${description ?? fault.reason}`],
    ...(timestamp === undefined ? [] : [['told at', timestamp] as const]),
  ]
}
