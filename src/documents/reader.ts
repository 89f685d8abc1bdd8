import { Buffer } from 'node:buffer'
import process from 'node:process'
import { DocumentError, type DocumentReason } from './document-error.ts'
import type { DocumentLimits } from './limits.ts'
import { type FormName, read } from './reading.ts'

/** What the reading process is asked; so many bytes of the document follow on its standard input. */
export interface ReaderRequest {
  readonly form: FormName
  readonly size: number
  readonly limits: DocumentLimits
}

/** What it says: that it is ready, once, and then one reply to each request. */
export type ReaderMessage =
  | 'ready'
  | { readonly form: unknown }
  | { readonly refused: DocumentReason; readonly detail: string | undefined }

process.on('message', ({ form, size, limits }: ReaderRequest) => {
  void received(size)
    .then((document) => read(form, document, limits))
    .then(
      (made) => say({ form: made }),
      (error: unknown) => {
        if (!(error instanceof DocumentError)) throw error
        say({ refused: error.reason, detail: error.detail })
      },
    )
})

/** So many bytes of standard input; nothing follows them before they are answered. */
function received(size: number): Promise<Uint8Array> {
  const document = Buffer.allocUnsafeSlow(size)
  let at = 0
  const { promise, resolve } = Promise.withResolvers<Uint8Array>()
  function take(chunk: Buffer): void {
    at += chunk.copy(document, at)
    if (at < size) return
    process.stdin.off('data', take).pause()
    resolve(document)
  }
  if (size === 0) resolve(document)
  else process.stdin.on('data', take).resume()
  return promise
}

function say(message: ReaderMessage): void {
  process.send?.(message)
}

say('ready')
