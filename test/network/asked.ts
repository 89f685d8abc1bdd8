/** One request as a counterpart met it. */
export interface Asked {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly face: string
  readonly method: string
  readonly path: string
  /** Common name of the client's certificate. */
  readonly peer: string
  /** SHA-256 of that certificate. */
  readonly fingerprint: string
  readonly contentType: string
  readonly behaviour: string
  action?: string
  messageId?: string
  /** What was asked: the query's name, or the kind of resource. */
  query?: string
  /** How many documents were asked for, where documents are. */
  documents?: number
  issuer?: string
  role?: string
  purpose?: string
  /** Of the assertions, or of the token. */
  assertionIds: readonly string[]
  outcome: 'pending' | 'answered' | 'refused' | 'broken' | 'unanswered'
  status?: number
  /** Whether the client hung up before it had the answer. */
  aborted: boolean
  /** The message itself. Names a person: for the test that asked, never shown by the control server. */
  readonly body: string
}

/** The last requests, oldest first, and how many there were. */
export interface AskedLog {
  readonly total: number
  readonly last: readonly Asked[]
  add(asked: Asked): void
  clear(): void
}

const kept = 500

export function askedLog(): AskedLog {
  let last: Asked[] = []
  let total = 0
  return {
    get total() {
      return total
    },
    get last() {
      return last
    },
    add(asked) {
      total++
      last = [...last.slice(1 - kept), asked]
    },
    clear() {
      total = 0
      last = []
    },
  }
}
