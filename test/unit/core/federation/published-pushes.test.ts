import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { documentRecipient, type RecipientParts } from '../../../../src/core/federation/document-recipient.ts'
import { nothingFound } from '../../../../src/core/model/answers.ts'
import type { MetadataChange, SubmitChange } from '../../../../src/core/model/change.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import { authenticated, citizen, community, stoppedClock } from '../../../support/builders.ts'
import { memoryJournal } from '../../../support/push-journal.ts'
import { validEntry, validSubmit } from '../../../support/submissions.ts'

const former: DocumentEntry = { ...validEntry('urn:uuid:11111111-1111-4111-8111-111111111111'), status: 'approved' }
const replacing: SubmitChange = (() => {
  const { type, submission } = validSubmit()
  const link = { entryUuid: 'r', type: 'replaces', source: 'Document1', target: former.entryUuid } as const
  return { type, submission: { ...submission, associations: [...submission.associations, link] } }
})()

/** A gateway whose pushes are followed by another delivery, and whose record holds these entries, or is silent. */
function taking(record: readonly DocumentEntry[] | 'silent', more: Partial<RecipientParts> = {}) {
  const journal = memoryJournal()
  const own = community({
    async query() {
      if (record === 'silent') throw new GatewayError('community-unavailable', 'down')
      return { ...nothingFound, entries: record }
    },
  })
  let ids = 0
  const gateway = documentRecipient({
    ...{ policy: accessPolicy, journal, own, clock: stoppedClock, check: () => [], onAccepted: () => undefined },
    newId: () => `urn:uuid:00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    ...{ whenRecordDown: 'accept-new', deliverAs: 'push:tuscany', followedBy: 'publish:ini' },
    ...more,
  })
  const accept = (change: MetadataChange, action: string, purposeOfUse: string) =>
    gateway.accept(change, authenticated({ patientId: citizen, action, purposeOfUse }), {
      ...{ transaction: 'ITI-42', digest: 'd', bodyDigest: 'b' },
    })
  return { journal, accept }
}

describe('a push that is to be told on', () => {
  it('says so in the journal', async () => {
    const { journal, accept } = taking([])
    await accept(validSubmit(), 'CREATE', 'TREATMENT')
    expect(journal.pushes).toMatchObject([{ followedBy: 'publish:ini', state: 'pending' }])
  })

  it('names nobody where nothing follows', async () => {
    const { journal, accept } = taking([], { followedBy: undefined } as unknown as Partial<RecipientParts>)
    await accept(validSubmit(), 'CREATE', 'TREATMENT')
    expect(journal.pushes[0]).not.toHaveProperty('followedBy')
  })

  it('is kept with the documents it leads to, which others know by their names', async () => {
    const { journal, accept } = taking([former])
    await accept(replacing, 'UPDATE', 'UPDATE')
    expect(journal.pushes[0]?.pushed).toMatchObject({
      kind: 'change',
      change: { related: [{ entryUuid: former.entryUuid, uniqueId: former.uniqueId }] },
    })
  })

  it('is taken while the record is silent if it is new, and not if it refers to what is there', async () => {
    const { journal, accept } = taking('silent')
    await accept(validSubmit(), 'CREATE', 'TREATMENT')
    expect(journal.pushes).toHaveLength(1)
    const { accept: again, journal: other } = taking('silent')
    await expect(again(replacing, 'UPDATE', 'UPDATE')).rejects.toThrow('Our record does not answer')
    const removal = { type: 'remove', ids: [former.entryUuid], entries: [] } as const
    await expect(again(removal, 'DELETE', 'UPDATE')).rejects.toThrow('Our record does not answer')
    expect(other.pushes).toEqual([])
  })
})
