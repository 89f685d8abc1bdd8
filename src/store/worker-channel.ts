import { Worker } from 'node:worker_threads'
import { GatewayError } from '../core/errors.ts'

/** What the thread posts back: the reply to the call of that number, or why there is none. */
export type WorkerReply =
  | { readonly call: number; readonly reply: unknown }
  | {
      readonly call: number
      readonly failure: Readonly<Record<string, string | number | boolean>>
      readonly cause?: unknown
    }

export interface WorkerChannel<Request> {
  /** Rejects with `internal` when the thread reports a failure or ends, or when `deadlineMs` passes. */
  ask<Reply>(request: Request, deadlineMs?: number): Promise<Reply>
  /** Ends the thread at once; what still waits is rejected. */
  terminate(): void
}

interface Waiting {
  readonly resolve: (reply: never) => void
  readonly reject: (error: GatewayError) => void
  readonly timer?: NodeJS.Timeout | undefined
}

/**
 * Calls into a thread of our own, answered in order. A thread that dies fails the calls it had, and the next call starts
 * another. The thread keeps the process alive only while a call waits.
 */
export function workerChannel<Request>(module: URL, workerData: () => unknown): WorkerChannel<Request> {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let calls = 0

  function start(): Worker {
    const started = new Worker(module, { workerData: workerData() })
    started.on('message', (message: WorkerReply) => {
      const caller = waiting.get(message.call)
      if (caller === undefined) return
      settle(message.call, caller)
      if ('reply' in message) caller.resolve(message.reply as never)
      else caller.reject(storeFailure(message.failure, message.cause))
    })
    started.on('error', (cause) => died(started, cause))
    started.on('exit', () => died(started, undefined))
    return started
  }

  function died(dead: Worker, cause: unknown): void {
    if (dead !== worker) return
    worker = undefined
    for (const [call, caller] of waiting) {
      settle(call, caller)
      caller.reject(storeFailure({ reason: 'thread-ended' }, cause))
    }
  }

  function settle(call: number, caller: Waiting): void {
    clearTimeout(caller.timer)
    waiting.delete(call)
    if (waiting.size === 0) worker?.unref()
  }

  return {
    ask(request, deadlineMs) {
      worker ??= start()
      worker.ref()
      const call = ++calls
      const { promise, resolve, reject } = Promise.withResolvers<never>()
      const caller: Waiting = {
        resolve,
        reject,
        timer: deadlineMs === undefined ? undefined : setTimeout(late, deadlineMs),
      }
      function late(): void {
        settle(call, caller)
        reject(new GatewayError('internal', 'The store did not answer in time'))
      }
      waiting.set(call, caller)
      worker.postMessage({ call, request })
      return promise
    },
    terminate() {
      const ending = worker
      if (ending === undefined) return
      died(ending, undefined)
      ending.unref()
      void ending.terminate()
    },
  }
}

function storeFailure(details: Readonly<Record<string, string | number | boolean>>, cause: unknown): GatewayError {
  return new GatewayError('internal', 'The store failed', { details, cause })
}
