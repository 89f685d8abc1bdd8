import { asGatewayError, GatewayError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import type { Signer } from '../signer.ts'
import type { DpopProver } from './issue-dpop.ts'
import { type AnsweredVoucher, readTokenAnswer, type TokenAnswer } from './voucher-answer.ts'
import { backOff } from './voucher-back-off.ts'
import { tokenRequests, type VoucherClient } from './voucher-request.ts'

/** Sends one request over server-authenticated or mutual TLS, within the signal. Rejects with GatewayError. */
export type SendTokenRequest = (request: {
  readonly url: string
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}) => Promise<TokenAnswer>

export interface VoucherSourceOptions extends VoucherClient {
  readonly send: SendTokenRequest
  readonly signer: Signer
  readonly clock: Clock
  /** The token endpoint, such as `https://auth.interop.pagopa.it/token.oauth2`. */
  readonly endpoint: string
  /** A voucher is not used in this last part of its life, nor in its second half. */
  readonly skewMs: number
  /** Binds vouchers to a key. */
  readonly dpop?: DpopProver
  /** The longest wait for PDND; default ten seconds. */
  readonly timeoutMs?: number
  /** Told once of each request that did not bring a voucher; `details.businessState` is for an alarm. */
  readonly onFailure?: (error: GatewayError) => void
}

/** The request to the partner that a voucher is for. */
export interface VouchedRequest {
  readonly method: string
  readonly url: string
  readonly signal: AbortSignal
  /** SHA-256 of the tracking evidence in hexadecimal (AUDIT_REST_02): its voucher is for this request alone. */
  readonly evidenceDigest?: string
}

/** Vouchers for one purpose. */
export interface VoucherSource extends Disposable {
  /**
   * `Authorization`, and with a bound voucher `DPoP`, for one request. Rejects with `community-rejected`, `-busy`,
   * `-unavailable`, `-timeout` or `-misbehaved`, with `caller-gone` when the signal ends the wait, and with `internal`
   * when the signer fails. A failure is told again without asking, for some seconds.
   */
  authorize(request: VouchedRequest): Promise<Readonly<Record<string, string>>>
}

interface Held {
  readonly voucher: AnsweredVoucher
  /** From here on it is renewed, from there on not used. */
  readonly renewAt: number
  readonly endsAt: number
}

/** The part of a voucher's usable life after which it is renewed while it still serves. */
const renewAfter = 0.8

/**
 * Keeps one voucher, renewed ahead of its end by one request that all callers share. Sends nothing until asked. Throws
 * for ids and keys that PDND would refuse.
 */
export function voucherSource(options: VoucherSourceOptions): VoucherSource {
  const { clock, dpop, endpoint, onFailure, send, skewMs, timeoutMs = 10_000 } = options
  const tokenRequest = tokenRequests(options.signer, options, clock)
  const scheme = dpop === undefined ? 'Bearer' : 'DPoP'
  const failures = backOff(clock)
  const closed = new AbortController()
  let held: Held | undefined
  let flight: Promise<Held> | undefined

  async function ask(signal: AbortSignal, evidenceDigest?: string): Promise<Held> {
    const body = await tokenRequest(evidenceDigest)
    const proof = await dpop?.prove({ method: 'POST', url: endpoint })
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    const sentAt = clock.now()
    const answer = await send({
      url: endpoint,
      method: 'POST',
      headers: proof === undefined ? headers : { ...headers, DPoP: proof },
      body,
      signal,
    }).catch(unsent)
    const voucher = readTokenAnswer(answer, scheme)
    const usableMs = voucher.expiresInMs - Math.min(skewMs, voucher.expiresInMs / 2)
    return { voucher, renewAt: sentAt + usableMs * renewAfter, endsAt: sentAt + usableMs }
  }

  /** One request within the time limit; its failure keeps all from asking for a while, unless the caller left. */
  async function bounded(caller: AbortSignal | undefined, evidenceDigest?: string): Promise<Held> {
    const known = failures.current()
    if (known !== undefined) throw known
    const limits = [closed.signal, AbortSignal.timeout(timeoutMs)]
    const signal = AbortSignal.any(caller === undefined ? limits : [...limits, caller])
    try {
      const got = await unlessAborted(() => ask(signal, evidenceDigest), signal)
      failures.clear()
      return got
    } catch (thrown) {
      const error = signal.aborted ? departure(signal) : asGatewayError(thrown)
      if (caller?.aborted !== true && !closed.signal.aborted) {
        failures.remember(error)
        onFailure?.(error)
      }
      throw error
    }
  }

  /** The request under way, else a new one. It outlives the caller who began it: others wait for it too. */
  function renewal(): Promise<Held> {
    flight ??= bounded(undefined)
      .then((got) => {
        held = got
        return got
      })
      .finally(() => {
        flight = undefined
      })
    return flight
  }

  async function current(signal: AbortSignal): Promise<AnsweredVoucher> {
    if (signal.aborted) throw departure(signal)
    const now = clock.now()
    if (held === undefined || now >= held.endsAt) return (await unlessAborted(renewal, signal)).voucher
    // Whoever comes now is served; a renewal that fails is told of by onFailure, and tried again after a while.
    if (now >= held.renewAt) renewal().catch(() => undefined)
    return held.voucher
  }

  return {
    async authorize({ method, url, signal, evidenceDigest }) {
      if (evidenceDigest !== undefined && !/^[0-9a-f]{64}$/.test(evidenceDigest)) {
        throw new GatewayError('internal', 'The digest of the tracking evidence is malformed')
      }
      const voucher =
        evidenceDigest === undefined ? await current(signal) : (await bounded(signal, evidenceDigest)).voucher
      const headers = { Authorization: `${voucher.scheme} ${voucher.token}` }
      if (dpop === undefined) return headers
      try {
        const request = { method, url, accessToken: voucher.token }
        return { ...headers, DPoP: await unlessAborted(() => dpop.prove(request), signal) }
      } catch (thrown) {
        throw asGatewayError(thrown)
      }
    },
    [Symbol.dispose]() {
      closed.abort(new GatewayError('overloaded', 'The gateway is stopping and asks for no more vouchers'))
    },
  }
}

/** What a transport throws that is no GatewayError says only that nothing came. */
function unsent(thrown: unknown): never {
  if (thrown instanceof GatewayError) throw thrown
  throw new GatewayError('community-unavailable', 'PDND could not be reached', { cause: thrown })
}

/** Ends the wait with the signal even where the work is deaf to it; does not begin once it is aborted. */
async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw departure(signal)
  let leave: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(departure(signal))
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave)
  }
}

/** A `TimeoutError` as the reason is a deadline, a GatewayError explains itself; any other is the caller's leaving. */
function departure({ reason }: AbortSignal): GatewayError {
  if (reason instanceof GatewayError) return reason
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new GatewayError('community-timeout', 'PDND did not answer in time')
  }
  return new GatewayError('caller-gone', 'The caller left before PDND answered')
}
