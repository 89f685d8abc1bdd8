import type { Context } from 'hono'
import type { WaitingDelivery } from '../../core/ports.ts'
import { deliveriesIn } from './cases.ts'
import type { OperatorParts } from './parts.ts'
import { OperatorRefusal } from './problems.ts'
import { limitOf, parametersOf, wordOf } from './request.ts'
import { type ListedDelivery, type ListedPush, listedDelivery, listedPush } from './views.ts'

/** A page of a list; `next` is where it goes on, absent at its end. */
export interface PushPage {
  readonly pushes: readonly ListedPush[]
  readonly next?: string
}

export interface DeliveryPage {
  readonly deliveries: readonly ListedDelivery[]
  readonly next?: string
}

const pushStates = ['pending', 'delivered', 'discarded', 'kept', 'dead'] as const
const deliveryStates = ['waiting', 'dead'] as const

/** `GET /deliveries`: what waits or is dead, in the order in which it was put. Throws OperatorRefusal and GatewayError. */
export async function deliveryPage(context: Context, { outbox }: OperatorParts): Promise<DeliveryPage> {
  const given = parametersOf(context, ['state', 'after', 'limit'])
  const state = given.state === undefined ? undefined : wordOf('state', given.state, deliveryStates)
  const limit = limitOf(given.limit)
  const found = await outbox.list({ limit, ...only({ state, after: given.after }) })
  return { deliveries: found.map(listedDelivery), ...next('/deliveries', found, limit, state) }
}

/**
 * `GET /journal`: pushes, the latest first; those whose delivery is dead in the order in which they were put. Throws
 * OperatorRefusal and GatewayError.
 */
export async function pushPage(context: Context, parts: OperatorParts): Promise<PushPage> {
  const { state: word, before, after, limit: rows } = parametersOf(context, ['state', 'before', 'after', 'limit'])
  const state = word === undefined ? undefined : wordOf('state', word, pushStates)
  const limit = limitOf(rows)
  if ((state === 'dead' ? before : after) !== undefined)
    throw new OperatorRefusal('malformed', 'A list of dead pushes goes on with after, every other one with before')
  if (state === 'dead') return await deadPage(parts, limit, after)
  const found = await parts.journal.list({ limit, ...only({ state, before }) })
  const dead = found.some((push) => push.state === 'pending') ? await deadOnes(parts) : new Set()
  const last = found.at(-1)
  return {
    pushes: found.map((push) => listedPush(push, dead.has(push.id))),
    // A page may be short because its pushes are large.
    ...(last === undefined ? {} : { next: addressOf('/journal', { state, before: last.id, limit }) }),
  }
}

async function deadPage({ journal, outbox }: OperatorParts, limit: number, after?: string): Promise<PushPage> {
  const found = await outbox.list({ state: 'dead', limit, ...only({ after }) })
  const pushes: ListedPush[] = []
  // One after the other: each may be large, and only a line of it is kept.
  for (const { id } of found) {
    const push = await journal.find(id)
    if (push?.state === 'pending') pushes.push(listedPush(push, true))
  }
  return { pushes, ...next('/journal', found, limit, 'dead') }
}

async function deadOnes({ outbox }: OperatorParts): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for await (const { id } of deliveriesIn(outbox, 'dead')) ids.add(id)
  return ids
}

function next(path: string, found: readonly WaitingDelivery[], limit: number, state?: string): { next?: string } {
  const last = found.at(-1)
  return last === undefined || found.length < limit ? {} : { next: addressOf(path, { state, after: last.id, limit }) }
}

function addressOf(path: string, parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, `${value}`]]))
  return `${path}?${new URLSearchParams(given)}`
}

/** Only what is there. */
function only<T extends Record<string, unknown>>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>
  }
}
