import { describe, expect, it } from 'vitest'
import { tuscanyOptions } from '../../../../adapters/tuscany/options.ts'
import { xdsRecipient } from '../../../../adapters/tuscany/recipient.ts'
import type { RegistrySubmission, SubmissionReply } from '../../../../src/config/adapter.ts'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { QueryAnswer } from '../../../../src/core/model/answers.ts'
import type { HideChange, MetadataChange, Submission } from '../../../../src/core/model/change.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { authorities } from '../../../../src/core/model/patient.ts'
import type { StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { actions } from '../../../../src/wire/actions.ts'
import { decodeRemoveObjects, decodeSubmitObjects } from '../../../../src/wire/ebrim/submit-objects.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import {
  answer,
  authorized,
  citizen,
  clinician,
  entry,
  homes,
  issue,
  link,
  obscured,
  otherCitizen,
  stoppedClock,
  submissionSet,
} from '../../../support/builders.ts'

const call = authorized()
const hash = 'a'.repeat(40)
const urls = {
  register: 'https://record.example/register',
  update: 'https://record.example/update',
  delete: 'https://record.example/delete',
}
const made: SubmissionReply = { kind: 'answer', status: 'success', issues: [] }
const says = (...codes: string[]): SubmissionReply => ({
  kind: 'answer',
  status: 'failure',
  issues: codes.map((code) => issue(code)),
})

interface Record {
  /** What it says to each message, in order. */
  readonly says?: readonly (SubmissionReply | GatewayError)[]
  /** What it finds, each time it is asked. */
  readonly holds?: (asked: number) => Partial<QueryAnswer>
  readonly options?: object
}

/** A registry that says what it is told to, and keeps what it was told and asked. */
function record({ says: replies = [made], holds = () => ({}), options = urls }: Record = {}) {
  const told: RegistrySubmission[] = []
  const asked: StoredQuery[] = []
  const recipient = xdsRecipient({
    home: homes.tuscany,
    options: tuscanyOptions.parse({ registry: 'https://record.example/registry', ...options }),
    registry: {
      async query(query) {
        asked.push(query)
        return answer(holds(asked.length))
      },
    },
    tools: {
      clock: stoppedClock,
      async submit(submission) {
        told.push(submission)
        const reply = replies[told.length - 1]
        if (reply === undefined) throw new Error('The registry was told more often than expected')
        if (reply instanceof GatewayError) throw reply
        return reply
      },
    },
  })
  const failure = async (change: MetadataChange): Promise<GatewayError> => {
    const error = await recipient.accept(change, call).then(
      () => expect.fail('it was accepted'),
      (thrown: unknown) => thrown,
    )
    if (error instanceof GatewayError) return error
    throw error
  }
  return { accept: (change: MetadataChange) => recipient.accept(change, call), failure, told, asked }
}

function submissionIn(told: RegistrySubmission | undefined): Submission {
  const tree = readTree(Buffer.from(told?.body ?? ''))
  return decodeSubmitObjects(tree, tree.root)
}

function removedIn(told: RegistrySubmission | undefined): readonly string[] {
  const tree = readTree(Buffer.from(told?.body ?? ''))
  return decodeRemoveObjects(tree, tree.root)
}

function submission(entries: readonly DocumentEntry[], ...links: Submission['associations']): Submission {
  return { submissionSet: submissionSet('s'), entries, folders: [], associations: links }
}

const submit = (...args: Parameters<typeof submission>): MetadataChange => ({
  type: 'submit',
  submission: submission(...args),
})

describe('a submission', () => {
  const sent = entry('a', { hash })

  it('is registered as it came', async () => {
    const { accept, told } = record()
    const change = submission([sent], { ...link('s', 'has-member', 'a'), submissionSetStatus: 'Original' })
    await accept({ type: 'submit', submission: change })
    expect(told).toMatchObject([
      { url: urls.register, action: actions.registerDocumentSet, does: 'CREATE', patientId: citizen },
    ])
    expect(submissionIn(told[0])).toEqual(change)
  })

  it('is claimed as an update when it replaces a document', async () => {
    const { accept, told } = record()
    await accept(submit([sent], link('a', 'replaces', 'old')))
    expect(told[0]?.does).toBe('UPDATE')
  })

  for (const code of ['XDSDuplicateUniqueIdInRegistry', 'R224']) {
    it(`is done when the record has the document already: ${code}`, async () => {
      const { accept, asked } = record({ says: [says(code)], holds: () => ({ entries: [entry('b', { ...sent })] }) })
      await accept(submit([sent]))
      expect(asked).toMatchObject([{ documents: { by: 'unique-id', ids: [sent.uniqueId] } }])
    })

    it(`is rejected when what the record has is another document: ${code}`, async () => {
      const other = entry('a', { hash: 'b'.repeat(40) })
      const { failure } = record({ says: [says(code)], holds: () => ({ entries: [other] }) })
      expect(await failure(submit([sent]))).toMatchObject({ code: 'community-rejected', issues: [issue(code)] })
    })
  }

  it('is rejected when the record has some of its documents only', async () => {
    const { failure } = record({ says: [says('R224')], holds: () => ({ entries: [sent] }) })
    expect((await failure(submit([sent, entry('c', { hash })]))).code).toBe('community-rejected')
  })

  it('has replaced what is said to be replaced only by what the record holds', async () => {
    const change = submit([sent], link('a', 'replaces', 'old'))
    const codes = ['XDSDuplicateUniqueIdInRegistry', 'XDSRegistryDeprecatedDocumentError']
    const replaced = { entries: [sent], associations: [link('a', 'replaces', 'old')] }
    await record({ says: [says(...codes)], holds: () => replaced }).accept(change)
    const untouched = record({ says: [says(...codes)], holds: () => ({ entries: [sent] }) })
    expect((await untouched.failure(change)).code).toBe('community-rejected')
  })

  it('is rejected in the words of the registry', async () => {
    const { failure } = record({ says: [says('R56')] })
    expect(await failure(submit([sent]))).toMatchObject({ code: 'community-rejected', issues: [issue('R56')] })
  })

  it('may be told again later when the registry cannot now', async () => {
    expect((await record({ says: [says('XDSRegistryBusy')] }).failure(submit([sent]))).code).toBe('community-busy')
    const fault: SubmissionReply = { kind: 'fault', issue: issue('Receiver'), sender: false }
    expect((await record({ says: [fault] }).failure(submit([sent]))).code).toBe('community-unavailable')
    const lost = new GatewayError('community-timeout', 'No answer')
    expect(await record({ says: [lost] }).failure(submit([sent]))).toBe(lost)
  })

  it('fails, naming the option, when there is no address for it', async () => {
    const { failure } = record({ options: { update: urls.update } })
    expect(await failure(submit([sent]))).toMatchObject({ code: 'internal', details: { option: 'register' } })
  })
})

describe('an update', () => {
  const sent = entry('a2', { uniqueId: 'd', logicalId: 'urn:uuid:a', version: '3', hash })
  const membership = { ...link('s', 'has-member', 'a2'), submissionSetStatus: 'Original' }
  const change: MetadataChange = { type: 'update', submission: submission([sent], membership) }

  it('is told with the version it was made from', async () => {
    const { accept, told } = record()
    await accept(change)
    expect(told).toMatchObject([{ url: urls.update, action: actions.updateDocumentSet, does: 'UPDATE' }])
    const { entries, associations } = submissionIn(told[0])
    expect(entries).toMatchObject([{ logicalId: 'urn:uuid:a', version: '2' }])
    expect(associations).toEqual([{ ...membership, previousVersion: '2' }])
  })

  it('is done when the record has that version, saying the same', async () => {
    for (const code of ['XDSMetadataVersionError', 'R221']) {
      const there = { ...sent, entryUuid: 'urn:uuid:z', home: homes.tuscany }
      await record({ says: [says(code)], holds: () => ({ entries: [there] }) }).accept(change)
    }
  })

  it('is rejected when the record has another version', async () => {
    const others = [
      { ...sent, version: '2' },
      { ...sent, eventCodes: [{ code: 'P99', scheme: 'x' }] },
      { ...sent, extra: { slots: [{ name: 'urn:ita:2022:administrativeRequest', values: ['SSN^Regime SSN'] }] } },
    ]
    for (const other of others) {
      const { failure } = record({ says: [says('R221')], holds: () => ({ entries: [other] }) })
      expect(await failure(change)).toMatchObject({ code: 'community-rejected', issues: [issue('R221')] })
    }
  })

  it('fails, naming the option, when there is no address for it', async () => {
    const { failure } = record({ options: { register: urls.register } })
    expect(await failure(change)).toMatchObject({ code: 'internal', details: { option: 'update' } })
  })
})

describe('a removal', () => {
  const removal = (...ids: string[]): MetadataChange => ({ type: 'remove', ids, entries: [entry('a')] })

  it('is told by the ids of what is removed', async () => {
    const { accept, told } = record()
    await accept(removal('urn:uuid:a', 'urn:uuid:b'))
    expect(told).toMatchObject([
      { url: urls.delete, action: actions.deleteDocumentSet, does: 'DELETE', patientId: citizen },
    ])
    expect(removedIn(told[0])).toEqual(['urn:uuid:a', 'urn:uuid:b'])
  })

  it('may have its action spelt as IHE does', async () => {
    const { accept, told } = record({ options: { ...urls, deleteAction: 'ihe' } })
    await accept(removal('urn:uuid:a'))
    expect(told[0]?.action).toBe(actions.deleteDocumentSetOfIhe)
  })

  it('is done when nothing of that id is there', async () => {
    await record({ says: [says('UnresolvedReferenceException')] }).accept(removal('urn:uuid:a'))
  })

  it('is done one by one when some of several are not there: the registry has kept the others', async () => {
    const gone = says('UnresolvedReferenceException')
    const { accept, told } = record({ says: [gone, made, gone] })
    await accept(removal('urn:uuid:a', 'urn:uuid:b'))
    expect(told.map(removedIn)).toEqual([['urn:uuid:a', 'urn:uuid:b'], ['urn:uuid:a'], ['urn:uuid:b']])
  })

  it('is rejected when one of several cannot be removed', async () => {
    const { failure } = record({ says: [says('UnresolvedReferenceException'), says('ReferencesExistException')] })
    expect(await failure(removal('urn:uuid:a', 'urn:uuid:b'))).toMatchObject({
      code: 'community-rejected',
      issues: [issue('ReferencesExistException')],
    })
  })

  it('fails, naming the option, when there is no address for it', async () => {
    const { failure } = record({ options: { register: urls.register } })
    expect(await failure(removal('urn:uuid:a'))).toMatchObject({ code: 'internal', details: { option: 'delete' } })
  })
})

describe('a hiding', () => {
  const hiding: HideChange = { type: 'hide', patientId: citizen, uniqueId: entry('a').uniqueId }
  const policy = (code: string) => ({ code, scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' })
  const shown = entry('a', { logicalId: 'urn:uuid:first', version: '4', eventCodes: [policy('pay'), policy('P00')] })

  it('is an update of the entry found, with one visibility policy', async () => {
    const { accept, told } = record({ holds: () => ({ entries: [shown] }) })
    await accept(hiding)
    expect(told).toMatchObject([
      { url: urls.update, does: 'UPDATE', purposeOfUse: 'ACCESS UPDATE', patientId: citizen },
    ])
    const { entries, associations, submissionSet: set } = submissionIn(told[0])
    const [hidden] = entries
    expect(hidden).toMatchObject({ logicalId: 'urn:uuid:first', version: '4', uniqueId: shown.uniqueId })
    expect(hidden?.entryUuid).not.toBe(shown.entryUuid)
    expect(hidden?.eventCodes).toEqual([policy('pay'), { ...policy('P99'), display: 'Oscuramento del documento' }])
    expect(associations).toMatchObject([
      {
        type: 'has-member',
        source: set.entryUuid,
        target: hidden?.entryUuid,
        submissionSetStatus: 'Original',
        previousVersion: '4',
      },
    ])
  })

  it('is a submission of our community with ids of its own', async () => {
    const first = record({ holds: () => ({ entries: [shown] }) })
    await first.accept(hiding)
    const second = record({ holds: () => ({ entries: [shown] }) })
    await second.accept(hiding)
    const sets = [first, second].map(({ told }) => submissionIn(told[0]).submissionSet)
    expect(sets[0]).toMatchObject({
      sourceId: '2.16.840.1.113883.2.9.2.90',
      submissionTime: '19700101001640',
      patientId: citizen,
      contentTypeCode: { code: 'PHR', scheme: '2.16.840.1.113883.2.9.3.3.6.1.4' },
      authors: [{ persons: [clinician.replace('^^^', '^^^^^^^^')], roles: ['AAS'] }],
    })
    for (const { uniqueId } of sets) {
      expect(uniqueId).toMatch(/^2\.16\.840\.1\.113883\.2\.9\.2\.90\.4\.3\.[1-9][0-9]*$/)
      expect(uniqueId.length).toBeLessThanOrEqual(64)
    }
    expect(new Set(sets.map(({ uniqueId }) => uniqueId)).size).toBe(2)
  })

  it('takes version 1 for the first, where none is told', async () => {
    const { accept, told } = record({ holds: () => ({ entries: [entry('a')] }) })
    await accept(hiding)
    const { entries, associations } = submissionIn(told[0])
    expect(entries[0]?.logicalId).toBe('urn:uuid:a')
    expect(associations[0]?.previousVersion).toBe('1')
  })

  it('has nothing to do with a document that is hidden', async () => {
    const { accept, told } = record({ says: [], holds: () => ({ entries: [obscured('a')] }) })
    await accept(hiding)
    expect(told).toEqual([])
  })

  it('leaves hiding as the one policy, where there was another beside it', async () => {
    const both = entry('a', { eventCodes: [policy('P99'), policy('P97')] })
    const { accept, told } = record({ holds: () => ({ entries: [both] }) })
    await accept(hiding)
    expect(submissionIn(told[0]).entries[0]?.eventCodes.map(({ code }) => code)).toEqual(['P99'])
  })

  it('is about the latest version, and about current entries where there are any', async () => {
    const older = { ...shown, entryUuid: 'urn:uuid:o', version: '3' }
    const replaced = entry('r', { uniqueId: shown.uniqueId, status: 'deprecated' })
    const { accept, told } = record({ holds: () => ({ entries: [older, shown, replaced] }) })
    await accept(hiding)
    expect(told.map((one) => submissionIn(one).entries[0]?.logicalId)).toEqual(['urn:uuid:first'])
    const onlyReplaced = record({ holds: () => ({ entries: [replaced] }) })
    await onlyReplaced.accept(hiding)
    expect(onlyReplaced.told).toHaveLength(1)
  })

  it('reads the document again when it has been changed meanwhile', async () => {
    const { accept, told } = record({
      says: [says('XDSMetadataVersionError'), made],
      holds: (asked) => ({ entries: [{ ...shown, version: String(asked + 3) }] }),
    })
    await accept(hiding)
    expect(told.map((one) => submissionIn(one).associations[0]?.previousVersion)).toEqual(['4', '5'])
  })

  it('may be told again later when the document goes on being changed', async () => {
    const { failure } = record({ says: [says('R221'), says('R221')], holds: () => ({ entries: [shown] }) })
    expect((await failure(hiding)).code).toBe('community-busy')
  })

  it('is rejected when the record knows no such document of the patient', async () => {
    expect((await record({ says: [] }).failure(hiding)).code).toBe('document-unknown')
    const other = record({ says: [], holds: () => ({ entries: [{ ...shown, patientId: otherCitizen }] }) })
    expect((await other.failure(hiding)).code).toBe('document-unknown')
    expect(other.told).toEqual([])
  })

  it('finds the document of somebody whom the record knows by an identifier of another authority', async () => {
    const stp = { value: 'STP1234567890123', authority: authorities.stp }
    const { accept, told } = record({ holds: () => ({ entries: [{ ...shown, patientId: stp }] }) })
    await accept(hiding)
    expect(told).toMatchObject([{ patientId: stp }])
  })

  it('is rejected in the words of the registry', async () => {
    const { failure } = record({ says: [says('R227')], holds: () => ({ entries: [shown] }) })
    expect(await failure(hiding)).toMatchObject({ code: 'community-rejected', issues: [issue('R227')] })
  })
})

describe('the options of the Tuscan record', () => {
  const parsed = (options: object) => tuscanyOptions.safeParse(options)

  it('pass changes on by the protocol that answers queries', () => {
    expect(parsed({ registry: urls.register, ...urls }).success).toBe(true)
    expect(parsed({ protocol: 'fhir', fhir: urls.update, transactions: true }).success).toBe(true)
    expect(parsed({ registry: urls.register, transactions: true }).success).toBe(false)
    expect(parsed({ protocol: 'fhir', fhir: urls.update, register: urls.register }).success).toBe(false)
  })
})
