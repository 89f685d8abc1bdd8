import { beforeEach, describe, expect, it } from 'vitest'
import { type IniOptions, iniOptions } from '../../../../adapters/ini/options.ts'
import { iniRecipient } from '../../../../adapters/ini/recipient.ts'
import type {
  RegistryQuestion,
  RegistryReply,
  RegistrySubmission,
  SubmissionReply,
} from '../../../../src/config/adapter.ts'
import type { AuthorizedCall } from '../../../../src/core/model/call.ts'
import type { MetadataChange, Submission, SubmitChange, UpdateChange } from '../../../../src/core/model/change.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { decodeRemoveObjects, decodeSubmitObjects } from '../../../../src/wire/ebrim/submit-objects.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { answer, authorized, citizen, homes, issue } from '../../../support/builders.ts'
import { membership, validEntry, validSubmissionSet } from '../../../support/submissions.ts'

const base = 'https://ini.example'
const registry = `${base}/FSEInteroperabilitaWeb/DocumentRegistry_Service`
const updates = `${base}/FSEMetadataUpdateWeb/DocumentRegistry_Service`
const removals = `${base}/FSEDeleteWeb/XDSDeletetWSService`
const lookUps = `${base}/FSEFindDocumentReferencesWeb/DocumentRegistry_Service`
const uuid = (digit: string) => `urn:uuid:${digit.repeat(8)}-0000-4000-8000-000000000000`
const success: SubmissionReply = { kind: 'answer', status: 'success', issues: [] }
const failure = (code: string): SubmissionReply => ({ kind: 'answer', status: 'failure', issues: [issue(code)] })
const p99 = { code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3', display: 'Oscuramento del documento' }
const application = { id: 'CARTELLA', vendor: 'Ditta di prova', version: '3' }

function callFor(purposeOfUse: string): AuthorizedCall {
  const call = authorized()
  return { ...call, assertion: { ...call.assertion, purposeOfUse, application } }
}

const document = (id: string, more: Partial<DocumentEntry> = {}): DocumentEntry => ({
  ...validEntry(uuid(id)),
  uniqueId: `2.16.840.1.113883.2.9.2.90.4.4^DOC${id}`,
  ...more,
})

const submission = (entries: readonly DocumentEntry[], more: Partial<Submission> = {}): Submission => {
  const set = { ...validSubmissionSet(), entryUuid: uuid('e') }
  const associations = entries.map(({ entryUuid }, index) => ({
    ...membership(set.entryUuid, entryUuid),
    entryUuid: uuid(String(index + 5)),
  }))
  return { submissionSet: set, entries, folders: [], associations, ...more }
}

const replacement = (entry: DocumentEntry, target: string): Submission => {
  const made = submission([entry])
  const link = { entryUuid: uuid('d'), type: 'replaces', source: entry.entryUuid, target } as const
  return { ...made, associations: [...made.associations, link] }
}

const submissionIn = (body: string): Submission => {
  const tree = readTree(Buffer.from(body))
  return decodeSubmitObjects(tree, tree.root)
}
const idsIn = (body: string): readonly string[] => {
  const tree = readTree(Buffer.from(body))
  return decodeRemoveObjects(tree, tree.root)
}

let known: DocumentEntry[]
let hiddenUnlessAuthor: boolean | string
let looked: { readonly url: string; readonly claims: unknown; readonly returnType: string | undefined }[]
let askedAs: (string | undefined)[]
let told: (Omit<RegistrySubmission, 'call'> & { readonly body: string })[]
let replies: SubmissionReply[]
let lookUpReplies: RegistryReply[]

beforeEach(() => {
  known = []
  hiddenUnlessAuthor = false
  looked = []
  askedAs = []
  told = []
  replies = []
  lookUpReplies = []
})

function recipient(options: Partial<IniOptions> = {}) {
  return iniRecipient(iniOptions.parse({ base, publish: true, ...options }), {
    clock: { now: () => Date.UTC(2026, 5, 1) },
    homeOf: () => homes.tuscany,
    async ask({ url, query, role, purposeOfUse, returnType }: RegistryQuestion): Promise<RegistryReply> {
      looked.push({ url, claims: { role, purposeOfUse }, returnType })
      const reply = lookUpReplies.shift()
      if (reply !== undefined) return reply
      if (query.type !== 'GetDocuments') throw new Error('Nothing else is asked')
      const author = query.extra.find(({ name }) => name === '$XDSDocumentEntry.author')
      askedAs.push(author?.values[0])
      const isTold = hiddenUnlessAuthor === true ? author !== undefined : author?.values[0] === hiddenUnlessAuthor
      const seen = hiddenUnlessAuthor !== false && !isTold ? [] : known
      const found = seen.filter(({ uniqueId }) => query.documents.ids.includes(uniqueId))
      if (found.length === 0) return { kind: 'answer', status: 'failure', answer: answer({ issues: [issue('QND1')] }) }
      const references = found.map(({ entryUuid }) => ({ id: entryUuid }))
      const told = returnType === 'ObjectRef' ? answer({ references }) : answer({ entries: found })
      return { kind: 'answer', status: 'success', answer: told }
    },
    async submit({ call: _, ...submission }: RegistrySubmission): Promise<SubmissionReply> {
      told.push(submission)
      return replies.shift() ?? success
    },
  })
}

const accept = (change: MetadataChange, purpose = 'UPDATE', options: Partial<IniOptions> = {}) =>
  recipient(options).accept(change, callFor(purpose))
const rejected = (code: string, message?: string) =>
  expect.objectContaining({ code, ...(message === undefined ? {} : { message: expect.stringContaining(message) }) })

describe('a new document', () => {
  const change = { type: 'submit', submission: submission([document('1')]) } as const

  it('is told of by ITI-42 at its own address, as its maker tells of it', async () => {
    await accept(change, 'TREATMENT')
    expect(told).toMatchObject([
      {
        ...{ url: registry, action: 'urn:ihe:iti:2007:RegisterDocumentSet-b', does: 'CREATE' },
        ...{ purposeOfUse: 'TREATMENT', patientId: citizen },
      },
    ])
    expect(told[0]).not.toHaveProperty('role')
    expect(looked).toEqual([])
    const [entry] = submissionIn(told[0]?.body ?? '').entries
    expect(entry).toMatchObject({ entryUuid: uuid('1'), hash: '4e7c8255378d8086ee0c527bb7f1b6444256251c' })
  })

  it('names the application that made it, as the token does, and its hash in hexadecimal digits', async () => {
    const hash = '4e7c8255378d8086ee0c527bb7f1b6444256251c'
    const slots = [{ name: 'hash', values: [Buffer.from(hash, 'hex').toString('base64')] }]
    await accept({ type: 'submit', submission: submission([document('1', { hash, extra: { slots } })]) }, 'TREATMENT')
    const [entry] = submissionIn(told[0]?.body ?? '').entries
    expect(told[0]?.body).toContain(`<rim:Value>${hash}</rim:Value>`)
    expect(entry?.extra?.slots).toMatchObject([
      { name: 'urn:ihe:iti:xds:2024:SubjectApplication', values: ['CARTELLA^Ditta di prova^3'] },
    ])
  })

  it.each(['R224', 'R220', 'QND2'])('is done with when INI says %s', async (code) => {
    replies = [failure(code)]
    await expect(accept(change, 'TREATMENT')).resolves.toBeUndefined()
  })

  it.each([
    ['CRF1', 'community-unavailable'],
    ['CRF2', 'community-rejected'],
    ['R50', 'community-rejected'],
  ])('is refused with %s: %s', async (code, expected) => {
    replies = [failure(code)]
    await expect(accept(change, 'TREATMENT')).rejects.toThrow(rejected(expected))
  })
})

describe('a replacement', () => {
  const former = document('1')
  const theirs = document('1', { entryUuid: uuid('a') })
  const change: SubmitChange = {
    ...{ type: 'submit', submission: replacement(document('2'), former.entryUuid) },
    related: [former],
  }

  it('leads to the id that INI has for the document, which is asked for at its own address', async () => {
    known = [theirs]
    await accept(change)
    expect(looked).toEqual([
      { url: lookUps, claims: { role: undefined, purposeOfUse: 'UPDATE' }, returnType: 'ObjectRef' },
    ])
    expect(told).toMatchObject([{ url: registry, does: 'UPDATE', purposeOfUse: 'UPDATE' }])
    const links = submissionIn(told[0]?.body ?? '').associations
    expect(links.find(({ type }) => type === 'replaces')).toMatchObject({ source: uuid('2'), target: uuid('a') })
  })

  it('leads to the current one of several versions', async () => {
    known = [
      document('1', { entryUuid: uuid('a'), logicalId: uuid('a'), version: '1', status: 'deprecated' }),
      document('1', { entryUuid: uuid('b'), logicalId: uuid('a'), version: '2' }),
    ]
    await accept(change)
    expect(looked.map(({ url }) => url)).toEqual([lookUps, registry])
    const links = submissionIn(told[0]?.body ?? '').associations
    expect(links.find(({ type }) => type === 'replaces')?.target).toBe(uuid('b'))
  })

  it('of what INI does not know is refused with a sentence, and nothing is sent', async () => {
    await expect(accept(change)).rejects.toThrow(rejected('community-rejected', 'INI knows no document to be replaced'))
    expect(told).toEqual([])
  })

  it('of what we do not know ourselves is refused too', async () => {
    await expect(accept({ ...change, related: [] })).rejects.toThrow(rejected('community-rejected', 'was not known'))
  })

  it('that was made already is recognised by the document that is there', async () => {
    known = [theirs, document('2')]
    replies = [failure('XDSRegistryDeprecatedDocumentError')]
    await expect(accept(change)).resolves.toBeUndefined()
    known = [theirs]
    replies = [failure('XDSRegistryDeprecatedDocumentError')]
    await expect(accept(change)).rejects.toThrow(rejected('community-rejected'))
  })

  it('is asked for in the national gateway’s role where INI has it so', async () => {
    known = [theirs]
    await accept(change, 'UPDATE', { lookUpRole: 'GTW' })
    expect(looked[0]?.claims).toEqual({ role: 'GTW', purposeOfUse: 'UPDATE' })
    expect(told[0]).not.toHaveProperty('role')
  })

  it.each(['QND2', 'R220'])('is left to us where the look-up says %s', async (code) => {
    lookUpReplies = [{ kind: 'answer', status: 'failure', answer: answer({ issues: [issue(code)] }) }]
    await expect(accept(change)).resolves.toBeUndefined()
    expect(told).toEqual([])
  })
})

describe('an update', () => {
  const theirs = (more: Partial<DocumentEntry> = {}) =>
    document('1', { entryUuid: uuid('a'), logicalId: uuid('b'), version: '4', ...more })
  const title = [{ value: 'Referto corretto' }]
  const change = {
    type: 'update',
    submission: submission([document('1', { logicalId: uuid('f'), version: '2', title })]),
  } as const

  it('is made from the version INI has, found by LeafClass first', async () => {
    known = [theirs()]
    await accept(change)
    expect(looked).toEqual([
      { url: registry, claims: { role: undefined, purposeOfUse: 'UPDATE' }, returnType: 'LeafClass' },
    ])
    expect(told).toMatchObject([
      { url: updates, action: 'urn:ihe:iti:2010:UpdateDocumentSet', does: 'UPDATE', purposeOfUse: 'UPDATE' },
    ])
    const { entries, associations } = submissionIn(told[0]?.body ?? '')
    expect(entries).toMatchObject([{ logicalId: uuid('b'), version: '4' }])
    expect(associations).toMatchObject([{ type: 'has-member', previousVersion: '4' }])
  })

  it('by the old flow replaces the document by itself', async () => {
    known = [theirs()]
    await accept(change, 'UPDATE', { updateBy: 'iti-42' })
    expect(told).toMatchObject([{ url: registry, does: 'UPDATE', purposeOfUse: 'UPDATE' }])
    const { entries, associations, submissionSet } = submissionIn(told[0]?.body ?? '')
    expect(entries).toMatchObject([{ entryUuid: uuid('a') }])
    expect(associations).toMatchObject([
      { type: 'has-member', source: submissionSet.entryUuid, target: uuid('a') },
      { type: 'replaces', source: uuid('a'), target: uuid('a') },
    ])
  })

  it('that hides the document is for that purpose alone', async () => {
    known = [theirs()]
    const hidden = submission([document('1', { logicalId: uuid('f'), eventCodes: [p99] })])
    await accept({ type: 'update', submission: hidden }, 'ACCESS UPDATE')
    await accept({ type: 'update', submission: hidden }, 'UPDATE', { updateBy: 'iti-42' })
    expect(told).toMatchObject([
      { url: updates, purposeOfUse: 'ACCESS UPDATE' },
      { url: registry, purposeOfUse: 'ACCESS UPDATE' },
    ])
  })

  it('of an obscured document is found by its author', async () => {
    known = [theirs()]
    hiddenUnlessAuthor = true
    await accept(change)
    expect(looked).toHaveLength(2)
    expect(told).toHaveLength(1)
    await expect(accept(change, 'UPDATE', { authorSlot: false })).rejects.toThrow(rejected('community-rejected'))
  })

  it('that INI has already is not sent again', async () => {
    const slots = [
      ...(validEntry().extra?.slots ?? []),
      { name: 'urn:ihe:iti:xds:2024:SubjectApplication', values: ['CARTELLA^Ditta di prova^3'] },
    ]
    known = [theirs({ title, extra: { slots } })]
    await accept(change)
    expect(told).toEqual([])
  })

  it('of a version that is overtaken meanwhile is made from the next one, and later if need be', async () => {
    known = [theirs()]
    replies = [failure('R221')]
    await accept(change)
    expect(looked).toHaveLength(2)
    replies = [failure('R221'), failure('R221')]
    await expect(accept(change)).rejects.toThrow(rejected('community-busy'))
  })

  it('of what INI does not know is refused with a sentence', async () => {
    await expect(accept(change)).rejects.toThrow(rejected('community-rejected', 'INI knows no document to be updated'))
  })
})

describe('an update that was not made for hiding or showing', () => {
  const p00 = { ...p99, code: 'P00', display: 'De-Oscuramento in alimentazione' }
  const other = { ...p99, code: 'J07BX03', display: 'Vaccino' }
  const theirs = (...eventCodes: readonly (typeof p99)[]) =>
    document('1', { entryUuid: uuid('a'), logicalId: uuid('b'), version: '4', eventCodes })
  const change = (...eventCodes: readonly (typeof p99)[]): UpdateChange => ({
    type: 'update',
    keepsHiding: true,
    submission: submission([document('1', { title: [{ value: 'Referto corretto' }], eventCodes })]),
  })
  const toldCodes = () => told.map(({ body }) => submissionIn(body).entries[0]?.eventCodes.map(({ code }) => code))

  it.each([
    ['nothing', []],
    ['that it is shown', [p00]],
  ])('leaves a document hidden that was hidden elsewhere, though it says %s', async (_what, codes) => {
    known = [theirs(p99)]
    await accept(change(other, ...codes))
    await accept(change(other, ...codes), 'UPDATE', { updateBy: 'iti-42' })
    expect(toldCodes()).toEqual([
      ['J07BX03', 'P99'],
      ['J07BX03', 'P99'],
    ])
    expect(told).toMatchObject([
      { url: updates, purposeOfUse: 'UPDATE' },
      { url: registry, purposeOfUse: 'UPDATE' },
    ])
  })

  it.each([
    ['nothing', []],
    ['the same', [p00]],
    ['something else', [{ ...p99, code: 'P98' }]],
  ])('leaves a document shown that was shown, though it says %s, and is a plain update', async (_what, codes) => {
    known = [theirs(p00)]
    await accept(change(...codes, other))
    expect(toldCodes().flat().sort()).toEqual(['J07BX03', 'P00'])
    expect(told).toMatchObject([{ url: updates, purposeOfUse: 'UPDATE' }])
  })

  it('says what was not said before, and is a plain update', async () => {
    known = [theirs()]
    await accept(change(p00))
    expect(toldCodes()).toEqual([['P00']])
    expect(told).toMatchObject([{ purposeOfUse: 'UPDATE' }])
  })

  it('hides all the same what it says is hidden, for that purpose', async () => {
    known = [theirs(p00)]
    await accept(change(p99))
    expect(toldCodes()).toEqual([['P99']])
    expect(told).toMatchObject([{ purposeOfUse: 'ACCESS UPDATE' }])
  })

  it('is recognised when it was told of before', async () => {
    const again = change(other)
    known = [theirs(p99)]
    await accept(again)
    const [made] = submissionIn(told[0]?.body ?? '').entries
    known = made === undefined ? [] : [made]
    await accept(again)
    expect(told).toHaveLength(1)
  })
})

describe('a removal', () => {
  const entries = [document('1'), document('2')]
  const change = { type: 'remove', ids: entries.map(({ entryUuid }) => entryUuid), entries } as const

  it('names what INI knows, in all its versions', async () => {
    known = [
      document('1', { entryUuid: uuid('a') }),
      document('1', { entryUuid: uuid('b') }),
      document('2', { entryUuid: uuid('c') }),
    ]
    await accept(change)
    expect(looked.map(({ url, returnType }) => [url, returnType])).toEqual([
      [lookUps, 'ObjectRef'],
      [lookUps, 'ObjectRef'],
    ])
    expect(told).toMatchObject([
      {
        ...{ url: removals, does: 'DELETE', purposeOfUse: 'UPDATE', patientId: citizen },
        action: 'urn:ihe:iti:xds-b:2010:XDSDeletetWS:DocumentRegistry_DeleteDocumentSetRequest',
      },
    ])
    expect(idsIn(told[0]?.body ?? '')).toEqual([uuid('a'), uuid('b'), uuid('c')])
  })

  it('of what INI does not know is done', async () => {
    await expect(accept(change)).resolves.toBeUndefined()
    expect(told).toEqual([])
  })

  describe('of an obscured document', () => {
    const person = (value: string) => `${value}^ROSSI^MARIO^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO`
    const author = { institutions: [], roles: [], specialties: [], telecommunications: [] }
    const asAuthor = (value: string) => `('${value}^^^&2.16.840.1.113883.2.9.4.3.2&ISO')`
    const writer = 'ESMPLO70B41D612T'
    const obscured = document('1', { eventCodes: [p99], authors: [{ ...author, persons: [person(writer)] }] })
    const removal = { type: 'remove', ids: [obscured.entryUuid], entries: [obscured] } as const
    const theirs = document('1', { entryUuid: uuid('a') })

    it('asks for it as its author’s when whoever removes it is not told of it', async () => {
      known = [theirs]
      hiddenUnlessAuthor = asAuthor(writer)
      await accept(removal)
      expect(askedAs).toEqual([undefined, asAuthor('CLNCXX75C03F839M'), asAuthor(writer)])
      expect(told.map(({ body }) => idsIn(body))).toEqual([[uuid('a')]])
    })

    it('asks as nobody else for what is not obscured, or where INI takes no such parameter', async () => {
      await accept({ ...removal, entries: [{ ...obscured, eventCodes: [] }] })
      expect(askedAs).toEqual([undefined, asAuthor('CLNCXX75C03F839M')])
      await expect(accept(removal, 'UPDATE', { authorSlot: false })).rejects.toThrow()
      expect(askedAs.slice(2)).toEqual([undefined])
    })

    it('asks as a few of many authors only', async () => {
      const persons = Array.from({ length: 50 }, (_, index) => person(`AUTHOR${index}`))
      const written = { ...obscured, authors: [{ ...author, persons: [...persons, 'no code'] }] }
      await expect(accept({ ...removal, entries: [written] })).rejects.toThrow()
      expect(askedAs).toHaveLength(7)
    })

    it('is for an operator to look into when INI tells nobody of it, after what it tells of is removed', async () => {
      known = [document('2', { entryUuid: uuid('c') })]
      const both = { ...removal, entries: [obscured, document('2')] }
      await expect(accept(both)).rejects.toThrow(rejected('community-rejected', 'It was obscured'))
      expect(told.map(({ body }) => idsIn(body))).toEqual([[uuid('c')]])
    })

    it('is done when it is found no more after an attempt whose answer was lost', async () => {
      known = [theirs]
      replies = [failure('CRF1')]
      const ini = recipient()
      await expect(ini.accept(removal, callFor('UPDATE'))).rejects.toThrow(rejected('community-unavailable'))
      known = []
      await expect(ini.accept(removal, callFor('UPDATE'))).resolves.toBeUndefined()
      expect(told).toHaveLength(1)
    })
  })

  it('that somebody else made meanwhile is done', async () => {
    known = [document('1', { entryUuid: uuid('a') })]
    replies = [failure('UnresolvedReferenceException')]
    const both = recipient()
    const removing = both.accept(change, callFor('UPDATE'))
    known = []
    await expect(removing).resolves.toBeUndefined()
  })

  it('of what INI goes on not knowing, though it tells of it, is refused', async () => {
    known = [document('1', { entryUuid: uuid('a') })]
    replies = [failure('EDS3'), failure('EDS3')]
    await expect(accept(change)).rejects.toThrow(rejected('community-rejected'))
    expect(told).toHaveLength(2)
  })

  it('of nobody knows what is refused', async () => {
    await expect(accept({ ...change, entries: [] })).rejects.toThrow(rejected('community-rejected'))
  })
})

describe('a hiding', () => {
  const hiding = { type: 'hide', patientId: citizen, uniqueId: document('1').uniqueId } as const

  it('is an update of what INI has, for its own purpose', async () => {
    known = [document('1', { entryUuid: uuid('a'), version: '3' })]
    await accept(hiding)
    expect(told).toMatchObject([{ url: updates, purposeOfUse: 'ACCESS UPDATE', does: 'UPDATE' }])
    const { entries, submissionSet } = submissionIn(told[0]?.body ?? '')
    expect(entries).toMatchObject([{ logicalId: uuid('a'), version: '3', eventCodes: [{ code: 'P99' }] }])
    expect(submissionSet.sourceId).toBe('2.16.840.1.113883.2.9.2.90')
  })

  it('of what is hidden is done', async () => {
    known = [document('1', { eventCodes: [p99] })]
    await accept(hiding)
    expect(told).toEqual([])
  })
})
