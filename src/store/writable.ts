import { randomBytes } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { Clock, ReplayMemory } from '../core/ports.ts'

/** How long an answer is good for. */
const freshMs = 10_000
/** Longer than clocks differ, or a call may wait: what has ended is not written. */
const keptMs = 60_000

/**
 * Asks whether the store can be written, by writing: one row that names nothing and is forgotten in a minute, at most every
 * ten seconds. A store that is busy can be written.
 */
export function writableStore(store: ReplayMemory, clock: Clock): () => Promise<boolean> {
  let asked: { readonly at: number; readonly answer: Promise<boolean> } | undefined

  async function tried(): Promise<boolean> {
    try {
      await store.remember([{ key: randomBytes(32).toString('hex'), until: clock.now() + keptMs }])
      return true
    } catch (error) {
      return error instanceof GatewayError && error.code === 'overloaded'
    }
  }

  return () => {
    const now = clock.now()
    if (asked === undefined || now - asked.at >= freshMs || now < asked.at) asked = { at: now, answer: tried() }
    return asked.answer
  }
}
