import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc, { type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { Submission } from '../../../../src/core/model/change.ts'
import {
  decodeRegistryResponse,
  encodeRegistryResponse,
  type RegistryResponse,
} from '../../../../src/wire/ebrim/registry-response.ts'
import {
  decodeRemoveObjects,
  decodeSubmitObjects,
  encodeRemoveObjects,
  encodeSubmitObjects,
} from '../../../../src/wire/ebrim/submit-objects.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { anyText, association, documentEntry, folder, some, submissionSet, text } from './arbitraries.ts'
import { canonicalList, findAll } from './canonical.ts'

const corpus = join(import.meta.dirname, '../../../../../shared/corpus')
const present = existsSync(corpus)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

const names =
  'xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"'
const patient = 'PROVAX80A01H501M^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO'

const identifier = (scheme: string, value: string, owner = 'x') =>
  `<ExternalIdentifier id="i" registryObject="${owner}" identificationScheme="urn:uuid:${scheme}" value="${value}"/>`

const setNode = 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd'
const folderNode = 'urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2'
const node = (owner: string, kind = setNode) =>
  `<Classification id="Classification1" classifiedObject="${owner}" classificationNode="${kind}"/>`

const entryXml = (id = 'Document1', inside = '', attributes = '') =>
  `<ExtrinsicObject id="${id}" mimeType="text/xml" ${attributes} objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">` +
  `${inside}${identifier('58a6f841-87b3-4a3e-92fd-a8ffeff98427', patient, id)}` +
  `${identifier('2e82c1f6-a085-4c72-9da3-8640a32e42ab', '1.2.3^A', id)}</ExtrinsicObject>`

const setXml = (id = 'SubmissionSet1', inside = node(id)) =>
  `<RegistryPackage id="${id}">${inside}${identifier('6b5aea1a-874d-4603-a4bc-96a0a7b38446', patient, id)}` +
  `${identifier('96fdda7c-d067-4183-912e-bf5ee74998a8', '1.2.3.4', id)}</RegistryPackage>`

const memberXml = (slots = '', attributes = 'sourceObject="SubmissionSet1" targetObject="Document1"') =>
  `<Association id="A1" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" ${attributes}>` +
  `${slots}</Association>`

const slotXml = (name: string, value: string) =>
  `<Slot name="${name}"><ValueList><Value>${value}</Value></ValueList></Slot>`

function submitted(list: string): Submission {
  const xml = `<lcm:SubmitObjectsRequest ${names}><RegistryObjectList>${list}</RegistryObjectList></lcm:SubmitObjectsRequest>`
  return decoded(xml)
}

function decoded(xml: string): Submission {
  const tree = readTree(Buffer.from(xml))
  return decodeSubmitObjects(tree, tree.root)
}

function removed(xml: string): readonly string[] {
  const tree = readTree(Buffer.from(xml))
  return decodeRemoveObjects(tree, tree.root)
}

function refusal(act: () => unknown): GatewayError {
  try {
    act()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('It was taken')
}

/** Ids are each of one object; what else an arbitrary made stays as it is. */
const submission: Arbitrary<Submission> = fc
  .record({
    submissionSet,
    entries: fc.array(documentEntry, { maxLength: 2 }),
    folders: fc.array(folder, { maxLength: 2 }),
    associations: fc.array(association, { maxLength: 3 }),
  })
  .filter(({ submissionSet: set, entries, folders, associations }) => {
    const objects = [set, ...entries, ...folders, ...associations]
    const uniqueIds = [set, ...entries, ...folders].map(({ uniqueId }) => uniqueId)
    return (
      new Set(objects.map(({ entryUuid }) => entryUuid)).size === objects.length &&
      uniqueIds.every((id) => id.trim() !== '')
    )
  })

describe('a submission', () => {
  it('is the same after it was written and read again', () => {
    fc.assert(
      fc.property(submission, (sent) => {
        expect(decoded(encodeSubmitObjects(sent))).toEqual(sent)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the ids of its sender, versions and logical ids', () => {
    const { entries, submissionSet: set } = submitted(
      entryXml('Document1', '<VersionInfo versionName="3"/>', 'lid="urn:uuid:old"') + setXml() + memberXml(),
    )
    expect(entries).toMatchObject([{ entryUuid: 'Document1', logicalId: 'urn:uuid:old', version: '3' }])
    expect(set).toMatchObject({ entryUuid: 'SubmissionSet1', uniqueId: '1.2.3.4' })
  })

  it('keeps what membership says of status and version', () => {
    const { associations } = submitted(
      entryXml() + setXml() + memberXml(slotXml('SubmissionSetStatus', 'Original') + slotXml('PreviousVersion', '2')),
    )
    expect(associations).toEqual([
      {
        entryUuid: 'A1',
        type: 'has-member',
        source: 'SubmissionSet1',
        target: 'Document1',
        submissionSetStatus: 'Original',
        previousVersion: '2',
      },
    ])
  })

  it('tells on slots, classifications and identifiers that it does not know', () => {
    const inside =
      slotXml('urn:ita:2022:administrativeRequest', 'SSN^Regime SSN') +
      '<Classification id="c9" classifiedObject="Document1" classificationScheme="urn:uuid:unknown" nodeRepresentation="q"/>' +
      identifier('0badcafe-0000-0000-0000-000000000000', 'v')
    const once = submitted(entryXml('Document1', inside) + setXml() + memberXml())
    const extra = once.entries[0]?.extra
    expect(extra?.slots).toEqual([{ name: 'urn:ita:2022:administrativeRequest', values: ['SSN^Regime SSN'] }])
    expect(extra?.classifications).toMatchObject([{ scheme: 'urn:uuid:unknown', value: 'q' }])
    expect(extra?.identifiers).toMatchObject([{ value: 'v' }])
    expect(decoded(encodeSubmitObjects(once))).toEqual(once)
  })

  it('is one wherever the classification stands that makes its package a submission set', () => {
    const inside = submitted(setXml())
    const beside = submitted(setXml('SubmissionSet1', '') + node('SubmissionSet1'))
    const before = submitted(node('SubmissionSet1') + setXml('SubmissionSet1', ''))
    expect(beside).toEqual(inside)
    expect(before).toEqual(inside)
  })

  it('may leave the urn:uuid: out of what a classification classifies', () => {
    const id = 'a0000000-0000-4000-8000-000000000001'
    const beside = submitted(setXml(`urn:uuid:${id}`, '') + node(id))
    expect(beside.submissionSet.entryUuid).toBe(`urn:uuid:${id}`)
    expect(decoded(encodeSubmitObjects(beside))).toEqual(beside)
    const classified =
      `<Classification id="TypeCode" classifiedObject="${id}" nodeRepresentation="11502-2" ` +
      `classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983">${slotXml('codingScheme', '2.16')}</Classification>`
    const { entries } = submitted(entryXml(`urn:uuid:${id}`, classified) + setXml())
    expect(entries[0]?.typeCode).toMatchObject({ code: '11502-2', scheme: '2.16' })
  })

  it('passes over references to what the registry has', () => {
    expect(submitted(`${setXml()}<ObjectRef id="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>`)).toEqual(
      submitted(setXml()),
    )
  })

  it('is refused whole, with an issue for each object that cannot be understood', () => {
    const nameless = `<ExtrinsicObject id="Document2" mimeType="text/xml"/>`
    const twice = `<Association id="urn:uuid:a1" associationType="RPLC" sourceObject="Document1"/>`
    const error = refusal(() => submitted(entryXml() + nameless + twice + setXml() + memberXml()))
    expect(error.code).toBe('metadata-invalid')
    expect(error.issues).toEqual([
      {
        severity: 'error',
        code: 'XDSRegistryMetadataError',
        text: 'Not understood: it has no uniqueId',
        location: 'Document2',
      },
      {
        severity: 'error',
        code: 'XDSRegistryMetadataError',
        text: 'Not understood: it has no target',
        location: 'urn:uuid:a1',
      },
    ])
  })

  const tooLong = 'x'.repeat(257)
  const odd: Readonly<Record<string, readonly [list: string, reason: string]>> = {
    'has no submission set': [entryXml(), 'there is no submission set'],
    'has nothing': ['', 'there is no submission set'],
    'has two submission sets': [setXml() + setXml('SubmissionSet2'), 'it is a second submission set'],
    'has objects of one id': [entryXml() + entryXml() + setXml(), 'its id is that of another object too'],
    'has objects of another kind': [`<Organization id="o"/>${setXml()}`, 'objects of this kind have no place'],
    'classifies a package that is not there': [setXml() + node('SubmissionSet2'), 'it classifies no package'],
    'calls its submission set a folder': [
      setXml('SubmissionSet1', '') + node('SubmissionSet1', folderNode),
      'it classifies no package',
    ],
    'classifies a document as a submission set': [
      entryXml() + setXml() + node('Document1'),
      'it classifies no package',
    ],
    'has an id that is too long': [entryXml(tooLong) + setXml(), 'an id of it is too long'],
    'refers to an id that is too long': [
      setXml() + memberXml('', `sourceObject="SubmissionSet1" targetObject="${tooLong}"`),
      'an id of it is too long',
    ],
    'refers to nothing': [setXml() + memberXml('', 'sourceObject="SubmissionSet1" targetObject=" "'), 'is empty'],
  }
  for (const [name, [list, why]] of Object.entries(odd)) {
    it(`is refused when it ${name}`, () => {
      const error = refusal(() => submitted(list))
      expect(error.code).toBe('metadata-invalid')
      expect(error.issues.map(({ text: told }) => told).join()).toContain(why)
    })
  }

  it('takes ids of 256 characters', () => {
    expect(submitted(entryXml('x'.repeat(256)) + setXml()).entries).toHaveLength(1)
  })

  it('repeats an id only where it looks like one', () => {
    const error = refusal(() => submitted(`<ExtrinsicObject id="Mario Rossi^1" mimeType="text/xml"/>${setXml()}`))
    expect(JSON.stringify(error.issues)).not.toContain('Rossi')
    expect(error.issues[0]).not.toHaveProperty('location')
  })

  it('is malformed when it is another message', () => {
    expect(refusal(() => decoded('<SubmitObjectsRequest/>')).code).toBe('request-malformed')
    expect(refusal(() => decoded(encodeRemoveObjects(['urn:uuid:1']))).code).toBe('request-malformed')
  })
})

describe('a removal', () => {
  const removal = (inside: string, attributes = '') =>
    removed(`<lcm:RemoveObjectsRequest ${names} ${attributes}>${inside}</lcm:RemoveObjectsRequest>`)
  const list = (...ids: string[]) =>
    `<ObjectRefList>${ids.map((id) => `<ObjectRef id="${id}"/>`).join('')}</ObjectRefList>`

  it('is the same after it was written and read again', () => {
    const id = text.map((value) => `urn:uuid:${value}`.trim())
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 4 }), (ids) => {
        expect(removed(encodeRemoveObjects(ids))).toEqual(ids)
      }),
    )
  })

  it('names each object once', () => {
    expect(removal(list('urn:uuid:1', 'urn:uuid:2', 'urn:uuid:1'))).toEqual(['urn:uuid:1', 'urn:uuid:2'])
  })

  it('may say that objects go with all that is theirs, as ebRS means by itself', () => {
    const scope = 'urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:'
    expect(removal(list('urn:uuid:1'), `deletionScope="${scope}DeleteAll"`)).toEqual(['urn:uuid:1'])
    expect(refusal(() => removal(list('urn:uuid:1'), `deletionScope="${scope}DeleteRepositoryItemOnly"`)).code).toBe(
      'metadata-invalid',
    )
  })

  const odd = {
    nothing: '',
    'an empty list': list(),
    'an object without an id': list('urn:uuid:1', ''),
    'an id that is too long': list('x'.repeat(257)),
    'a query': `<AdhocQuery id="urn:uuid:q"/>${list('urn:uuid:1')}`,
    'something other than a reference': '<ObjectRefList><Association id="urn:uuid:1"/></ObjectRefList>',
  }
  for (const [name, inside] of Object.entries(odd)) {
    it(`is refused with ${name}`, () => {
      expect(refusal(() => removal(inside)).code).toBe('metadata-invalid')
    })
  }

  it('is malformed when it is another message', () => {
    expect(refusal(() => removed('<RemoveObjectsRequest/>')).code).toBe('request-malformed')
  })
})

describe('a registry response', () => {
  const response: Arbitrary<RegistryResponse> = some<RegistryResponse>(
    {
      status: fc.constantFrom('success', 'partial-success', 'failure'),
      errors: fc.array(
        some<RegistryResponse['errors'][number]>(
          {
            errorCode: text,
            codeContext: anyText,
            severity: fc.constantFrom('error', 'warning'),
            location: text,
          },
          'errorCode',
          'codeContext',
          'severity',
        ),
        { maxLength: 3 },
      ),
      requestId: text,
    },
    'status',
    'errors',
  )

  function read(xml: string) {
    const tree = readTree(Buffer.from(xml))
    return decodeRegistryResponse(tree, tree.root)
  }

  it('is the same after it was written and read again', () => {
    fc.assert(
      fc.property(response, ({ errors, ...sent }) => {
        const issues = errors.map(({ errorCode: code, codeContext, ...error }) => ({
          ...error,
          code,
          text: codeContext,
        }))
        expect(read(encodeRegistryResponse({ errors, ...sent }))).toEqual({ ...sent, issues })
      }),
    )
  })

  it('is told apart from anything else', () => {
    expect(refusal(() => read('<AdhocQueryResponse status="Success"/>')).code).toBe('community-misbehaved')
    expect(refusal(() => read('<RegistryResponse status="Perhaps"/>')).code).toBe('community-misbehaved')
  })
})

describe.skipIf(!present)(`the corpus${reason}`, () => {
  const files = (...patterns: string[]) => (present ? globSync(patterns, { cwd: corpus }).sort() : [])
  const treeOf = (name: string) => readTree(readFileSync(join(corpus, name)))

  it('has submissions, removals and answers', () => {
    expect(files('ini/samples/wxdsb/{register,remove}_re*.xml')).toHaveLength(4)
  })

  for (const name of files('ini/samples/wxdsb/register_req.xml', 'ihe/ITI-42/*Request*.xml')) {
    it(`has a submission that is read and written again: ${name}`, () => {
      const tree = treeOf(name)
      const [request = -1] = findAll(tree, 'SubmitObjectsRequest')
      const sent = decodeSubmitObjects(tree, request)
      expect(sent.associations.some(({ type }) => type === 'has-member')).toBe(true)
      const written = readTree(Buffer.from(encodeSubmitObjects(sent)))
      expect(decodeSubmitObjects(written, written.root)).toEqual(sent)
      const list = (of: typeof tree) => findAll(of, 'RegistryObjectList').flatMap((at) => canonicalList(of, at))
      expect(list(written)).toEqual(list(tree))
    })
  }

  for (const name of files('ini/samples/wxdsb/remove_req.xml', 'ihe/ITI-62/*request.xml')) {
    it(`has a removal that is read and written again: ${name}`, () => {
      const tree = treeOf(name)
      const [request = -1] = findAll(tree, 'RemoveObjectsRequest')
      const ids = decodeRemoveObjects(tree, request)
      expect(ids).toHaveLength(1)
      expect(removed(encodeRemoveObjects(ids))).toEqual(ids)
    })
  }

  for (const name of files('ini/samples/wxdsb/{register,remove}_res.xml', 'ihe/ITI-{42,62}/*esponse*.xml')) {
    it(`has an answer that is read: ${name}`, () => {
      const tree = treeOf(name)
      const [response = -1] = findAll(tree, 'RegistryResponse')
      expect(decodeRegistryResponse(tree, response)).toMatchObject({ status: 'success', issues: [] })
    })
  }
})
