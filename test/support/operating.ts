import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pushed } from '../../src/core/model/change.ts'
import { correlationId } from '../../src/core/model/identifiers.ts'
import type { AuditEvent, AuditTrail, JournalDraft } from '../../src/core/ports.ts'
import { operatorApp } from '../../src/http/operator/app.ts'
import type { OperatorParts } from '../../src/http/operator/parts.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { citizen } from './builders.ts'
import { validSubmit } from './submissions.ts'

export const noon = Date.UTC(2026, 2, 2, 12)

/** A push as the national face journals one. */
export function draftOf(id: string, more: Partial<JournalDraft> & { readonly pushed?: Pushed } = {}): JournalDraft {
  return {
    ...{
      id,
      transaction: 'ITI-42',
      correlationId: correlationId(`c-${id}`),
      digest: 'ab'.repeat(32),
      receivedAt: noon,
    },
    ...{ identities: [`document ${id}`], frees: [], patients: [citizen], objects: [`object ${id}`] },
    pushed: { kind: 'change', change: validSubmit() },
    deliverAs: 'push:tuscany',
    ...more,
  }
}

/** The operator's face over a real store, with an audit trail that can be made to fail. */
export async function operating(more: Pick<OperatorParts, 'startTransfer' | 'credentials'> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-operator-'))
  const clock = { time: noon, now: () => clock.time }
  const store = await sqliteStore({ path: join(folder, 'store.sqlite'), clock })
  const audited: AuditEvent[] = []
  const told: string[] = []
  const trail = { fails: false }
  const audit: AuditTrail = {
    async record(event) {
      if (trail.fails) throw new Error('disk full')
      audited.push(event)
    },
  }
  const app = operatorApp({
    ...{ journal: store.journal, outbox: store.outbox, audit, clock },
    ...more,
    wake: () => void told.push('woken'),
    names: ['ops.example.org'],
    events: {
      auditWritten: () => undefined,
      auditFailed: ({ transaction }) => void told.push(`audit failed: ${transaction}`),
      deliveryRetried: ({ id, kind }) => void told.push(`retried ${id} ${kind}`),
      deliveryDiscarded: ({ id, kind }) => void told.push(`discarded ${id} ${kind}`),
    },
  })
  return {
    ...{ app, store, clock, audited, told, trail },
    /** Lets the first that is due fail for good, in these words. */
    async kill(reason: string): Promise<string> {
      const [claimed] = await store.outbox.claim({ now: clock.now(), limit: 1, leaseMs: 1000 })
      if (claimed === undefined) throw new Error('Nothing is due')
      await store.outbox.failed(claimed.id, { attempt: claimed.attempts, reason, dead: true })
      return claimed.id
    },
    ask: (path: string, init: RequestInit & { readonly operator?: string } = {}) => {
      const { operator, headers, ...rest } = init
      return app.request(path.startsWith('http') ? path : `http://localhost:9090${path}`, {
        ...rest,
        headers: { ...(operator === undefined ? {} : { operator }), ...(headers as Record<string, string>) },
      })
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type Operating = Awaited<ReturnType<typeof operating>>
