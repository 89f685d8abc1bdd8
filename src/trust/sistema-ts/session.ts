import { GatewayError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'

/** A session of a direct user (ID-SESSIONE). */
export interface Session {
  readonly token: string
  /** When it ends, milliseconds since the epoch. */
  readonly until: number
}

/** Hands out the session to present. */
export interface SessionSource {
  /** Rejects with GatewayError when there is none to be had. */
  current(): Promise<string>
  /** Whether a session was followed by another, whose first use has ended it. */
  superseded(token: string): boolean
}

/** Sistema TS promises eight hours at least (sistema-ts.md A.6). */
export const shortestSessionMs = 8 * 3_600_000

/** The form of a session: 36 characters, a GUID or a test environment's wildcard name. */
export function isSession(text: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(text)
}

/** A session that somebody put into a file, since in production it is delivered to a mailbox; read anew when it changes. */
export function deliveredSession(read: () => string): SessionSource {
  return {
    async current() {
      const token = read()
      if (!isSession(token)) throw noSession('session-malformed')
      return token
    },
    superseded: (token) => read() !== token,
  }
}

export interface CreatedSessionParts {
  readonly clock: Clock
  /** How long before its end a session is replaced. */
  readonly renewMs: number
  /**
   * Asks for a new session, within a deadline of its own. It is good, but not in use: its first use ends the one before.
   * Undefined when the answer does not tell it. Rejects with GatewayError.
   */
  readonly create: () => Promise<string | undefined>
  /** When a session ends; undefined, or a rejection, when that cannot be told. */
  readonly check: (token: string) => Promise<number | undefined>
}

/**
 * Sessions asked for by ourselves, where they are told in the answer (test environments). There are two at most: the one in
 * use and its successor, which is asked for shortly before the end, once for all callers, and whose first use ends the
 * other. A failure to replace one that is still good is no failure. Where the answer does not tell the session, because it
 * goes to a mailbox, none is asked for again.
 */
export function createdSession({ clock, renewMs, create, check }: CreatedSessionParts): SessionSource {
  let session: Session | undefined
  let renewal: Promise<Session> | undefined
  let untold = false

  async function renewed(): Promise<Session> {
    if (untold) throw noSession('session-not-told')
    const asked = clock.now()
    const token = await create()
    untold = token === undefined
    if (token === undefined) throw noSession('session-not-told')
    if (!isSession(token)) throw noSession('session-malformed')
    const until = await check(token).catch(() => undefined)
    return { token, until: until ?? asked + shortestSessionMs }
  }

  const good = (ms: number) => (session !== undefined && clock.now() < session.until - ms ? session : undefined)

  return {
    async current() {
      const present = good(renewMs)
      if (present !== undefined) return present.token
      renewal ??= renewed().finally(() => {
        renewal = undefined
      })
      try {
        session = await renewal
        return session.token
      } catch (error) {
        const still = good(0)
        if (still === undefined) throw error
        return still.token
      }
    },
    superseded: (token) => session !== undefined && session.token !== token,
  }
}

function noSession(reason: string): GatewayError {
  return new GatewayError('internal', 'There is no session for Sistema TS', { details: { reason } })
}
