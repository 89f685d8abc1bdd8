import type { Context } from 'hono'
import { OperatorRefusal } from './problems.ts'

const operatorName = /^[A-Za-z0-9](?:[A-Za-z0-9 ._@-]{0,62}[A-Za-z0-9])?$/
const longestReason = 500
const mostBytes = 4096
const usualPage = 50
const largestPage = 100

/** A name of an operator, as it goes into the audit trail. Throws OperatorRefusal. */
export function operatorOf(name: string | undefined): string {
  if (name !== undefined && operatorName.test(name)) return name
  throw new OperatorRefusal(
    'malformed',
    'Who acts must be named: at most 64 letters, digits, spaces and . _ @ -, in the header `operator`',
  )
}

/** The parameters of the query, each once and no others. Throws OperatorRefusal. */
export function parametersOf<Name extends string>(
  { req }: Context,
  names: readonly Name[],
): Readonly<Partial<Record<Name, string>>> {
  const given = Object.entries(req.queries())
  const odd = given.find(([name, values]) => !names.some((known) => known === name) || values.length !== 1)
  if (odd !== undefined) throw new OperatorRefusal('malformed', `Parameters are ${names.join(', ')}, each once`)
  return Object.fromEntries(given.map(([name, [value]]) => [name, value])) as Partial<Record<Name, string>>
}

/** One of a closed list of words. Throws OperatorRefusal. */
export function wordOf<Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  const word = words.find((one) => one === text)
  if (word === undefined) throw new OperatorRefusal('malformed', `${name} must be one of ${words.join(', ')}`)
  return word
}

/** How many rows are asked for. Throws OperatorRefusal. */
export function limitOf(text: string | undefined): number {
  const limit = text === undefined ? usualPage : /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= largestPage) return limit
  throw new OperatorRefusal('malformed', `limit must be a number from 1 to ${largestPage}`)
}

/**
 * The body of a request that changes something: a JSON object, none standing for an empty one. The media type is insisted
 * on since no form of another page's can send it. Throws OperatorRefusal.
 */
export async function bodyOf({ req }: Context): Promise<Readonly<Record<string, unknown>>> {
  const [type] = (req.header('content-type') ?? '').toLowerCase().split(';')
  if (type?.trim() !== 'application/json') throw new OperatorRefusal('media', 'The body must be application/json')
  const text = await bounded(req.raw)
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told as what it is no object either.
  }
  throw new OperatorRefusal('malformed', 'The body must be a JSON object')
}

async function bounded({ body }: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > mostBytes) throw new OperatorRefusal('large', `The body must have at most ${mostBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Why something is given up. Throws OperatorRefusal. */
export function reasonIn({ reason, ...others }: Readonly<Record<string, unknown>>): string {
  const fits =
    typeof reason === 'string' &&
    reason.trim() !== '' &&
    reason.length <= longestReason &&
    reason.isWellFormed() &&
    !/\p{Cc}/u.test(reason)
  if (fits && Object.keys(others).length === 0) return reason
  throw new OperatorRefusal(
    'malformed',
    `A reason is needed: {"reason": "…"}, one line of 1 to ${longestReason} characters`,
  )
}

/** Throws OperatorRefusal for a body that says something where nothing is to be said. */
export function requireEmpty(body: Readonly<Record<string, unknown>>): void {
  if (Object.keys(body).length > 0) throw new OperatorRefusal('malformed', 'Nothing is to be said in the body')
}

/**
 * Throws OperatorRefusal when the port is reached by a name that a public domain could have: a page of elsewhere may make
 * its own name point here, and would then be let read what it got.
 */
export function requireOwnName(url: string, names: readonly string[]): void {
  const { hostname } = new URL(url)
  const isAddress = /^[\d.]+$/.test(hostname) || hostname.startsWith('[')
  const isPrivate = !hostname.includes('.') || /\.(?:localhost|local|internal|svc)$/.test(hostname)
  if (isAddress || isPrivate || names.includes(hostname)) return
  throw new OperatorRefusal('misdirected', 'Reach it by its address, or by the name in gateway.operator.host')
}
