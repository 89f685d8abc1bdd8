import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainValue, readAssertion } from '../../../src/wire/saml/assertion-read.ts'
import { encodeSignedAssertion } from '../../../src/wire/saml/assertion-write.ts'
import { formatDocumentTypes, iniAttributesOf, parseDocumentTypes } from '../../../src/wire/saml/ini.ts'
import { readTree } from '../../../src/wire/xml.ts'

describe('the document types of a claim', () => {
  it.each([
    ["('11502-2^^2.16.840.1.113883.6.1')", ['11502-2']],
    ["('60591-5^^2.16.840.1.113883.6.1','11502-2^^2.16.840.1.113883.6.1')", ['60591-5', '11502-2']],
    [" ( '60591-5^^2.16.840.1.113883.6.1' , '11502-2^^2.16.840.1.113883.6.1' ) ", ['60591-5', '11502-2']],
    ['11502-2^^2.16.840.1.113883.6.1', ['11502-2']],
  ])('are read from %s', (text, codes) => {
    expect(parseDocumentTypes(text)?.map(({ code }) => code)).toEqual(codes)
    expect(parseDocumentTypes(text)?.every(({ scheme }) => scheme === '2.16.840.1.113883.6.1')).toBe(true)
  })

  it.each(['', '()', '11502-2', "('11502-2')", "('a^^b',)", "('a^b^c')", "('^^b')", "('a^^')", "('a^^b^^c')"])(
    'are none in %j',
    (text) => expect(parseDocumentTypes(text)).toBeUndefined(),
  )

  it('survive being written', () => {
    const part = fc.string({ minLength: 1 }).filter((text) => !/[',^\s()]/.test(text))
    fc.assert(
      fc.property(fc.array(fc.record({ code: part, scheme: part }), { minLength: 1 }), (types) => {
        expect(parseDocumentTypes(formatDocumentTypes(types))).toEqual(types)
      }),
    )
  })
})

it('an index transfer names itself and no subject (#2273)', () => {
  const statement = {
    subject: '090^^^&1.2.3&ISO',
    role: 'NOR',
    organization: '090',
    action: 'READ',
    purposeOfUse: 'SYSADMIN',
  }
  const named = (more: { readonly indexTransferId?: string }) => {
    return new Map(
      iniAttributesOf({ ...statement, ...more }).map(({ name, format, values }) => [name, [format, values[0]]]),
    )
  }
  const subjectId = 'urn:oasis:names:tc:xacml:1.0:subject:subject-id'
  const moving = named({ indexTransferId: 'urn:uuid:1' })
  expect(moving.get('IndexTransferId')).toEqual(['basic', { type: 'xs:string', text: 'urn:uuid:1' }])
  expect(moving.has(subjectId)).toBe(false)
  expect(named({}).get(subjectId)).toEqual(['uri', { type: 'xs:string', text: statement.subject }])
})

it('what is claimed reads back, whatever its characters', async () => {
  const signer = { method: 'RS256', digest: () => 'AAAA', sign: () => 'AAAA', certificates: ['AAAA'] } as const
  // Characters that XML carries, and no white space at the ends: that is trimmed.
  const text = fc
    .string({ unit: fc.constantFrom(...'aZ09<>&"\'^ \t\n\r\u00a0é€🙂]') })
    .filter((value) => value === value.trim() && value !== '')
  const always = { issueInstant: 'i', notBefore: 'b', notOnOrAfter: 'a', authn: { instant: 'i', classRef: 'c' } }
  await fc.assert(
    fc.asyncProperty(text, text, text, async (subject, role, organization) => {
      const attributes = iniAttributesOf({ subject, role, organization, action: 'READ', purposeOfUse: 'TREATMENT' })
      const content = { ...always, id: '_1', issuer: organization, subject, attributes }
      const tree = readTree(Buffer.from(await encodeSignedAssertion(content, signer)))
      const read = readAssertion(tree, tree.root)
      if (typeof read === 'string') throw new Error(read)
      expect(read).toMatchObject({ id: '_1', issuer: organization, subject })
      const [value] = read.attributes.get('urn:oasis:names:tc:xacml:2.0:subject:role') ?? []
      expect(plainValue(tree, value ?? -1)).toBe(role)
    }),
  )
})
