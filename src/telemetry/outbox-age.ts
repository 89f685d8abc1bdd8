import type { Clock, Outbox } from '../core/ports.ts'
import type { Metrics } from './metrics.ts'

/**
 * Looks how old the oldest of what waits and of what is dead is, and sets the metric. A store that does not answer leaves
 * it absent; never rejects.
 */
export async function measureOutbox(
  outbox: Pick<Outbox, 'list'>,
  { oldestDelivery }: Pick<Metrics, 'oldestDelivery'>,
  clock: Clock,
): Promise<void> {
  const measure = async (state: 'waiting' | 'dead') => {
    try {
      const [first] = await outbox.list({ state, limit: 1 })
      oldestDelivery.set({ state }, first === undefined ? 0 : Math.max(0, clock.now() - first.putAt) / 1000)
    } catch {
      oldestDelivery.remove({ state })
    }
  }
  await Promise.all([measure('waiting'), measure('dead')])
}
