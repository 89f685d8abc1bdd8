import { GatewayError } from '../../src/core/errors.ts'
import type { Clock, Delivery, Outbox, WaitingDelivery } from '../../src/core/ports.ts'

interface Held extends Delivery {
  readonly place: number
  readonly putAt: number
  attempts: number
  nextAt: number
  claimed: boolean
  dead: boolean
  reason?: string
}

/** What the port promises, in the plainest words and in memory; what was done with is known for ever. */
export function modelOutbox(clock: Clock): Outbox {
  const held: Held[] = []
  const places = new Map<string, number>()

  function found(id: string): Held | undefined {
    return held.find((one) => one.id === id)
  }

  function remove(one: Held): void {
    held.splice(held.indexOf(one), 1)
  }

  return {
    async put(delivery) {
      if (places.has(delivery.id)) return
      places.set(delivery.id, places.size + 1)
      const now = clock.now()
      held.push({ ...delivery, place: places.size, putAt: now, attempts: 0, nextAt: now, claimed: false, dead: false })
    },
    async claim({ now, limit, leaseMs }) {
      const due = held
        .filter((one) => held.find(({ key }) => key === one.key) === one && !one.dead && one.nextAt <= now)
        .sort((a, b) => a.nextAt - b.nextAt || a.place - b.place)
        .slice(0, limit)
      for (const one of due) Object.assign(one, { claimed: true, attempts: one.attempts + 1, nextAt: now + leaseMs })
      return due.map(told)
    },
    async delivered(id) {
      const one = found(id)
      if (one !== undefined) remove(one)
    },
    async failed(id, outcome) {
      const one = found(id)
      if (one === undefined || !one.claimed || one.attempts !== outcome.attempt) return
      Object.assign(one, { claimed: false, reason: outcome.reason })
      if ('nextAt' in outcome) one.nextAt = outcome.nextAt
      else one.dead = true
    },
    async list({ state, after, limit }) {
      const start = after === undefined ? 0 : places.get(after)
      if (start === undefined) throw new GatewayError('parameter-invalid', 'No such delivery is known')
      const asked = held.filter(
        ({ place, dead }) => place > start && (state === undefined || dead === (state === 'dead')),
      )
      return asked.slice(0, limit).map(told)
    },
    async retry(id, now) {
      const one = found(id)
      if (one === undefined || !(one.dead || (!one.claimed && one.nextAt > now))) return false
      Object.assign(one, { dead: false, attempts: 0, nextAt: now })
      return true
    },
    async discard(id) {
      const one = found(id)
      if (one === undefined || (one.claimed && one.nextAt > clock.now())) return false
      remove(one)
      return true
    },
  }
}

function told({ id, kind, key, content, putAt, attempts, nextAt, dead, reason }: Held): WaitingDelivery {
  return {
    ...{ id, kind, key, content, putAt, attempts, nextAt },
    state: dead ? 'dead' : 'waiting',
    ...(reason === undefined ? {} : { reason }),
  }
}
