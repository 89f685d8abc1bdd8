import { parseArgs } from 'node:util'
import { oneOf } from './arguments.ts'
import { CliError, exitCodes } from './exit.ts'
import { type DeliveryRow, type Details, deliveryLines, detailLines, type PushRow, pushLines } from './journal-text.ts'
import { currentUser, type OperatorPort, operatorPort } from './operator-port.ts'
import { usage } from './usage.ts'

const options = {
  config: { type: 'string' },
  url: { type: 'string' },
  state: { type: 'string' },
  limit: { type: 'string', default: '100' },
  content: { type: 'boolean', default: false },
  operator: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** What the two lists of the operator port are called, and which states they have. */
const lists = {
  journal: ['dead', 'pending', 'delivered', 'discarded', 'kept'],
  deliveries: ['dead', 'waiting'],
} as const

type List = keyof typeof lists
type Values = ReturnType<typeof parsed>['values']

/** `journal` and `deliveries`: shows what waits at a running gateway, and acts upon it. Throws CliError. */
export async function journal(list: List, args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args)
  const [verb, id, ...rest] = positionals
  if (verb === 'list' && id === undefined) {
    await write(await listed(list, values))
  } else if (id !== undefined && rest.length === 0) {
    await write(await done(list, verb, id, values))
  } else {
    throw new CliError('usage', usage)
  }
  return exitCodes.success
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new CliError('usage', `${error instanceof Error ? error.message : 'bad arguments'}\n\n${usage}`)
  }
}

async function done(list: List, verb: string | undefined, id: string, values: Values): Promise<string> {
  const path = `/${list}/${encodeURIComponent(id)}`
  switch (verb) {
    case 'show': {
      const port = portOf(values)
      const details = await port.get<Details>(
        values.content ? `${path}?content=yes` : path,
        values.operator ?? currentUser(),
      )
      return values.json ? asJson(details) : detailLines(details)
    }
    case 'retry':
      await portOf(values).post(`${path}/retry`, needed('operator', values.operator), {})
      return `${id} is tried again`
    case 'discard': {
      const operator = needed('operator', values.operator)
      const reason = needed('reason', values.reason)
      await portOf(values).post(`${path}/discard`, operator, { reason })
      return `${id} is discarded`
    }
    default:
      throw new CliError('usage', usage)
  }
}

/** Page by page, until there are as many as are wanted. */
async function listed(list: List, values: Values): Promise<string> {
  if (!/^[1-9]\d{0,5}$/.test(values.limit)) throw new CliError('usage', '--limit must be a number from 1')
  const state = values.state === undefined ? {} : { state: oneOf('state', values.state, lists[list]) }
  const port = portOf(values)
  const most = Number(values.limit)
  const first = new URLSearchParams({ ...state, limit: `${Math.min(most, 100)}` })
  const { rows, isWhole } = await rowsFrom(port, `/${list}?${first}`, list, most)
  if (values.json) return asJson(rows)
  const lines =
    list === 'journal' ? pushLines(rows as readonly PushRow[]) : deliveryLines(rows as readonly DeliveryRow[])
  return isWhole ? lines : `${lines}\nThere may be more: --limit ${most * 2}`
}

type Page = { readonly [List in 'pushes' | 'deliveries']?: readonly unknown[] } & { readonly next?: string }

async function rowsFrom(port: OperatorPort, first: string, list: List, most: number) {
  const rows: unknown[] = []
  let path: string | undefined = first
  while (path !== undefined && rows.length < most) {
    const page: Page = await port.get<Page>(path)
    rows.push(...(page[list === 'journal' ? 'pushes' : 'deliveries'] ?? []))
    path = page.next
  }
  return { rows: rows.slice(0, most), isWhole: path === undefined && rows.length <= most }
}

function portOf({ url, config = process.env.FEDERATION_FILE }: Values): OperatorPort {
  return operatorPort({ ...(url === undefined ? {} : { url }), ...(config === undefined ? {} : { config }) })
}

function needed(name: string, value: string | undefined): string {
  if (value === undefined) throw new CliError('usage', `--${name} is needed`)
  return value
}

function asJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}

function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
}
