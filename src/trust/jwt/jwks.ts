import { GatewayError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import { refused } from '../refusal.ts'
import { type KeySet, keyIn, readKeySet } from './key-set.ts'
import { bareKey, type KeyHint, type KeySource, type VerificationKey } from './keys.ts'

/** A key set that its owner keeps at an address. Durations in milliseconds. */
export interface JwksOptions {
  /** Fetches the document; must give up when the signal says so, and bound what it reads. */
  readonly fetch: (signal: AbortSignal) => Promise<{ readonly status: number; readonly body: Uint8Array }>
  readonly clock: Clock
  /** How long keys are used without asking again. Default 10 minutes. */
  readonly freshForMs?: number
  /** How long after that they are still used when they cannot be had. Default 24 hours. */
  readonly staleForMs?: number
  /** How often at most an unknown `kid` makes us ask again. Default 30 seconds. */
  readonly cooldownMs?: number
  /** How soon we ask again after a failure. Default 5 seconds. */
  readonly retryMs?: number
  /** How long one answer is waited for. Default 5 seconds. */
  readonly timeoutMs?: number
  /** Default 256 KiB. */
  readonly maxBytes?: number
}

export interface JwksSource extends KeySource {
  /** Asks for the keys now, unless somebody is asking already. Rejects with GatewayError when they cannot be had. */
  refresh(signal?: AbortSignal): Promise<void>
}

/**
 * Keys from a set that changes. Whoever needs them while they are being fetched shares the one fetch; unknown `kid`s never
 * cause more of them than the cooldown allows. When keys cannot be had, GatewayError is thrown, no Refusal: the caller is
 * not to blame.
 */
export function jwksSource(options: JwksOptions): JwksSource {
  const { clock, cooldownMs = 30_000, freshForMs = 600_000, retryMs = 5_000, staleForMs = 86_400_000 } = options
  let known: { readonly set: KeySet; readonly at: number } | undefined
  let last: { readonly at: number; readonly failure?: unknown } | undefined
  let underWay: Promise<void> | undefined

  async function attempt(): Promise<void> {
    const at = clock.now()
    try {
      known = { set: await download(options), at }
      last = { at }
    } catch (failure) {
      last = { at, failure }
    }
  }

  function load(): Promise<void> {
    underWay ??= attempt().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  const failed = (): boolean => last?.failure !== undefined

  function mayLoad(now: number): boolean {
    return underWay !== undefined || last === undefined || now - last.at >= (failed() ? retryMs : cooldownMs)
  }

  /** The keys, unless they are older than the fresh and this much more. */
  function keysWithin(graceMs: number, now: number): KeySet | undefined {
    return known !== undefined && now - known.at <= freshForMs + graceMs ? known.set : undefined
  }

  function usable(now: number): KeySet {
    const set = keysWithin(staleForMs, now)
    if (set === undefined) throw unavailable(last?.failure)
    return set
  }

  async function sought(hint: KeyHint, now: number, signal?: AbortSignal): Promise<VerificationKey> {
    if (keysWithin(0, now) === undefined && mayLoad(now)) {
      const loaded = load()
      // While the owner is out of reach, nobody waits for another attempt as long as the old keys will do.
      if (keysWithin(staleForMs, now) === undefined || !failed()) await waited(loaded, signal)
    }
    const found = keyIn(usable(now), hint)
    if (found !== undefined) return bareKey(found)
    if (mayLoad(now)) {
      await waited(load(), signal)
      const later = keyIn(usable(now), hint)
      if (later !== undefined) return bareKey(later)
    }
    if (failed()) throw unavailable(last?.failure)
    throw refused('certificate', 'key-is-unknown')
  }

  return {
    keyFor(hint, now, signal) {
      const fresh = keysWithin(0, now)
      const found = fresh === undefined ? undefined : keyIn(fresh, hint)
      return found === undefined ? sought(hint, now, signal) : bareKey(found)
    },
    async refresh(signal) {
      await waited(load(), signal)
      if (failed()) throw unavailable(last?.failure)
    },
  }
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError('community-unavailable', 'The keys of the issuer cannot be had', {
    details: { reason: 'keys-unavailable' },
    cause,
  })
}

async function download({ fetch, maxBytes = 262_144, timeoutMs = 5_000 }: JwksOptions): Promise<KeySet> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const { status, body } = await waited(fetch(deadline), deadline)
  if (status !== 200) throw new Error(`The key set was answered with status ${status}`)
  if (body.byteLength > maxBytes) throw new Error('The key set is too large')
  return readKeySet(body)
}

/** The promise's outcome, or the signal's reason when that comes first. What is waited for goes on. */
function waited<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
