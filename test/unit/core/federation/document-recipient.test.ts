import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { documentRecipient, type RecipientParts } from '../../../../src/core/federation/document-recipient.ts'
import { overlaid } from '../../../../src/core/federation/overlay.ts'
import type { UnversionedRecipient } from '../../../../src/core/federation/referents.ts'
import { nothingFound } from '../../../../src/core/model/answers.ts'
import type { MetadataChange, Submission } from '../../../../src/core/model/change.ts'
import { correlationId } from '../../../../src/core/model/identifiers.ts'
import type { Association, DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { onlyIdentifier } from '../../../../src/core/model/patient.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import type { Community } from '../../../../src/core/ports.ts'
import {
  authenticated,
  citizen,
  community,
  entry,
  homes,
  otherCitizen,
  stoppedClock,
  submissionSet,
} from '../../../support/builders.ts'
import { memoryJournal } from '../../../support/push-journal.ts'

const repositoryUniqueId = '2.16.840.1.113883.2.9.2.50.4.5.1'
const old = 'urn:uuid:11111111-1111-4111-8111-111111111111'

function submission(more: Partial<DocumentEntry> = {}, links: readonly Association[] = []): Submission {
  const set = submissionSet('SubmissionSet1', { entryUuid: 'SubmissionSet1' })
  const document = entry('Document1', { entryUuid: 'Document1', repositoryUniqueId, ...more })
  const member: Association = {
    entryUuid: 'as1',
    type: 'has-member',
    source: set.entryUuid,
    target: document.entryUuid,
  }
  return { submissionSet: set, entries: [document], folders: [], associations: [member, ...links] }
}
const create = (more: Partial<DocumentEntry> = {}): MetadataChange => ({ type: 'submit', submission: submission(more) })
const replace = (more: Partial<DocumentEntry> = {}): MetadataChange => ({
  type: 'submit',
  submission: submission(more, [{ entryUuid: 'as2', type: 'replaces', source: 'Document1', target: old }]),
})
function update(previousVersion: string | undefined, more: Partial<DocumentEntry> = {}): MetadataChange {
  const { associations, ...rest } = submission({ logicalId: old, uniqueId: entry('old').uniqueId, ...more })
  const versioned = associations.map((link) => ({
    ...link,
    ...(previousVersion === undefined ? {} : { previousVersion }),
  }))
  return { type: 'update', submission: { ...rest, associations: versioned } }
}
const remove = (...ids: string[]): MetadataChange => ({ type: 'remove', ids, entries: [] })

const claims = {
  create: { action: 'CREATE', purposeOfUse: 'TREATMENT' },
  replace: { action: 'UPDATE', purposeOfUse: 'UPDATE' },
  update: { action: 'UPDATE', purposeOfUse: 'UPDATE' },
  delete: { action: 'DELETE', purposeOfUse: 'UPDATE' },
}

/** A record that keeps no former versions; `formerIds` are those its documents had, by those they have. */
function unversioned(
  record: readonly DocumentEntry[],
  formerIds: Readonly<Record<string, readonly string[]>> = {},
): Pick<Community, 'registry' | 'recipient'> {
  const recipient: UnversionedRecipient = { formerVersions: 'none', async accept() {} }
  return {
    recipient,
    registry: {
      async query(query) {
        if (query.type !== 'GetDocuments') throw new Error(`asked for ${query.type}`)
        const { ids } = query.documents
        const idsOf = (one: DocumentEntry) => [one.entryUuid, one.uniqueId, ...(formerIds[one.entryUuid] ?? [])]
        return { ...nothingFound, entries: record.filter((one) => idsOf(one).some((id) => ids.includes(id))) }
      },
    },
  }
}

/** A gateway whose record holds these entries, or is silent. */
function recipient(
  record: readonly DocumentEntry[] | 'silent' = [],
  more: Partial<RecipientParts> & { readonly community?: Partial<Community> } = {},
) {
  const { community = {}, ...parts } = more
  const journal = memoryJournal()
  const own: Community = {
    home: homes.tuscany,
    name: 'tuscany',
    relation: 'own',
    identifiers: 'each',
    reaches: [],
    registry: {
      async query(query) {
        if (record === 'silent') throw new GatewayError('community-timeout', 'The community did not answer in time')
        if (query.type !== 'GetDocuments') throw new Error(`asked for ${query.type}`)
        const { ids } = query.documents
        return {
          ...nothingFound,
          entries: record.filter((one) => ids.includes(one.entryUuid) || ids.includes(one.uniqueId)),
        }
      },
    },
    ...community,
    async [Symbol.asyncDispose]() {},
  }
  let ids = 0
  let told = 0
  const gateway = documentRecipient({
    policy: accessPolicy,
    journal,
    clock: stoppedClock,
    own,
    newId: () => `urn:uuid:00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    check: () => [],
    whenRecordDown: 'accept',
    deliverAs: 'push:tuscany',
    onAccepted: () => {
      told++
    },
    ...parts,
  })
  let message = 0
  return {
    journal,
    told: () => told,
    accept: (change: MetadataChange, claimed: object, bodyDigest = `body ${++message}`) =>
      gateway.accept(change, authenticated({ patientId: citizen, ...claimed }), {
        transaction: 'ITI-42',
        digest: `message ${message}`,
        bodyDigest,
      }),
  }
}

async function refusal(attempt: Promise<unknown>): Promise<GatewayError> {
  const error = await attempt.then(() => undefined).catch((thrown: unknown) => thrown)
  if (error instanceof GatewayError) return error
  throw new Error('it was taken')
}
const codesOf = ({ issues }: GatewayError) => issues.map(({ code }) => code)

describe('a push into our index', () => {
  it('is kept with ids of the registry’s form, and its delivery told of', async () => {
    const { accept, journal, told } = recipient()
    expect(await accept(create(), claims.create)).toEqual({ warnings: [], repeated: false })
    expect(told()).toBe(1)
    const [push] = journal.pushes
    expect(push).toMatchObject({ state: 'pending', transaction: 'ITI-42', patients: [citizen] })
    if (push?.pushed.kind !== 'change' || push.pushed.change.type !== 'submit') throw new Error('not a submission')
    const { entries, associations, submissionSet } = push.pushed.change.submission
    expect(entries[0]?.entryUuid).toMatch(/^urn:uuid:0/)
    expect(associations).toMatchObject([{ source: submissionSet.entryUuid, target: entries[0]?.entryUuid }])
    expect(push.pushed.assertion).toMatchObject({ role: 'AAS' })
  })

  it('is recognised when it comes again, and answered with R224', async () => {
    const { accept, journal } = recipient()
    await accept(create(), claims.create)
    const again = await refusal(accept(create(), claims.create))
    expect(again.code).toBe('document-duplicate')
    expect(codesOf(again)).toEqual(['R224'])
    expect(journal.pushes).toHaveLength(1)
  })

  it('is taken again once the first was given up, or its document removed', async () => {
    const { accept, journal } = recipient([])
    await accept(create(), claims.create)
    await journal.discard(journal.pushes[0]?.id ?? '', 'not ours')
    await accept(create(), claims.create)
    const kept = journal.pushes[1]?.pushed
    if (kept?.kind !== 'change' || kept.change.type !== 'submit') throw new Error('not a submission')
    await accept(remove(kept.change.submission.entries[0]?.entryUuid ?? ''), claims.delete)
    expect((await accept(create(), claims.create)).repeated).toBe(false)
  })

  it('is not kept when the affinity domain has something against it, and told every fault', async () => {
    const issue = {
      severity: 'error',
      code: 'R50',
      text: 'Wrong value of DocumentEntry.healthcareFacilityCode',
    } as const
    const { accept, journal } = recipient([], { check: () => [issue, { ...issue, code: 'R166' }] })
    expect(codesOf(await refusal(accept(create(), claims.create)))).toEqual(['R50', 'R166'])
    expect(journal.pushes).toEqual([])
  })

  it('is kept in spite of warnings, which are told', async () => {
    const issue = { severity: 'warning', code: 'R56', text: 'Wrong format data of display name' } as const
    const { accept } = recipient([], { check: () => [issue] })
    expect((await accept(create(), claims.create)).warnings).toEqual([issue])
  })

  it.each([
    ['the role', { role: 'NOR' }],
    ['the action', { action: 'READ' }],
    ['the purpose', { purposeOfUse: 'PERSONAL' }],
    ['the patient', { patientId: otherCitizen }],
  ])('is refused where %s does not fit it', async (_, claimed) => {
    const { accept, journal } = recipient()
    expect((await refusal(accept(create(), { ...claims.create, ...claimed }))).code).toBe('access-denied')
    expect(journal.pushes).toEqual([])
  })

  it('replaces a document of the record', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old })])
    await accept(replace(), claims.replace)
    expect(journal.pushes[0]?.objects).toContain(old)
  })

  it.each([
    ['that nobody knows', [], 'UnresolvedReferenceException'],
    ['of another patient', [entry('old', { entryUuid: old, patientId: otherCitizen })], 'XDSPatientIdDoesNotMatch'],
    [
      'that was replaced before',
      [entry('old', { entryUuid: old, status: 'deprecated' })],
      'XDSRegistryDeprecatedDocumentError',
    ],
  ])('does not replace a document %s', async (_, record, code) => {
    const { accept } = recipient(record)
    expect(codesOf(await refusal(accept(replace(), claims.replace)))).toEqual([code])
  })

  it('replaces a document that is only in the journal yet, once', async () => {
    const { accept } = recipient([])
    const uniqueId = (name: string) => `2.16.840.1.113883.2.9.2.50.4.4^${name}`
    await accept(create({ entryUuid: old, uniqueId: uniqueId('first') }), claims.create)
    await expect(accept(replace({ uniqueId: uniqueId('second') }), claims.replace)).resolves.toBeDefined()
    const third = await refusal(accept(replace({ uniqueId: uniqueId('third') }), claims.replace))
    expect(codesOf(third)).toEqual(['XDSRegistryDeprecatedDocumentError'])
  })

  it('makes the next version of an entry', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old, version: '4' })])
    await accept(update('4'), claims.update)
    const kept = journal.pushes[0]?.pushed
    if (kept?.kind !== 'change' || kept.change.type !== 'update') throw new Error('not an update')
    expect(kept.change.submission.entries[0]).toMatchObject({ version: '5', logicalId: old })
  })

  it.each(['1', '3', 'nine'])('refuses an update of version %s when the entry is at 2', async (version) => {
    const { accept } = recipient([entry('old', { entryUuid: old, version: '2' })])
    expect(codesOf(await refusal(accept(update(version), claims.update)))).toEqual(['R221'])
  })

  it('counts versions on from what is only in the journal yet', async () => {
    const { accept } = recipient([entry('old', { entryUuid: old, version: '1' })])
    await accept(update('1'), claims.update)
    expect(codesOf(await refusal(accept(update('1', { mimeType: 'text/plain' }), claims.update)))).toEqual(['R221'])
    await expect(accept(update('2'), claims.update)).resolves.toMatchObject({ repeated: false })
  })

  it('takes an update that is told again for done', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old, version: '1' })])
    await accept(update('1'), claims.update, 'the same body')
    expect((await accept(update('1'), claims.update, 'the same body')).repeated).toBe(true)
    expect(journal.pushes).toHaveLength(1)
  })

  it('takes a replacement of a document by itself for an update', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old, version: '1' })])
    const links: Association[] = [{ entryUuid: 'as2', type: 'replaces', source: old, target: old }]
    await accept(
      { type: 'submit', submission: submission({ entryUuid: old, uniqueId: entry('old').uniqueId }, links) },
      claims.update,
    )
    const kept = journal.pushes[0]?.pushed
    if (kept?.kind !== 'change' || kept.change.type !== 'update') throw new Error('not an update')
    expect(kept.change.submission.entries[0]).toMatchObject({ version: '2', logicalId: old })
    expect(kept.change.submission.entries[0]?.entryUuid).not.toBe(old)
    expect(kept.change.submission.associations.map(({ type }) => type)).toEqual(['has-member'])
  })

  it('removes what the record holds, twice without complaint', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old })])
    expect((await accept(remove(old), claims.delete)).repeated).toBe(false)
    expect((await accept(remove(old), claims.delete)).repeated).toBe(true)
    expect(journal.pushes).toHaveLength(1)
    expect(journal.pushes[0]?.objects).toContain(entry('old').uniqueId)
  })

  it('does not remove what is another patient’s', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old, patientId: otherCitizen })])
    expect(codesOf(await refusal(accept(remove(old), claims.delete)))).toEqual(['UnresolvedReferenceException'])
    expect(journal.pushes).toEqual([])
  })

  it('is taken while the record is silent, or refused where the configuration says so', async () => {
    await expect(recipient('silent').accept(update('7'), claims.update)).resolves.toMatchObject({ repeated: false })
    for (const [change, claimed] of [
      [create(), claims.create],
      [update('7'), claims.update],
    ] as const) {
      const waiting = recipient('silent', { whenRecordDown: 'refuse' })
      expect((await refusal(waiting.accept(change, claimed))).code).toBe('community-unavailable')
      expect(waiting.journal.pushes).toEqual([])
    }
  })
})

/** The latest change of a journal. */
function latest({ pushes }: ReturnType<typeof recipient>['journal']): MetadataChange {
  const kept = pushes.at(-1)?.pushed
  if (kept?.kind !== 'change') throw new Error('not a change')
  return kept.change
}

function entryIn(change: MetadataChange): DocumentEntry {
  const [first] = change.type === 'update' || change.type === 'submit' ? change.submission.entries : []
  if (first === undefined) throw new Error('no entry')
  return first
}

describe('a push about a document of which an update is on its way', () => {
  const newer = { uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^newer' }
  const known = entry('old', { entryUuid: old, version: '1' })

  it('names the version that is followed in vain where the record keeps versions', async () => {
    const { accept } = recipient([known])
    await accept(update('1'), claims.update)
    const refused = await refusal(accept(replace(newer), claims.replace))
    expect(codesOf(refused)).toEqual(['XDSRegistryDeprecatedDocumentError'])
  })

  it('removes but the version it names where the record keeps versions', async () => {
    const { accept, journal } = recipient([known])
    await accept(update('1'), claims.update)
    await accept(remove(old), claims.delete)
    expect(latest(journal)).toMatchObject({ ids: [old] })
  })

  it('names the document by any of its ids where the record keeps none', async () => {
    const { accept, journal } = recipient([], { community: unversioned([known]) })
    await accept(update('1'), claims.update)
    const { entryUuid: second } = entryIn(latest(journal))
    await accept(update('2', { logicalId: second, mimeType: 'text/plain' }), claims.update)
    const { entryUuid: third, version, logicalId } = entryIn(latest(journal))
    expect({ version, logicalId }).toEqual({ version: '3', logicalId: old })
    await accept(replace(newer), claims.replace)
    const change = latest(journal)
    if (change.type !== 'submit') throw new Error('not a submission')
    const [link] = change.submission.associations.filter(({ type }) => type === 'replaces')
    expect(link?.target).toBe(third)
    await accept(remove(second), claims.delete)
    expect(latest(journal)).toMatchObject({ ids: [second, third, old], entries: [{ entryUuid: third }] })
  })

  it('waits for it, whichever id it names', async () => {
    const { accept, journal } = recipient([], { community: unversioned([known]) })
    await accept(update('1'), claims.update)
    await accept(update('2', { mimeType: 'text/plain' }), claims.update)
    await accept(remove(old), claims.delete)
    const [first = [], second = [], third = []] = journal.pushes.map(({ objects }) => objects)
    expect(second.filter((one) => first.includes(one))).not.toEqual([])
    expect(third.filter((one) => second.includes(one))).not.toEqual([])
  })
})

describe('a push about a document of a record that keeps no former versions', () => {
  const now = 'urn:uuid:33333333-3333-4333-8333-333333333333'
  const once = 'urn:uuid:22222222-2222-4222-8222-222222222222'
  const other = entry('other', { entryUuid: 'urn:uuid:44444444-4444-4444-8444-444444444444', version: '1' })
  const known = entry('old', { entryUuid: now, logicalId: old, version: '3' })

  it.each([now, once, old])('finds it by %s', async (id) => {
    const { accept, journal } = recipient([], { community: unversioned([other, known], { [now]: [once, old] }) })
    await accept(remove(id, other.entryUuid), claims.delete)
    const change = latest(journal)
    if (change.type !== 'remove') throw new Error('not a removal')
    expect(change.ids).toEqual(expect.arrayContaining([id, now, old, other.entryUuid]))
    expect(change.entries.map(({ entryUuid }) => entryUuid)).toEqual([now, other.entryUuid])
  })

  it('knows no document by an id that is nobody’s', async () => {
    const { accept } = recipient([], { community: unversioned([other, known], { [now]: [once, old] }) })
    const nobody = 'urn:uuid:55555555-5555-4555-8555-555555555555'
    const refused = await refusal(accept(remove(once, nobody), claims.delete))
    expect(refused.issues).toMatchObject([{ code: 'UnresolvedReferenceException', location: nobody }])
  })

  it('is held against the version the record tells', async () => {
    const community = unversioned([known])
    expect(codesOf(await refusal(recipient([], { community }).accept(update('2'), claims.update)))).toEqual(['R221'])
    await expect(recipient([], { community }).accept(update('3'), claims.update)).resolves.toBeDefined()
  })

  it('is not held against a version it does not tell', async () => {
    const { version: _, ...silent } = known
    const { accept, journal } = recipient([], { community: unversioned([silent]) })
    await accept(update('7'), claims.update)
    expect(entryIn(latest(journal)).version).toBe('8')
    const versioned = recipient([{ ...silent, entryUuid: old }])
    expect(codesOf(await refusal(versioned.accept(update('7'), claims.update)))).toEqual(['R221'])
  })

  it('finds what is updated by its unique id where the logical id is not one it knows', async () => {
    const { accept, journal } = recipient([], { community: unversioned([known]) })
    await accept(update('3', { logicalId: once }), claims.update)
    expect(entryIn(latest(journal))).toMatchObject({ version: '4', logicalId: old })
  })
})

describe('updates and hiding', () => {
  const hidden = { code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }
  const silentAndHidden = async () => {
    const kept = recipient('silent')
    await kept.accept(update('1'), claims.update)
    return kept.journal.pushes[0]?.pushed
  }

  it('an update that was not made for showing keeps a document hidden, whatever is known of it', async () => {
    const kept = await silentAndHidden()
    if (kept?.kind !== 'change' || kept.change.type !== 'update') throw new Error('not an update')
    expect(kept.change.keepsHiding).toBe(true)
    const record = entry('old', { entryUuid: old, repositoryUniqueId, eventCodes: [hidden], version: '1' })
    const query = { type: 'GetDocuments', documents: { by: 'unique-id', ids: [record.uniqueId] }, extra: [] } as const
    const [shown] = overlaid(
      query,
      { ...nothingFound, entries: [record] },
      [kept.change],
      onlyIdentifier(citizen),
    ).entries
    expect(shown).toMatchObject({ version: '2', eventCodes: [{ code: 'P99' }] })
  })

  it('an update for showing shows it', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old, eventCodes: [hidden] })])
    expect((await refusal(accept(update('1'), claims.update))).code).toBe('access-denied')
    await accept(update('1'), { ...claims.update, purposeOfUse: 'ACCESS UPDATE' })
    const kept = journal.pushes[0]?.pushed
    if (kept?.kind !== 'change' || kept.change.type !== 'update') throw new Error('not an update')
    expect(kept.change.keepsHiding).toBeUndefined()
  })

  it('what was hidden before it was communicated is hidden from then on', async () => {
    const { accept, journal } = recipient()
    const { uniqueId } = entry('Document1')
    await journal.append({
      ...{ id: 'h', transaction: 'NotifyHiding', correlationId: correlationId('c'), digest: '00', receivedAt: 0 },
      ...{ identities: ['h'], frees: [], patients: [citizen], objects: [uniqueId], deliverAs: 'push:tuscany' },
      pushed: { kind: 'change', change: { type: 'hide', patientId: citizen, uniqueId } },
    })
    await accept(create(), claims.create)
    const kept = journal.pushes[1]?.pushed
    if (kept?.kind !== 'change' || kept.change.type !== 'submit') throw new Error('not a submission')
    expect(kept.change.submission.entries[0]?.eventCodes.map(({ code }) => code)).toEqual(['P99'])
  })
})

describe('pushes about one document that come together or again', () => {
  it('only one update of a version is taken, however close they come', async () => {
    const { accept, journal } = recipient([entry('old', { entryUuid: old, version: '1' })])
    const both = await Promise.allSettled([
      accept(update('1'), claims.update),
      accept(update('1', { mimeType: 'text/plain' }), claims.update),
    ])
    const refused = both.flatMap((one) => (one.status === 'rejected' ? [one.reason as GatewayError] : []))
    expect(refused.map(codesOf)).toEqual([['R221']])
    expect(journal.pushes).toHaveLength(1)
  })

  it('what was removed and is there again under its id is removed again', async () => {
    const there = recipient([])
    await there.accept(create({ entryUuid: old }), claims.create)
    await there.accept(remove(old), claims.delete)
    await there.accept(create({ entryUuid: old }), claims.create)
    expect((await there.accept(remove(old), claims.delete)).repeated).toBe(false)
    expect(there.journal.pushes).toHaveLength(4)
  })

  it('what was removed without its name being known may be communicated again, once', async () => {
    const { accept, journal } = recipient('silent')
    await accept(create({ entryUuid: old }), claims.create)
    journal.deliver(journal.pushes[0]?.id ?? '')
    await accept(remove(old), claims.delete)
    expect((await accept(create(), claims.create)).repeated).toBe(false)
    expect(codesOf(await refusal(accept(create(), claims.create)))).toEqual(['R224'])
  })

  it('a submission of which a part was saved before says what is not', async () => {
    const { accept } = recipient()
    await accept(create(), claims.create)
    const { submission: one } = create() as { submission: Submission }
    const second = entry('Document2', { entryUuid: 'Document2', repositoryUniqueId })
    const both: MetadataChange = { type: 'submit', submission: { ...one, entries: [...one.entries, second] } }
    const error = await refusal(accept(both, claims.create))
    expect(error.issues.map(({ code, location }) => [code, location])).toEqual([
      ['R224', entry('Document1').uniqueId],
      ['XDSRegistryError', second.uniqueId],
    ])
  })

  it('a document that is known of somebody else is not told to be saved', async () => {
    const { accept } = recipient()
    await accept(create(), claims.create)
    const theirs: Submission = submission({ patientId: otherCitizen })
    const set = { ...theirs.submissionSet, patientId: otherCitizen }
    const change: MetadataChange = { type: 'submit', submission: { ...theirs, submissionSet: set } }
    const error = await refusal(accept(change, { ...claims.create, patientId: otherCitizen }))
    expect(codesOf(error)).toEqual(['XDSPatientIdDoesNotMatch'])
  })
})

describe('somebody with several identifiers', () => {
  const locate = async () => ({ patient: { identifiers: [citizen, otherCitizen], active: citizen } })

  it('is one person to whoever updates and removes their documents', async () => {
    const record = [entry('old', { entryUuid: old, patientId: otherCitizen, version: '1' })]
    const alone = recipient(record)
    expect(codesOf(await refusal(alone.accept(update('1'), claims.update)))).toEqual(['XDSPatientIdDoesNotMatch'])
    const known = recipient(record, { patients: { locate } })
    await expect(known.accept(update('1'), claims.update)).resolves.toMatchObject({ repeated: false })
    await expect(recipient(record, { patients: { locate } }).accept(remove(old), claims.delete)).resolves.toBeDefined()
  })
})

describe('a record that refuses to tell', () => {
  it('says neither that something is there nor that it is not', async () => {
    const own = community({
      query: () => Promise.reject(new GatewayError('community-rejected', 'Our community refused the query')),
    })
    const { accept, journal } = recipient([], { own })
    expect((await refusal(accept(remove(old), claims.delete))).code).toBe('community-rejected')
    expect(journal.pushes).toEqual([])
  })
})
