import type { HeldDocument } from '../core/ports.ts'
import type { Content } from './content.ts'
import { notHeld, spoolFailure } from './failure.ts'

/** What is known of a document that is whole. */
export type Measure = Pick<HeldDocument, 'size' | 'sha1'>

/**
 * A document whose content goes when it is disposed of; a read that is under way then rejects with `internal`. `gone` is
 * called when nothing is left.
 */
export function heldDocument(measure: Measure, content: Content, gone: (document: HeldDocument) => void): HeldDocument {
  const disposal = new AbortController()
  let released: Promise<void> | undefined
  const document: HeldDocument = {
    ...measure,
    read: () => ({ [Symbol.asyncIterator]: () => content.chunks(disposal.signal) }),
    [Symbol.asyncDispose]() {
      released ??= release()
      return released
    },
  }
  async function release(): Promise<void> {
    disposal.abort(notHeld('disposed'))
    try {
      await content.release()
    } catch (error) {
      throw spoolFailure(error)
    } finally {
      gone(document)
    }
  }
  return document
}
