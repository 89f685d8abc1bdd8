import type { PeerCertificate, SecureContext } from 'node:tls'
import { Pool } from 'undici'
import { GatewayError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'

export interface OriginLimits {
  /** Most connections per origin. */
  readonly connections: number
  readonly connectTimeoutMs: number
  /** Most origins with a pool at one time. */
  readonly origins: number
  /** Most requests under way or waiting for a connection, over all origins. */
  readonly pending: number
  /** A pool unused for this long is closed when the next request comes. */
  readonly idleMs: number
}

/** The warm connections of one community, one pool per origin (scheme, host and port). */
export interface Origins {
  /** Runs `use` with the origin's pool, which stays open meanwhile. Throws `overloaded` at a bound and after `close`. */
  with<T>(origin: string, use: (pool: Pool) => Promise<T>): Promise<T>
  /** Opens new connections with another context; those that are in use end with the request they carry. */
  renew(secureContext: SecureContext): void
  /** Lets requests under way end for at most `drainMs`, then breaks every connection. */
  close(drainMs: number): Promise<void>
}

interface Entry {
  readonly pool: Pool
  inUse: number
  usedAt: number
}

/** How long an idle connection is kept when the peer names no time. A connection the peer closes first costs a request. */
const keepAliveMs = 15_000
const keepAliveMaxMs = 60_000
/** A peer silent for this long has timed out, whatever the caller's own deadline. */
const silenceMs = 60_000

function openPool(origin: string, secureContext: SecureContext, limits: OriginLimits, judge?: JudgeServer): Pool {
  return new Pool(origin, {
    connections: limits.connections,
    pipelining: 1,
    // undici 8 offers HTTP/2 unless told not to; it costs four to five times as much here.
    allowH2: false,
    connectTimeout: limits.connectTimeoutMs,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMaxMs,
    // Said aloud: left out, NODE_TLS_REJECT_UNAUTHORIZED in the environment would decide.
    connect: {
      secureContext,
      rejectUnauthorized: true,
      ...(judge === undefined ? {} : { checkServerIdentity: judge }),
    },
  })
}

/** What `checkServerIdentity` of node:tls is: the error a server's certificate deserves, or nothing. */
export type JudgeServer = (hostname: string, certificate: PeerCertificate) => Error | undefined

export function originPools(initial: SecureContext, limits: OriginLimits, clock: Clock, judge?: JudgeServer): Origins {
  let secureContext = initial
  const entries = new Map<string, Entry>()
  let pending = 0
  let closed = false

  function retire(origin: string, entry: Entry): void {
    entries.delete(origin)
    entry.pool.close().catch(() => undefined)
  }

  function closeIdle(now: number): void {
    for (const [origin, entry] of entries) {
      if (entry.inUse === 0 && now - entry.usedAt >= limits.idleMs) retire(origin, entry)
    }
  }

  function makeRoom(): void {
    if (entries.size < limits.origins) return
    const idle = [...entries].filter(([, entry]) => entry.inUse === 0)
    const oldest = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt)[0]
    if (oldest === undefined) throw new GatewayError('overloaded', 'Too many endpoints of one community are in use')
    retire(...oldest)
  }

  function entryOf(origin: string): Entry {
    const known = entries.get(origin)
    if (known !== undefined) return known
    makeRoom()
    const entry = { pool: openPool(origin, secureContext, limits, judge), inUse: 0, usedAt: clock.now() }
    entries.set(origin, entry)
    return entry
  }

  return {
    async with(origin, use) {
      if (closed) throw new GatewayError('overloaded', 'The gateway is stopping and sends nothing more')
      if (pending >= limits.pending) throw new GatewayError('overloaded', 'Too many requests to one community wait')
      closeIdle(clock.now())
      const entry = entryOf(origin)
      entry.inUse++
      pending++
      try {
        return await use(entry.pool)
      } finally {
        entry.inUse--
        pending--
        entry.usedAt = clock.now()
      }
    },

    renew(context) {
      secureContext = context
      for (const [origin, entry] of entries) retire(origin, entry)
    },

    async close(drainMs) {
      closed = true
      const pools = [...entries.values()].map((entry) => entry.pool)
      entries.clear()
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainMs)
      })
      await Promise.race([Promise.all(pools.map((pool) => pool.close().catch(() => undefined))), late])
      clearTimeout(timer)
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}
