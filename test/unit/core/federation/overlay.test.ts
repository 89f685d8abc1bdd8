import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { obscured, overlaid } from '../../../../src/core/federation/overlay.ts'
import { nothingFound } from '../../../../src/core/model/answers.ts'
import type { MetadataChange, Submission } from '../../../../src/core/model/change.ts'
import type { Association, DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { onlyIdentifier } from '../../../../src/core/model/patient.ts'
import type { GetDocuments, StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { citizen, entry, findDocuments, otherCitizen, submissionSet } from '../../../support/builders.ts'

const patient = onlyIdentifier(citizen)
const repository = '2.16.840.1.113883.2.9.2.50.4.5.1'
const stored = (name: string, more: Partial<DocumentEntry> = {}) =>
  entry(name, { repositoryUniqueId: repository, ...more })

function submitted(entries: readonly DocumentEntry[], associations: readonly Association[] = []): Submission {
  const [first] = entries
  const set = submissionSet(`set-of-${first?.uniqueId}`, { patientId: first?.patientId ?? citizen })
  const members = entries.map((one): Association => {
    return {
      entryUuid: `urn:uuid:m-${one.entryUuid}`,
      type: 'has-member',
      source: set.entryUuid,
      target: one.entryUuid,
    }
  })
  return { submissionSet: set, entries, folders: [], associations: [...members, ...associations] }
}

const submit = (...entries: DocumentEntry[]): MetadataChange => ({ type: 'submit', submission: submitted(entries) })
const replacing = (entry: DocumentEntry, target: string): MetadataChange => ({
  type: 'submit',
  submission: submitted([entry], [{ entryUuid: 'urn:uuid:rplc', type: 'replaces', source: entry.entryUuid, target }]),
})
const update = (entry: DocumentEntry): MetadataChange => ({ type: 'update', submission: submitted([entry]) })
const remove = (...entries: DocumentEntry[]): MetadataChange => ({
  type: 'remove',
  ids: entries.map(({ entryUuid }) => entryUuid),
  entries,
})
const hide = (uniqueId: string): MetadataChange => ({ type: 'hide', patientId: citizen, uniqueId })

function answering(query: StoredQuery, entries: readonly DocumentEntry[], ...changes: MetadataChange[]) {
  return overlaid(query, { ...nothingFound, entries }, changes, patient)
}
const find = (entries: readonly DocumentEntry[], ...changes: MetadataChange[]) =>
  answering(findDocuments(), entries, ...changes).entries
const getBy = (by: 'entry-uuid' | 'unique-id' | 'logical-id', ...ids: string[]): GetDocuments => ({
  type: 'GetDocuments',
  documents: { by, ids },
  extra: [],
})

describe('what was pushed, laid over what the record answers', () => {
  it('adds a new document to those found', () => {
    expect(find([stored('a')], submit(stored('b'))).map(({ entryUuid }) => entryUuid)).toEqual([
      'urn:uuid:a',
      'urn:uuid:b',
    ])
  })

  it('adds none that the question does not ask for', () => {
    const report = findDocuments({ filter: { typeCodes: [{ code: '60591-5' }] } })
    expect(answering(report, [], submit(stored('b'))).entries).toEqual([])
    expect(answering(findDocuments({ status: ['deprecated'] }), [], submit(stored('b'))).entries).toEqual([])
  })

  it('adds none of another person', () => {
    expect(find([], submit(stored('b', { patientId: otherCitizen })))).toEqual([])
  })

  it('believes the record about a document it has by now', () => {
    const told = stored('r', { uniqueId: stored('b').uniqueId, title: [{ value: 'as the record has it' }] })
    expect(find([told], submit(stored('b')))).toEqual([told])
  })

  it('no longer finds a document that was replaced, and tells it as deprecated where that is asked for', () => {
    const change = replacing(stored('b'), 'urn:uuid:a')
    expect(find([stored('a')], change).map(({ entryUuid }) => entryUuid)).toEqual(['urn:uuid:b'])
    const all = findDocuments({ status: ['approved', 'deprecated'] })
    expect(answering(all, [stored('a')], change).entries.map(({ status }) => status)).toEqual([
      'deprecated',
      'approved',
    ])
  })

  it('tells the new version of an entry in the place of the old one', () => {
    const next = stored('a2', { uniqueId: stored('a').uniqueId, logicalId: 'urn:uuid:a', version: '2' })
    expect(find([stored('a')], update(next))).toEqual([next])
  })

  it('keeps a later version that the record tells', () => {
    const second = stored('a2', { uniqueId: stored('a').uniqueId, logicalId: 'urn:uuid:a', version: '2' })
    const third = stored('a3', { uniqueId: stored('a').uniqueId, logicalId: 'urn:uuid:a', version: '3' })
    expect(find([third], update(second))).toEqual([third])
  })

  it('keeps a document obscured by an update that the record has overtaken without it', () => {
    const later = stored('a', { version: '7' })
    const hidden = obscured(stored('b', { uniqueId: later.uniqueId, logicalId: 'urn:uuid:a', version: '2' }))
    expect(find([later], update(hidden))).toEqual([hidden])
    const obscuredLater = obscured(later)
    expect(find([obscuredLater], update(hidden))).toEqual([obscuredLater])
  })

  it('finds a document that matches only since it was updated', () => {
    const query = findDocuments({ filter: { typeCodes: [{ code: '60591-5' }] } })
    const typed = { code: '60591-5', scheme: '2.16.840.1.113883.6.1' }
    const next = stored('a2', {
      uniqueId: stored('a').uniqueId,
      logicalId: 'urn:uuid:a',
      version: '2',
      typeCode: typed,
    })
    expect(answering(query, [], update(next)).entries).toEqual([next])
  })

  it('forgets a removed document and every link to it', () => {
    const link: Association = { entryUuid: 'urn:uuid:l', type: 'appends', source: 'urn:uuid:b', target: 'urn:uuid:a' }
    const answer = { ...nothingFound, entries: [stored('a'), stored('b')], associations: [link] }
    const left = overlaid(
      { type: 'GetDocumentsAndAssociations', documents: { by: 'unique-id', ids: [] }, extra: [] },
      answer,
      [remove(stored('a'))],
      patient,
    )
    expect(left.entries).toEqual([stored('b')])
    expect(left.associations).toEqual([])
  })

  it('obscures a hidden document, in the place of any other policy about who sees it', () => {
    const open = { code: 'P00', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }
    const donor = { code: '90768-3', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }
    const [hidden] = find([stored('a', { eventCodes: [open, donor] })], hide(stored('a').uniqueId))
    expect(hidden?.eventCodes.map(({ code }) => code)).toEqual(['90768-3', 'P99'])
  })

  it('makes the changes in their order: what is removed and pushed again is there', () => {
    const again = stored('again', { uniqueId: stored('a').uniqueId })
    expect(find([stored('a')], remove(stored('a')), submit(again))).toEqual([again])
    expect(find([], submit(again), remove(again))).toEqual([])
  })

  it('answers by any of the ids of a document', () => {
    const next = stored('a2', { uniqueId: stored('a').uniqueId, logicalId: 'urn:uuid:a', version: '2' })
    for (const query of [
      getBy('unique-id', next.uniqueId),
      getBy('logical-id', 'urn:uuid:a'),
      getBy('entry-uuid', 'urn:uuid:a2'),
    ]) {
      expect(answering(query, [], update(next)).entries).toEqual([next])
    }
    expect(answering(getBy('unique-id', 'other'), [], update(next)).entries).toEqual([])
  })

  it('answers by the id of a version for the one that followed it', () => {
    const next = stored('b', { uniqueId: stored('a').uniqueId, logicalId: 'urn:uuid:a', version: '2' })
    const last = stored('c', { uniqueId: stored('a').uniqueId, logicalId: 'urn:uuid:a', version: '3' })
    const asked = (...ids: string[]) =>
      answering(getBy('entry-uuid', ...ids), [stored('a')], update(next), update(last))
    for (const id of ['a', 'b', 'c']) expect(asked(`urn:uuid:${id}`).entries).toEqual([last])
    const silent = answering(getBy('entry-uuid', 'urn:uuid:a'), [], update(next))
    expect(silent.entries).toEqual([next])
    expect(answering(getBy('entry-uuid', 'urn:uuid:x'), [], update(next)).entries).toEqual([])
  })

  it('answers by the id an update was accepted under for the version the record made of it', () => {
    const made = stored('a', { version: '2' })
    const next = stored('b', { uniqueId: made.uniqueId, logicalId: 'urn:uuid:a', version: '2' })
    expect(answering(getBy('entry-uuid', 'urn:uuid:b'), [made], update(next)).entries).toEqual([made])
  })

  it('knows a document by its unique id where the record tells neither repository nor logical id', () => {
    const { repositoryUniqueId: _, ...told } = stored('a')
    const next = stored('b', { uniqueId: told.uniqueId, logicalId: 'urn:uuid:other', version: '2' })
    expect(find([told], update(next))).toEqual([next])
    const elsewhere = stored('a', { repositoryUniqueId: `${repository}.9` })
    expect(find([elsewhere], update(next))).toEqual([elsewhere, next])
  })

  it('tells who replaced whom', () => {
    const related = answering(
      {
        type: 'GetRelatedDocuments',
        document: { by: 'entry-uuid', ids: ['urn:uuid:a'] },
        associationTypes: ['replaces'],
        extra: [],
      },
      [],
      replacing(stored('b'), 'urn:uuid:a'),
    )
    expect(related.entries).toEqual([stored('b')])
    expect(related.associations.map(({ type }) => type)).toEqual(['replaces'])
  })

  it('finds a submission set and what it holds', () => {
    const change = submit(stored('b'))
    const set = submitted([stored('b')]).submissionSet
    const asked: StoredQuery[] = [
      { type: 'FindSubmissionSets', patientId: citizen, status: ['approved'], extra: [] },
      { type: 'GetSubmissionSets', ids: ['urn:uuid:b'], extra: [] },
      {
        type: 'GetSubmissionSetAndContents',
        submissionSet: { by: 'unique-id', ids: [set.uniqueId] },
        filter: {},
        extra: [],
      },
    ]
    for (const query of asked) expect(answering(query, [], change).submissionSets).toEqual([set])
    expect(answering(asked[2] as StoredQuery, [], change).entries).toEqual([stored('b')])
  })

  it('alters nothing when it is laid over once more', () => {
    const names = fc.constantFrom('a', 'b', 'c')
    const change = fc.oneof(
      names.map((name) => submit(stored(name))),
      fc.tuple(names, fc.integer({ min: 2, max: 4 })).map(([name, version]) => {
        const { uniqueId } = stored(name)
        return update(stored(`${name}${version}`, { uniqueId, logicalId: `urn:uuid:${name}`, version: `${version}` }))
      }),
    )
    // A hiding has no version: laid over again it hides what was shown again meanwhile, which errs on the safe side.
    const hiding = names.map((name) => hide(stored(name).uniqueId))
    const changes = fc.tuple(fc.array(change, { maxLength: 5 }), fc.array(hiding, { maxLength: 2 }))
    fc.assert(
      fc.property(fc.subarray(['a', 'b', 'c']), changes, (there, [first, last]) => {
        const present = there.map((name) => stored(name))
        const once = find(present, ...first, ...last)
        expect(find(once, ...first, ...last)).toEqual(once)
      }),
    )
  })

  it('hides by exactly one policy', () => {
    expect(obscured(obscured(stored('a'))).eventCodes).toHaveLength(1)
  })
})
