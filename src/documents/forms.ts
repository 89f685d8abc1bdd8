import { DocumentError } from './document-error.ts'
import { type DocumentLimits, defaultDocumentLimits } from './limits.ts'
import type { ReaderMessage } from './reader.ts'
import { type ReaderEnd, type ReaderProcess, startReader } from './reader-process.ts'
import type { DerivedForms, FormName } from './reading.ts'

/** A document that is read where it is held: of its bytes no more is in our memory than a piece. */
export interface DocumentSource {
  readonly size: number
  read(): AsyncIterable<Uint8Array>
}

/**
 * Makes the derived forms of documents. The document itself is read only: what is handed out are copies. What is asked
 * for is `none` when the document has none of that kind. Rejects with DocumentError, the signal's reason, or what a
 * source cannot be read for.
 */
export interface DocumentForms extends Disposable {
  make<Name extends FormName>(
    name: Name,
    document: Uint8Array | DocumentSource,
    signal?: AbortSignal,
  ): Promise<DerivedForms[Name] | 'none'>
}

type Outcome = { readonly form: unknown } | { readonly error: unknown }

interface Job {
  readonly form: FormName
  readonly document: DocumentSource
  readonly settle: (outcome: Outcome) => void
}

/** For the reader to start; it loads its modules from disk. */
const startDeadlineMs = 30_000

/**
 * Documents are read one at a time by a process of their own, so that a hostile one holds up neither the event loop nor
 * the memory of ours: a reader that takes too long or too much is ended, and the next document gets another. It starts
 * with the first document, and keeps our process alive only while there is one.
 */
export function documentForms(limits: DocumentLimits = defaultDocumentLimits): DocumentForms {
  const waiting: Job[] = []
  let current: Job | undefined
  let reader: ReaderProcess | undefined
  let isReady = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  function next(): void {
    if (current !== undefined) return
    current = waiting.shift()
    if (current === undefined) reader?.hold(false)
    else if (reader === undefined) start()
    else if (isReady) send(current)
  }

  function start(): void {
    isReady = false
    wait(startDeadlineMs, 'reader-failed')
    try {
      reader = startReader(limits.maxHeapMb, { heard, ended })
    } catch (error) {
      end(new DocumentError('reader-failed', error))
    }
  }

  function send(job: Job): void {
    const { form, document } = job
    reader?.hold(true)
    wait(limits.deadlineMs, 'too-slow')
    reader?.send(document, { form, limits }).catch((error: unknown) => {
      // The reader waits for bytes that will not come.
      if (job === current) end(error)
    })
  }

  function heard(message: ReaderMessage): void {
    if (message === 'ready') {
      isReady = true
      if (current !== undefined) send(current)
    } else if ('form' in message) finish(message)
    else finish({ error: new DocumentError(message.refused, undefined, message.detail) })
  }

  function ended(end: ReaderEnd): void {
    reader = undefined
    finish({ error: new DocumentError(end === 'exhausted' ? 'too-complex' : 'reader-failed') })
  }

  /** Ends the reader, whatever it is at; the job it has fails. */
  function end(error: unknown): void {
    reader?.kill()
    reader = undefined
    finish({ error })
  }

  function wait(deadlineMs: number, reason: 'too-slow' | 'reader-failed'): void {
    clearTimeout(timer)
    timer = setTimeout(() => end(new DocumentError(reason)), deadlineMs)
  }

  function finish(outcome: Outcome): void {
    clearTimeout(timer)
    const job = current
    current = undefined
    job?.settle(outcome)
    next()
  }

  function withdraw(job: Job, reason: unknown): void {
    if (job === current) end(reason)
    else {
      waiting.splice(waiting.indexOf(job), 1)
      job.settle({ error: reason })
    }
  }

  return {
    async make<Name extends FormName>(form: Name, given: Uint8Array | DocumentSource, signal?: AbortSignal) {
      signal?.throwIfAborted()
      if (isClosed) throw new DocumentError('reader-failed')
      const document = given instanceof Uint8Array ? inMemory(given) : given
      if (document.size > limits.maxBytes) throw new DocumentError('too-large')
      if (waiting.length >= limits.maxWaiting) throw new DocumentError('busy')
      const { promise, resolve, reject } = Promise.withResolvers<DerivedForms[Name] | 'none'>()
      const job: Job = {
        form,
        document,
        settle(outcome) {
          signal?.removeEventListener('abort', withdrawn)
          if ('form' in outcome) resolve(outcome.form as DerivedForms[Name] | 'none')
          else reject(outcome.error)
        },
      }
      function withdrawn(): void {
        withdraw(job, signal?.reason)
      }
      signal?.addEventListener('abort', withdrawn, { once: true })
      waiting.push(job)
      next()
      return promise
    },
    [Symbol.dispose]() {
      isClosed = true
      const error = new DocumentError('reader-failed')
      for (const job of waiting.splice(0)) job.settle({ error })
      end(error)
    },
  }
}

function inMemory(bytes: Uint8Array): DocumentSource {
  return {
    size: bytes.length,
    async *read() {
      yield bytes
    },
  }
}
