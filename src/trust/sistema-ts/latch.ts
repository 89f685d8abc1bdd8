import { createHash } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'

/** How a call with some credentials ended. */
export type CredentialOutcome = 'accepted' | 'refused' | 'unknown'

/** What came of a call: its answer, or how it was refused in the refuser's own words. */
export type Tried<T> =
  | { readonly outcome: 'accepted' | 'unknown'; readonly value: T }
  | { readonly outcome: 'refused'; readonly error?: GatewayError }

/**
 * Keeps credentials that were refused from ever being presented again, since accounts lock (sistema-ts.md A.4). Held by one
 * process: each replica, and each start, finds out for itself, once.
 */
export interface CredentialLatch {
  /**
   * Runs one call with the credentials of that key. Credentials nobody has accepted yet are tried by one call at a time, so
   * that wrong ones are presented once and not by everybody at once. Rejects with `community-rejected`
   * (`details.reason` is `authentication`) without running anything once they were refused; otherwise as the call does.
   */
  run<T>(key: string, signal: AbortSignal, call: () => Promise<Tried<T>>): Promise<T>
  /** An operator has put things right: refused credentials may be presented again. How many there were. */
  reset(): number
}

/** More different credentials than that are not refused one by one: something is wrong with all that nobody accepted yet. */
const mostRefused = 64
/** Keys that are remembered as accepted; the oldest is forgotten, and then tried alone again. */
const mostAccepted = 4_096

/** The key of credentials: a digest that is not told to anybody. */
export function credentialKey(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

/** `onRefusal` is told of each credentials that are refused, once. */
export function credentialLatch(onRefusal: () => void): CredentialLatch {
  const refused = new Set<string>()
  const accepted = new Set<string>()
  const trying = new Map<string, Promise<unknown>>()

  function judge(key: string, outcome: CredentialOutcome): void {
    if (outcome === 'accepted') {
      accepted.add(key)
      if (accepted.size > mostAccepted) for (const oldest of accepted) return void accepted.delete(oldest)
    }
    if (outcome !== 'refused' || refused.has(key)) return
    accepted.delete(key)
    refused.add(key)
    onRefusal()
  }

  return {
    async run(key, signal, call) {
      for (;;) {
        if (refused.has(key) || (refused.size >= mostRefused && !accepted.has(key))) throw latched()
        const other = accepted.has(key) ? undefined : trying.get(key)
        if (other === undefined) break
        await first(other, signal)
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      const alone = !accepted.has(key)
      if (alone) trying.set(key, promise)
      try {
        const tried = await call()
        judge(key, tried.outcome)
        if (tried.outcome === 'refused') throw tried.error ?? latched()
        return tried.value
      } finally {
        if (alone) trying.delete(key)
        resolve()
      }
    },
    reset() {
      const { size } = refused
      refused.clear()
      return size
    },
  }
}

/** Until the other call has ended, or the caller waits no more. */
async function first(other: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const gone = () => reject(gaveUp(signal))
  if (signal.aborted) gone()
  signal.addEventListener('abort', gone, { once: true })
  try {
    await Promise.race([other, promise])
  } finally {
    signal.removeEventListener('abort', gone)
  }
}

function gaveUp({ reason }: AbortSignal): GatewayError {
  const late = reason instanceof Error && reason.name === 'TimeoutError'
  return new GatewayError(
    late ? 'community-timeout' : 'caller-gone',
    late ? 'Sistema TS did not answer in time' : 'The caller is gone',
  )
}

function latched(): GatewayError {
  return new GatewayError('community-rejected', 'Sistema TS did not accept our credentials', {
    details: { reason: 'authentication' },
  })
}
