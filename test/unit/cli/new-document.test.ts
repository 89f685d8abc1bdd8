import { describe, expect, it } from 'vitest'
import { documentTypesEver } from '../../../contracts/affinity-domain/document-types.ts'
import { metadataRules } from '../../../contracts/affinity-domain/metadata-rules.ts'
import { CliError } from '../../../src/cli/exit.ts'
import { authorOf, type DocumentWishes, newDocument } from '../../../src/cli/new-document.ts'
import { type Purpose, submissionOf, withMetadata } from '../../../src/cli/submission.ts'
import type { Submission } from '../../../src/core/model/change.ts'
import { checkMetadata } from '../../../src/core/policy/metadata-rules.ts'
import { decodeSubmitObjects, encodeSubmitObjects } from '../../../src/wire/ebrim/submit-objects.ts'
import { isAuthor } from '../../../src/wire/hl7/author.ts'
import { readTree } from '../../../src/wire/xml.ts'
import { citizen, clinician, homes } from '../../support/builders.ts'

const now = Date.UTC(2026, 10, 25, 10, 30)
const wishes = (more: Partial<DocumentWishes> = {}): DocumentWishes => ({
  ...{ patient: citizen, organization: '050', home: homes.veneto, author: clinician, role: 'AAS' },
  ...{ type: '11502-2', events: [], confidentiality: 'N', now },
  ...more,
})
const submitted = (more: Partial<DocumentWishes> = {}, purpose: Purpose = { kind: 'create' }): Submission => {
  const all = wishes(more)
  return submissionOf(newDocument(all), { purpose, home: all.home, author: authorOf(all), now })
}
const judged = (submission: Submission) =>
  checkMetadata({ type: 'submit', submission }, metadataRules(), { lenient: new Set() }).filter(
    ({ severity }) => severity === 'error',
  )

describe('a document that is made up', () => {
  it.each(documentTypesEver.map(({ code }) => code))('of type %s is one that the affinity domain accepts', (type) => {
    expect(judged(submitted({ type }))).toEqual([])
  })

  it('bears what was wished for', () => {
    const entry = newDocument(
      wishes({
        ...{ uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^A', repository: '2.16.840.1.113883.2.9.2.50.4.5.7', title: 'T' },
        ...{ events: ['P99'], confidentiality: 'V', nre: '0500A4000000001' },
      }),
    )
    expect(entry).toMatchObject({
      uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^A',
      repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.7',
      title: [{ value: 'T' }],
      eventCodes: [{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3', display: 'Oscuramento del documento' }],
      confidentialityCodes: [{ code: 'V' }],
      referenceIds: ['0500A4000000001^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order'],
      creationTime: '20261125103000',
    })
  })

  it('is its author’s, and its organization’s', () => {
    const entry = newDocument(wishes())
    expect(isAuthor(entry, clinician)).toBe(true)
    expect(entry.uniqueId).toMatch(/^2\.16\.840\.1\.113883\.2\.9\.2\.50\.4\.4\^CLI20261125103000\d{6}$/)
    expect(entry.repositoryUniqueId).toBe('2.16.840.1.113883.2.9.2.50.4.5.910')
  })

  it('is named by the number of the prescription where Sistema TS makes it', () => {
    const { uniqueId } = newDocument(wishes({ type: '57832-8', nre: '0500A4000000001' }))
    expect(uniqueId).toBe('2.16.840.1.113883.2.9.4.3.8^0500A4000000001_PRESPEC')
  })

  it('has a type that is known, or is none', () => {
    expect(() => newDocument(wishes({ type: '00000-0' }))).toThrow(CliError)
  })

  it('leaves it to the gateway to judge what is wished for', () => {
    expect(judged(submitted({ confidentiality: 'V' })).map(({ code }) => code)).toEqual(['R227'])
  })
})

describe('a submission', () => {
  it('says what it is for by its associations, in the ids of the national gateway', () => {
    const links = (purpose: Purpose) =>
      submitted({}, purpose).associations.map(({ type, source, target, previousVersion }) => {
        return { type, source, target, ...(previousVersion && { previousVersion }) }
      })
    const member = { type: 'has-member', source: 'SubmissionSet1', target: 'Document1' }
    const replaces = { type: 'replaces', source: 'Document1' }
    expect(links({ kind: 'create' })).toEqual([member])
    expect(links({ kind: 'replace', target: 'urn:uuid:1' })).toEqual([member, { ...replaces, target: 'urn:uuid:1' }])
    expect(links({ kind: 'update', version: '3' })).toEqual([{ ...member, previousVersion: '3' }])
    expect(links({ kind: 'replace-itself' })).toEqual([member, { ...replaces, target: 'Document1' }])
  })

  it('arrives as it was made', () => {
    const submission = submitted({ type: '57832-8', events: ['P99'] })
    const tree = readTree(Buffer.from(encodeSubmitObjects(submission)))
    const { entries, associations, submissionSet } = decodeSubmitObjects(tree, tree.root)
    const [entry] = submission.entries
    expect(entries).toMatchObject([{ uniqueId: entry?.uniqueId, hash: entry?.hash, home: homes.veneto }])
    expect(entries[0]?.eventCodes).toMatchObject([{ code: 'P99' }])
    expect(associations).toHaveLength(1)
    expect(submissionSet).toMatchObject({ contentTypeCode: { code: 'Sistema TS' }, patientId: citizen })
  })
})

describe('a file of metadata', () => {
  it('takes the place of what it tells, and of nothing else', () => {
    const usual = submitted()
    const submission = withMetadata(usual, {
      submissionSet: { comments: [{ value: 'Nota' }] },
      entries: [{ languageCode: 'de-DE', hash: null }],
    })
    const [entry] = usual.entries
    const { hash: _hash, ...others } = entry ?? {}
    expect(submission.entries).toEqual([{ ...others, languageCode: 'de-DE' }])
    expect(submission.submissionSet).toEqual({ ...usual.submissionSet, comments: [{ value: 'Nota' }] })
    expect(submission.associations).toEqual(usual.associations)
  })

  it('brings more documents, which are members too', () => {
    const submission = withMetadata(submitted(), {
      entries: [{}, { uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^B' }],
    })
    expect(submission.entries.map(({ entryUuid }) => entryUuid)).toEqual(['Document1', 'Document2'])
    expect(submission.associations.map(({ target }) => target)).toEqual(['Document1', 'Document2'])
    expect(judged(submission)).toEqual([])
  })

  it('may say how the objects refer to each other', () => {
    const associations = [{ entryUuid: 'A', type: 'has-member', source: 'SubmissionSet1', target: 'Document1' }]
    expect(withMetadata(submitted(), { associations }).associations).toEqual(associations)
  })

  it.each([
    ['no object', []],
    ['a word that is none', { entry: [] }],
    ['documents that are no list', { entries: {} }],
    ['a document that is no object', { entries: ['a'] }],
    ['a text where a list belongs', { entries: [{ title: 'Referto' }] }],
    ['a list where a text belongs', { submissionSet: { uniqueId: [] } }],
    ['a number where a text belongs', { entries: [{ uniqueId: 1 }] }],
  ])('is refused when it is, or has, %s', (_what, file) => {
    expect(() => withMetadata(submitted(), file)).toThrow(CliError)
  })
})
