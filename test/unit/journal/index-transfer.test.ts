import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import { isObscured, moveDraft, transferEvents } from '../../../src/core/federation/index-transfer.ts'
import { obscured } from '../../../src/core/federation/overlay.ts'
import type { MetadataChange } from '../../../src/core/model/change.ts'
import { correlationId } from '../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../src/core/model/metadata.ts'
import type { Delivery, IndexTransferSource, JournalDraft, Outbox, WaitingDelivery } from '../../../src/core/ports.ts'
import { indexTransferDeliverer, startTransfer } from '../../../src/journal/index-transfer.ts'
import type { IndexTransferParts } from '../../../src/journal/transfer-parts.ts'
import { isFinal, reasonOf } from '../../../src/journal/verdict.ts'
import { movedFrom } from '../../../src/wire/ebrim/moved.ts'
import {
  answer,
  assertion,
  authorized,
  citizen,
  community,
  homes,
  known,
  otherCitizen,
} from '../../support/builders.ts'
import { memoryJournal } from '../../support/push-journal.ts'
import { validEntry } from '../../support/submissions.ts'

const transferId = 'urn:uuid:00000000-0000-4000-8000-000000000001'
const clock = { now: () => Date.UTC(2026, 2, 2, 12) }
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const uuid = (n: number) => `urn:uuid:00000000-0000-4000-9000-${String(n).padStart(12, '0')}`
const document = (n: number, more: Partial<DocumentEntry> = {}): DocumentEntry => ({
  ...validEntry(uuid(n)),
  uniqueId: `2.16.840.1.113883.2.9.2.120.4.4^D${n}`,
  hash: hash(String(n)).slice(0, 40),
  ...more,
})

type Trouble = 'none' | 'before' | 'after'

/** The former index, our record, the journal and the outbox, each of which fails as often as it is told to. */
function world(
  there: readonly DocumentEntry[],
  here: readonly DocumentEntry[] = [],
  troubles: Trouble[] = [],
  chunk = 3,
  late: boolean[] = [],
) {
  const former = new Map(there.map((entry) => [entry.entryUuid, entry]))
  const record = new Map(here.map((entry) => [entry.uniqueId, entry]))
  const journal = memoryJournal()
  const waiting: WaitingDelivery[] = []
  const done = new Set<string>()
  const deadPushes = new Map<string, string>()
  const state = { lost: new Set<string>(), refused: new Set<string>(), told: new Map<string, number>(), unsafe: 0 }

  async function shaky<T>(work: () => T | Promise<T>): Promise<T> {
    const trouble = troubles.pop() ?? 'none'
    if (trouble === 'before') throw new GatewayError('community-unavailable', 'CRF1')
    const result = await work()
    if (trouble === 'after') throw new GatewayError('community-timeout', 'The answer was lost')
    return result
  }
  const source: IndexTransferSource = {
    mostAtOnce: chunk,
    list: () => shaky(() => [...former.keys()]),
    read: (ids) => shaky(() => ids.flatMap((id) => (state.lost.has(id) ? [] : (former.get(id) ?? [])))),
    remove: (ids) =>
      shaky(() => {
        for (const id of ids) {
          const entry = former.get(id)
          const kept = entry && record.get(entry.uniqueId)
          if (entry !== undefined && (kept === undefined || (isObscured(entry) && !isObscured(kept)))) state.unsafe++
          former.delete(id)
        }
      }),
  }
  const outbox: Pick<Outbox, 'put' | 'list'> = {
    put: (delivery: Delivery) =>
      shaky(() => {
        if (done.has(delivery.id) || waiting.some(({ id }) => id === delivery.id)) return
        waiting.push({ ...delivery, putAt: 0, attempts: 0, nextAt: 0, state: 'waiting' })
      }),
    async list({ state: wanted }) {
      const dead = [...deadPushes].map(([id, reason]): WaitingDelivery => {
        return {
          id,
          kind: 'push:tuscany',
          key: id,
          content: id,
          putAt: 0,
          attempts: 1,
          nextAt: 0,
          state: 'dead',
          reason,
        }
      })
      return [...waiting, ...dead].filter((one) => wanted === undefined || one.state === wanted)
    },
  }
  const parts: IndexTransferParts = {
    ...{ source, outbox, clock, hash, kind: 'index-transfer:ini', deliverAs: 'push:tuscany' },
    journal: {
      ...journal,
      append: (draft: JournalDraft) =>
        shaky(async () => {
          const same = await journal.find(draft.id)
          return same === undefined ? await journal.append(draft) : { repeats: same }
        }),
    },
    own: community({
      home: homes.tuscany,
      query: (query) =>
        shaky(() => {
          const ids = query.type === 'GetDocuments' ? query.documents.ids : []
          return answer({ entries: ids.flatMap((id) => record.get(id) ?? []) })
        }),
      patients: { locate: async () => known() },
    }),
    submissionOf: (entry) => movedFrom(entry, { home: homes.tuscany, now: clock.now(), hash }),
    check: () => [{ severity: 'warning', code: 'R50', text: 'Wrong value', location: 'x' }],
    assertionFor: () => assertion({ role: 'NOR', purposeOfUse: 'SYSADMIN', action: 'CREATE' }),
    callFor: () => authorized(),
  }
  const deliver = indexTransferDeliverer(parts)

  function apply(change: MetadataChange): void {
    if (change.type === 'hide') {
      const entry = record.get(change.uniqueId)
      if (entry !== undefined) record.set(change.uniqueId, obscured(entry))
    }
    if (change.type !== 'submit') return
    for (const entry of change.submission.entries) {
      state.told.set(entry.uniqueId, (state.told.get(entry.uniqueId) ?? 0) + 1)
      record.set(entry.uniqueId, entry)
    }
  }

  /** The dispatcher tells our record of what waits, as far as it is well just then. */
  function tellRecord(): void {
    for (const { id, state: now, pushed } of journal.pushes) {
      if (now !== 'pending' || pushed.kind !== 'change' || late.pop() === true) continue
      const { change } = pushed
      const names = change.type === 'submit' ? change.submission.entries.map((entry) => entry.uniqueId) : []
      if (names.some((name) => state.refused.has(name))) {
        deadPushes.set(id, 'community-rejected: R50 Wrong value')
        continue
      }
      deadPushes.delete(id)
      apply(change)
      journal.deliver(id)
    }
  }

  /** Until nothing is due; a crash is a step that is done and not written down. */
  async function run(): Promise<void> {
    for (let turn = 0; turn < 2_000; turn++) {
      const [first] = waiting
      if (first === undefined || first.state === 'dead') return tellRecord()
      try {
        await deliver(first, new AbortController().signal)
        if ((troubles.pop() ?? 'none') !== 'none') continue
        done.add(first.id)
        waiting.splice(waiting.indexOf(first), 1)
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        if (isFinal(error)) waiting[0] = { ...first, state: 'dead', reason: reasonOf(error) }
      }
      tellRecord()
    }
    throw new Error('It goes on for ever')
  }

  return {
    ...{ former, record, journal, state, waiting, parts, deadPushes, run },
    start: () => startTransfer({ transferId, patientId: citizen, operator: 'anna' }, parts),
    retry: () => waiting.splice(0, 1, ...waiting.slice(0, 1).map((step) => ({ ...step, state: 'waiting' as const }))),
    events: () => transferEvents(transferId, journal),
    missing: async () => {
      const found = (await transferEvents(transferId, journal)).findLast(({ type }) => type === 'missing')
      return found?.type === 'missing' ? found.documents : []
    },
  }
}

describe('an index that moves to us', () => {
  it('arrives complete or is told to be missing exactly, whatever fails, and is removed only when it is here', async () => {
    const kinds = fc.constantFrom('new', 'here', 'hidden', 'hidden-there-only', 'lost', 'refused', 'former', 'replaced')
    await fc.assert(
      fc.asyncProperty(
        fc.array(kinds, { maxLength: 12 }),
        fc.array(fc.constantFrom<Trouble>('none', 'none', 'before', 'after'), { maxLength: 120 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 120 }),
        async (documents, troubles, chunk, late) => {
          const there = documents.flatMap((kind, n): DocumentEntry[] => {
            const entry = document(n)
            if (kind.startsWith('hidden')) return [obscured(entry)]
            if (kind === 'former') {
              const former = {
                ...document(n + 100),
                logicalId: uuid(n),
                uniqueId: entry.uniqueId,
                status: 'deprecated',
              }
              return [former, { ...entry, logicalId: uuid(n) }]
            }
            return [kind === 'replaced' ? { ...entry, status: 'deprecated' } : entry]
          })
          const of = (...some: readonly string[]) =>
            documents.flatMap((kind, n) => (some.includes(kind) ? [document(n)] : []))
          const moving = world(there, of('here', 'hidden-there-only'), [...troubles], chunk, [...late])
          moving.state.lost = new Set(of('lost').map(({ entryUuid }) => entryUuid))
          moving.state.refused = new Set(of('refused').map(({ uniqueId }) => uniqueId))
          for (let tries = 0; tries < 200 && moving.waiting.length === 0; tries++)
            await moving.start().catch(() => undefined)
          await moving.run()
          const absent = [...of('lost'), ...of('refused')].map(({ entryUuid }) => entryUuid)
          expect((await moving.missing()).map(({ id }) => id).sort()).toEqual(absent.sort())
          if (absent.length > 0) {
            expect(moving.waiting.map(({ id, state }) => `${id} ${state}`)).toEqual([`${transferId}:check dead`])
            for (const id of absent) expect(moving.waiting[0]?.reason).toContain(id)
            expect(moving.former.size).toBe(there.length)
            moving.state.lost.clear()
            moving.state.refused.clear()
            moving.deadPushes.clear()
            moving.retry()
            await moving.run()
          }
          expect(moving.waiting).toEqual([])
          expect(moving.state.unsafe).toBe(0)
          expect([...moving.former.keys()]).toEqual(of('replaced').map(({ entryUuid }) => entryUuid))
          const expected = there.filter(({ status }) => status !== 'deprecated')
          expect([...moving.record.keys()].sort()).toEqual(expected.map(({ uniqueId }) => uniqueId).sort())
          for (const entry of expected) {
            const kept = moving.record.get(entry.uniqueId)
            expect(kept !== undefined && isObscured(kept)).toBe(isObscured(entry))
          }
          expect([...moving.state.told.values()].every((times) => times === 1)).toBe(true)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('keeps its ids, its hiding and its faults, under the content type of what INI moves', async () => {
    const moving = world([obscured(document(1))])
    await moving.start()
    await moving.run()
    const push = moving.journal.pushes.find(({ pushed }) => pushed.kind === 'change')
    if (push?.pushed.kind !== 'change' || push.pushed.change.type !== 'submit') throw new Error('Nothing was moved')
    const { entries, submissionSet } = push.pushed.change.submission
    expect(submissionSet.contentTypeCode).toMatchObject({ code: 'INI', display: 'Documenti INI' })
    expect(submissionSet.uniqueId.length).toBeLessThanOrEqual(64)
    expect(entries.map((entry) => [entry.entryUuid, isObscured(entry)])).toEqual([[uuid(1), true]])
    const read = (await moving.events()).find(({ type }) => type === 'read')
    expect(read).toMatchObject({ documents: [{ id: uuid(1), became: 'pushed', faults: [{ code: 'R50' }] }] })
  })

  it('takes nothing about somebody else, and says so', async () => {
    const moving = world([document(1), document(2, { patientId: otherCitizen })])
    await moving.start()
    await moving.run()
    expect(moving.record.size).toBe(1)
    expect(await moving.missing()).toEqual([
      expect.objectContaining({ id: uuid(2), reason: 'it is about an identifier that is not known as the person’s' }),
    ])
  })

  it('takes no document of somebody else in our record for the person’s, and removes nothing', async () => {
    const moving = world([document(1)], [document(1, { patientId: otherCitizen })])
    await moving.start()
    await moving.run()
    expect(await moving.missing()).toMatchObject([{ id: uuid(1), reason: 'our record has it of somebody else' }])
    expect(moving.former.size).toBe(1)
    expect((await moving.events()).map(({ type }) => type)).not.toContain('complete')
  })

  it('takes no document for arrived that our record registers of somebody else meanwhile', async () => {
    const moving = world([document(1)])
    await moving.start()
    const { registry } = moving.parts.own
    let asked = 0
    Object.assign(moving.parts.own, {
      registry: {
        async query(...about: Parameters<NonNullable<typeof registry>['query']>) {
          const told = await registry?.query(...about)
          const entries = told?.entries ?? []
          return answer({
            entries: ++asked === 1 ? entries : entries.map((one) => ({ ...one, patientId: otherCitizen })),
          })
        },
      },
    })
    await moving.run()
    expect(await moving.missing()).toMatchObject([{ id: uuid(1) }])
    expect(moving.former.size).toBe(1)
  })

  it('takes no pending push about somebody else for the person’s', async () => {
    const other = world([document(1, { patientId: otherCitizen })])
    const moving = world(
      [document(1)],
      [],
      [],
      3,
      Array.from({ length: 500 }, () => true),
    )
    const { append } = moving.journal
    await append({
      ...moveDraft(
        document(1),
        { transferId: 'urn:uuid:other', patientId: otherCitizen },
        { now: clock.now(), anew: false },
        other.parts,
      ),
      patients: [otherCitizen],
    })
    await moving.start()
    await moving.run()
    expect(await moving.missing()).toMatchObject([{ id: uuid(1), reason: 'our record has it of somebody else' }])
  })

  it('is not done while a document is missing here, though the former index lists it no more', async () => {
    const moving = world([document(1), document(2)])
    moving.state.refused.add(document(2).uniqueId)
    await moving.start()
    const { list } = moving.parts.source
    let asked = 0
    Object.assign(moving.parts.source, {
      list(...about: Parameters<typeof list>) {
        if (++asked > 1) moving.former.delete(uuid(2))
        return list(...about)
      },
    })
    await moving.run()
    expect(await moving.missing()).toMatchObject([{ id: uuid(2), reason: expect.stringContaining('R50') }])
    expect((await moving.events()).map(({ type }) => type)).not.toContain('complete')
  })

  it('includes what comes to the former index meanwhile', async () => {
    const moving = world([document(1)])
    await moving.start()
    const { list } = moving.parts.source
    let asked = 0
    Object.assign(moving.parts.source, {
      list(...about: Parameters<typeof list>) {
        if (++asked === 2) moving.former.set(uuid(7), document(7))
        return list(...about)
      },
    })
    await moving.run()
    expect([...moving.record.keys()]).toEqual([document(1).uniqueId, document(7).uniqueId])
    expect(moving.former.size).toBe(0)
  })

  it('is not moved again where our record has another document of that name: an operator sees it', async () => {
    const moving = world([document(1)], [document(1, { hash: 'ff'.repeat(20) })])
    moving.state.refused.add(document(1).uniqueId)
    await moving.start()
    await moving.run()
    expect(await moving.missing()).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('R50 Wrong value') }),
    ])
    expect(moving.former.size).toBe(1)
  })

  it('waits in vain behind a dead push of the same document, and says so', async () => {
    const moving = world(
      [document(1)],
      [],
      [],
      3,
      Array.from({ length: 500 }, () => true),
    )
    await moving.journal.append({
      ...{ id: 'earlier', transaction: 'NotifyHiding', correlationId: correlationId('c'), digest: '', receivedAt: 0 },
      ...{ identities: [], frees: [], patients: [citizen], objects: [document(1).uniqueId], deliverAs: 'push:tuscany' },
      pushed: { kind: 'change', change: { type: 'hide', patientId: citizen, uniqueId: document(1).uniqueId } },
    })
    moving.deadPushes.set('earlier', 'community-rejected: no such document')
    await moving.start()
    await moving.run()
    const reason = 'it waits behind delivery earlier, which is dead: community-rejected: no such document'
    expect(await moving.missing()).toEqual([expect.objectContaining({ reason })])
  })

  it('is nothing where there is nothing', async () => {
    const moving = world([])
    await moving.start()
    await moving.run()
    expect((await moving.events()).map(({ type }) => type)).toEqual(['started', 'listed', 'complete'])
  })
})
