import { Buffer } from 'node:buffer'
import { Worker } from 'node:worker_threads'
import { notHeld } from './failure.ts'
import type { Secret } from './seal.ts'
import type { Sealed, SealingRequest } from './sealing-thread.ts'

/** Hashes and seals beside the event loop, in one thread for all documents; disposing ends it. */
export interface Sealer extends Disposable {
  /** `secret` as for `sealWith`. */
  begin(secret: Secret | undefined): DocumentSeal
}

/** One document, block by block and in order. Rejects with `internal` when the thread ends. */
export interface DocumentSeal {
  /** Takes the block away, and gives it back as it was. */
  hash(block: Buffer): Promise<Buffer>
  /** Takes the block away, and gives it back with what may lie in a file in it. */
  seal(block: Buffer): Promise<Buffer>
  end(): Promise<Sealed>
  /** Nothing more comes; what is under way settles. */
  forget(): void
}

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

/**
 * The thread is started by the first document, keeps the process alive only while something is under way, and is replaced
 * when it has died: that costs the documents it had.
 */
export function sealer(): Sealer {
  let thread: Thread | undefined
  let documents = 0
  return {
    begin(secret) {
      if (thread === undefined || thread.hasEnded) thread = new Thread()
      const own = thread
      const document = ++documents
      own.tell({ kind: 'begin', document, ...(secret === undefined ? {} : { secret }) })
      return {
        hash: (block) => own.send('hash', document, block),
        seal: (block) => own.send('seal', document, block),
        end: () => own.ask({ kind: 'end', document }),
        forget: () => own.tell({ kind: 'forget', document }),
      }
    },
    [Symbol.dispose]() {
      thread?.end()
    },
  }
}

class Thread {
  /** What the process was started with is not for the thread: it may say how to read a script of another kind. */
  readonly #worker = new Worker(new URL('./sealing-thread.ts', import.meta.url), { execArgv: [] })
  /** In the order in which they are answered. */
  #waiting: Waiting[] = []
  hasEnded = false

  constructor() {
    this.#worker.unref()
    this.#worker.on('message', (answer) => {
      const answered = this.#waiting.shift()
      if (this.#waiting.length === 0) this.#worker.unref()
      answered?.resolve(answer as never)
    })
    this.#worker.on('error', (cause) => this.#ended(cause))
    this.#worker.on('exit', () => this.#ended())
  }

  tell(request: SealingRequest): void {
    this.#worker.postMessage(request)
  }

  async send(kind: 'hash' | 'seal', document: number, { buffer, byteLength }: Buffer): Promise<Buffer> {
    if (!(buffer instanceof ArrayBuffer)) throw notHeld('memory-shared')
    const block = new Uint8Array(buffer, 0, byteLength)
    const answer = await this.ask<typeof block>({ kind, document, block }, [buffer])
    return Buffer.from(answer.buffer, 0, answer.byteLength)
  }

  ask<Answer>(request: SealingRequest, transferred: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (this.hasEnded) return Promise.reject(notHeld('thread-ended'))
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    if (this.#waiting.push({ resolve, reject }) === 1) this.#worker.ref()
    this.#worker.postMessage(request, [...transferred])
    return promise
  }

  end(): void {
    this.#ended()
    void this.#worker.terminate()
  }

  #ended(cause?: unknown): void {
    this.hasEnded = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting) reject(notHeld('thread-ended', cause))
  }
}
