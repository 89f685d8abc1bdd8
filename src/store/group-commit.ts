import { asGatewayError, GatewayError } from '../core/errors.ts'

export interface GroupCommitOptions<Item, Receipt> {
  /** Writes a whole batch or none of it; resolves when it is durable, with one receipt per item, in order. */
  readonly write: (batch: readonly Item[]) => Promise<readonly Receipt[]>
  /** How many items may be on their way at once; one more is refused. */
  readonly capacity: number
  readonly batchSize: number
  /** How long an item may take from `add` to its receipt. */
  readonly deadlineMs: number
  /** For items of very different sizes: both bounds hold for the sum of what they weigh too. */
  readonly weights?: {
    readonly of: (item: Item) => number
    readonly capacity: number
    /** A single item may weigh more. */
    readonly batch: number
  }
}

export interface GroupCommit<Item, Receipt> {
  /**
   * Resolves when the item is durable. Rejects with `overloaded` when the queue is full, with `internal` when the batch
   * failed or the deadline passed; an item whose deadline passes before its batch starts is never written.
   */
  add(item: Item): Promise<Receipt>
  /** Refuses what comes from now on, and resolves when all that came before has been settled. */
  drain(): Promise<void>
}

interface Waiting<Item, Receipt> {
  readonly item: Item
  readonly weight: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: GatewayError) => void
  readonly timer: NodeJS.Timeout
}

/** One batch is written at a time; what arrives meanwhile makes the next one, so that many callers share one commit. */
export function groupCommit<Item, Receipt>(options: GroupCommitOptions<Item, Receipt>): GroupCommit<Item, Receipt> {
  const { write, capacity, batchSize, deadlineMs } = options
  const weights = options.weights ?? { of: () => 0, capacity: 0, batch: 0 }
  const queue = new Set<Waiting<Item, Receipt>>()
  let writing = 0
  // Of the queue and of what is being written.
  let weighs = 0
  let scheduled = false
  let drained: PromiseWithResolvers<void> | undefined

  function schedule(): void {
    if (scheduled || writing > 0 || queue.size === 0) return
    scheduled = true
    // Not a microtask: callers that were just answered get to add their next item to this very batch.
    setImmediate(flush)
  }

  async function flush(): Promise<void> {
    scheduled = false
    const batch: Waiting<Item, Receipt>[] = []
    let weight = 0
    for (const waiting of queue) {
      weight += waiting.weight
      if (batch.length === batchSize || (batch.length > 0 && weight > weights.batch)) break
      batch.push(waiting)
      queue.delete(waiting)
    }
    writing = batch.length
    if (batch.length > 0) await settle(batch)
    writing = 0
    for (const waiting of batch) weighs -= waiting.weight
    schedule()
    if (queue.size === 0) drained?.resolve()
  }

  async function settle(batch: readonly Waiting<Item, Receipt>[]): Promise<void> {
    try {
      const receipts = await write(batch.map((waiting) => waiting.item))
      if (receipts.length !== batch.length) throw new GatewayError('internal', 'A batch was not fully acknowledged')
      for (const [index, waiting] of batch.entries()) waiting.resolve(receipts[index] as Receipt)
    } catch (error) {
      for (const waiting of batch) waiting.reject(asGatewayError(error))
    } finally {
      for (const waiting of batch) clearTimeout(waiting.timer)
    }
  }

  return {
    add(item) {
      if (drained !== undefined) return Promise.reject(new GatewayError('internal', 'The store is closed'))
      const weight = weights.of(item)
      if (queue.size + writing >= capacity || weighs + weight > weights.capacity) {
        return Promise.reject(new GatewayError('overloaded', 'Too many records wait to be written'))
      }
      const { promise, resolve, reject } = Promise.withResolvers<Receipt>()
      const timer = setTimeout(() => {
        const started = !queue.delete(waiting)
        if (!started) weighs -= weight
        reject(new GatewayError('internal', 'A record was not written in time', { details: { started, deadlineMs } }))
      }, deadlineMs)
      const waiting = { item, weight, resolve, reject, timer }
      queue.add(waiting)
      weighs += weight
      schedule()
      return promise
    },
    drain() {
      drained ??= Promise.withResolvers()
      if (queue.size === 0 && writing === 0) drained.resolve()
      return drained.promise
    },
  }
}
