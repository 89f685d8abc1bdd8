import type { IncomingMessage } from 'node:http'

/** How long a caller may go on sending what nobody reads. */
const lingerMs = 1_000

/**
 * Takes what is still being sent and forgets it, for a while: of a connection that is closed upon unread bytes a caller
 * that is still writing never sees the answer (RFC 9112 §9.6).
 */
export function forgetRest(incoming: IncomingMessage, then: () => void): void {
  const done = () => {
    clearTimeout(timer)
    incoming.off('end', done).off('close', done).off('error', done)
    then()
  }
  const timer = setTimeout(done, lingerMs)
  incoming.on('end', done).on('close', done).on('error', done).resume()
}
