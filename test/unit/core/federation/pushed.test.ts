import { describe, expect, it } from 'vitest'
import { cached } from '../../../../src/cache/cached.ts'
import { GatewayError } from '../../../../src/core/errors.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import { statusOf } from '../../../../src/core/model/answers.ts'
import type { MetadataChange, Pushed } from '../../../../src/core/model/change.ts'
import { correlationId } from '../../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import type { Community, PushJournal } from '../../../../src/core/ports.ts'
import {
  answer,
  authenticated,
  citizen,
  community,
  entry,
  findDocuments,
  homes,
  link,
  neighbours,
  obscured,
  stoppedClock,
  submissionSet,
} from '../../../support/builders.ts'
import { type MemoryJournal, memoryJournal } from '../../../support/push-journal.ts'

const { veneto } = neighbours

async function push(journal: PushJournal, change: MetadataChange): Promise<string> {
  const id = crypto.randomUUID()
  const pushed: Pushed = { kind: 'change', change }
  await journal.append({
    ...{ id, transaction: 'ITI-42', correlationId: correlationId('c-2'), digest: '00', receivedAt: 0 },
    ...{ identities: [id], frees: [], patients: [citizen], objects: [id], pushed, deliverAs: 'push:tuscany' },
  })
  return id
}

const submit = (one: DocumentEntry): MetadataChange => ({
  type: 'submit',
  submission: { submissionSet: submissionSet(`of ${one.uniqueId}`), entries: [one], folders: [], associations: [] },
})
const hide = ({ uniqueId }: DocumentEntry): MetadataChange => ({ type: 'hide', patientId: citizen, uniqueId })
const remove = (one: DocumentEntry): MetadataChange => ({ type: 'remove', ids: [one.entryUuid], entries: [one] })

/** The names of what a doctor finds. */
async function found(journal: PushJournal, communities: readonly Community[], query = findDocuments()) {
  const gateway = initiatingGateway({
    ...{ policy: accessPolicy, isAuthor: () => false, clock: stoppedClock },
    ...{ communities, mode: 'everyone' as const, pushes: journal },
  })
  const merged = await gateway.query(query, authenticated())
  return {
    names: merged.entries.map(({ uniqueId }) => uniqueId.split('^')[1]).sort(),
    status: statusOf(merged),
    merged,
  }
}

/** A record that holds these, and does something while it is asked. */
const record = (entries: readonly DocumentEntry[], meanwhile: () => Promise<unknown> = async () => {}): Community =>
  community({
    query: async () => {
      const told = answer({ entries })
      await meanwhile()
      return told
    },
  })

describe('what was pushed and is not in the record yet', () => {
  it('is found, and from then on whenever it is asked for', async () => {
    const journal = memoryJournal()
    await push(journal, submit(entry('pushed')))
    expect((await found(journal, [record([entry('kept')])])).names).toEqual(['kept', 'pushed'])
  })

  it('is found while the record is silent, and the answer says that there may be more', async () => {
    const journal = memoryJournal()
    await push(journal, submit(entry('pushed')))
    const silent = community({
      query: () => Promise.reject(new GatewayError('community-timeout', 'The community did not answer in time')),
    })
    const { names, status } = await found(journal, [silent])
    expect(names).toEqual(['pushed'])
    expect(status).toBe('partial-success')
  })

  it('is nothing to find for those it is hidden from, whoever else tells of it', async () => {
    const journal = memoryJournal()
    await push(journal, submit(obscured('pushed')))
    const other: Community = { ...veneto, registry: { query: async () => answer({ entries: [entry('pushed')] }) } }
    const filtered = findDocuments({ filter: { typeCodes: [{ code: '11502-2' }] } })
    expect((await found(journal, [record([]), other], filtered)).names).toEqual([])
  })

  it('hides a document that another community tells of, while the record is silent', async () => {
    const journal = memoryJournal()
    await push(journal, hide(entry('seen')))
    const silent = community({
      query: () => Promise.reject(new GatewayError('community-timeout', 'The community did not answer in time')),
    })
    const other: Community = { ...veneto, registry: { query: async () => answer({ entries: [entry('seen')] }) } }
    expect((await found(journal, [silent, other])).names).toEqual([])
  })

  it('keeps nobody from knowing anything when the journal cannot be read: nothing is told', async () => {
    const journal: PushJournal = {
      ...memoryJournal(),
      about: () => Promise.reject(new GatewayError('internal', 'The store does not answer')),
    }
    await expect(found(journal, [record([entry('kept')])])).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('a change that is acknowledged while a question is under way', () => {
  const meanwhile = (change: MetadataChange, then?: (journal: MemoryJournal, id: string) => void) => {
    const journal = memoryJournal()
    const happening = async () => {
      const id = await push(journal, change)
      then?.(journal, id)
    }
    return { journal, happening }
  }

  it('hides in its answer', async () => {
    const { journal, happening } = meanwhile(hide(entry('seen')))
    expect((await found(journal, [record([entry('seen'), entry('other')], happening)])).names).toEqual(['other'])
  })

  it('hides in its answer, also when the record has made it by the end', async () => {
    const { journal, happening } = meanwhile(hide(entry('seen')), (kept, id) => kept.deliver(id))
    expect((await found(journal, [record([entry('seen')], happening)])).names).toEqual([])
  })

  it('hides in its answer when it was pending before, and made by the record after it answered', async () => {
    const journal = memoryJournal()
    const id = await push(journal, hide(entry('seen')))
    const made = async () => journal.deliver(id)
    expect((await found(journal, [record([entry('seen')], made)])).names).toEqual([])
  })

  it('removes from its answer, links and all', async () => {
    const gone = entry('gone')
    const { journal, happening } = meanwhile(remove(gone))
    const linked = community({
      query: async (query) => {
        if (query.type !== 'GetDocumentsAndAssociations') return answer({ entries: [gone, entry('other')] })
        await happening()
        return answer({ entries: [gone, entry('other')], associations: [link('other', 'appends', 'gone')] })
      },
    })
    const { merged, names } = await found(journal, [linked], {
      ...{ type: 'GetDocumentsAndAssociations', home: homes.tuscany, extra: [] },
      documents: { by: 'entry-uuid', ids: ['urn:uuid:gone', 'urn:uuid:other'] },
    } as never)
    expect(names).toEqual(['other'])
    expect(merged.associations).toEqual([])
  })

  it('adds to its answer', async () => {
    const { journal, happening } = meanwhile(submit(entry('new')))
    expect((await found(journal, [record([entry('seen')], happening)])).names).toEqual(['new', 'seen'])
  })
})

describe('a remembered answer', () => {
  it('is not given any more once something was pushed about the person', async () => {
    const journal = memoryJournal()
    let asked = 0
    const counting = record([entry('kept')], async () => void asked++)
    const remembering = cached(counting, { ttlMs: 60_000, entries: 10 }, stoppedClock)
    await found(journal, [remembering])
    await found(journal, [remembering])
    expect(asked).toBe(1)
    const id = await push(journal, submit(entry('pushed')))
    expect((await found(journal, [remembering])).names).toEqual(['kept', 'pushed'])
    expect(asked).toBe(2)
    journal.deliver(id)
    await found(journal, [remembering])
    expect(asked).toBe(3)
  })
})

describe('while the record is silent', () => {
  const silent = community({
    query: () => Promise.reject(new GatewayError('community-timeout', 'The community did not answer in time')),
  })
  const update = (one: DocumentEntry): MetadataChange => ({
    type: 'update',
    submission: { submissionSet: submissionSet('s'), entries: [one], folders: [], associations: [] },
  })

  it('a new version of what the record has is not told: the record may have hidden it since', async () => {
    const journal = memoryJournal()
    await push(journal, update(entry('known', { logicalId: 'urn:uuid:first', version: '2' })))
    expect(await found(journal, [silent])).toMatchObject({ names: [], status: 'failure' })
  })

  it('a new version of what was only pushed is', async () => {
    const journal = memoryJournal()
    await push(journal, submit(entry('pushed')))
    const next = entry('next', { uniqueId: entry('pushed').uniqueId, logicalId: 'urn:uuid:pushed', version: '2' })
    await push(journal, update(next))
    expect((await found(journal, [silent])).names).toEqual(['pushed'])
  })

  it('the answer is the same whether nothing was pushed or something hidden', async () => {
    const nothing = await found(memoryJournal(), [silent])
    const journal = memoryJournal()
    await push(journal, submit(obscured('pushed')))
    const hidden = await found(journal, [silent])
    // When it is as of is told to nobody.
    expect({ ...hidden.merged, asOf: undefined }).toEqual({ ...nothing.merged, asOf: undefined })
  })

  it('what cites a prescription is not told, for that may be hidden', async () => {
    const journal = memoryJournal()
    const order = '0900A4000000001^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order'
    await push(journal, submit(entry('pushed', { referenceIds: [order] })))
    expect(await found(journal, [silent])).toMatchObject({ names: [], status: 'failure' })
  })
})

describe('a hiding told under another identifier of the person', () => {
  it('is applied also while the patient index is silent', async () => {
    const journal = memoryJournal()
    const other = { ...citizen, value: 'ESMPLO70B41D612T' }
    const uniqueId = entry('seen').uniqueId
    await journal.append({
      ...{ id: 'x', transaction: 'NotifyHiding', correlationId: correlationId('c'), digest: '00', receivedAt: 0 },
      ...{ identities: ['x'], frees: [], patients: [other], objects: [uniqueId], deliverAs: 'push:tuscany' },
      pushed: { kind: 'change', change: { type: 'hide', patientId: other, uniqueId } },
    })
    const gateway = initiatingGateway({
      ...{ policy: accessPolicy, isAuthor: () => false, clock: stoppedClock, pushes: journal },
      ...{ communities: [record([entry('seen'), entry('other')])], mode: 'everyone' as const },
      patients: { locate: () => Promise.reject(new GatewayError('community-timeout', 'No answer in time')) },
    })
    const { entries } = await gateway.query(findDocuments(), authenticated())
    expect(entries.map((one) => one.uniqueId)).toEqual([entry('other').uniqueId])
  })
})
