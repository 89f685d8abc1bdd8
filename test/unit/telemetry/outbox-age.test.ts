import { expect, it } from 'vitest'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { measureOutbox } from '../../../src/telemetry/outbox-age.ts'
import { modelOutbox } from '../../conformance/outbox-model.ts'
import { delivery } from '../store/child/deliveries.ts'

it('tells how old the oldest is of what waits and of what is dead, and nothing when the store does not answer', async () => {
  const clock = { time: 1_000_000, now: () => clock.time }
  const outbox = modelOutbox(clock)
  const metrics = createMetrics()
  const told = async (from: Parameters<typeof measureOutbox>[0] = outbox) => {
    await measureOutbox(from, metrics, clock)
    const text = await metrics.text()
    return [...text.matchAll(/^crocevia_outbox_oldest_seconds\{state="(\w+)"\} (\S+)$/gm)].map(
      ([, state, age]) => `${state} ${age}`,
    )
  }
  expect(await told()).toEqual(['waiting 0', 'dead 0'])
  await outbox.put(delivery('a'))
  clock.time += 30_000
  await outbox.put(delivery('b'))
  const [claimed] = await outbox.claim({ now: clock.time, limit: 1, leaseMs: 1000 })
  await outbox.failed(claimed?.id ?? '', { attempt: 1, reason: 'x', dead: true })
  clock.time += 12_000
  expect(await told()).toEqual(['waiting 12', 'dead 42'])
  expect(await told({ list: () => Promise.reject(new Error('gone')) })).toEqual([])
  expect(await told()).toEqual(['waiting 12', 'dead 42'])
})
