import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { oid } from '../../../../src/core/model/identifiers.ts'
import { authorities } from '../../../../src/core/model/patient.ts'
import { formatCx, formatXcn, formatXon, parseCx, parseXcn, parseXon } from '../../../../src/wire/hl7/cx.ts'

const authority = oid('2.16.840.1.113883.2.9.4.1.1')

describe('CX, an identifier of a patient', () => {
  it('is spelled with its OID in the fourth component', () => {
    expect(formatCx({ value: 'PROVAX00X00X000Y', authority: authorities.codiceFiscale })).toBe(
      'PROVAX00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
    )
  })

  it.each([
    ['1^^^&1.2.3&ISO', { value: '1', authority: '1.2.3' }],
    ['1^^^NAME&1.2.3&ISO', { value: '1', authority: '1.2.3' }],
    ['1^^^&1.2.3&ISO^PI', { value: '1', authority: '1.2.3' }],
  ])('is read from %s', (text, id) => {
    expect(parseCx(text)).toEqual(id)
  })

  it.each([
    '',
    '1',
    '^^^&1.2.3&ISO',
    '1^^^NAME',
    '1^^^&1.2.3&DNS',
    '1^^^&name&ISO',
    '1^9^^&1.2.3&ISO',
    '1^^&1.2.3&ISO',
  ])('is not read from %j', (text) => {
    expect(parseCx(text)).toBeUndefined()
  })
})

describe('XON, an organization', () => {
  it('carries its name, and its code with the authority', () => {
    expect(formatXon({ name: 'ASL 6', code: '090109', authority })).toBe(
      'ASL 6^^^^^&2.16.840.1.113883.2.9.4.1.1&ISO^^^^090109',
    )
    expect(formatXon({ name: 'ASL 6' })).toBe('ASL 6')
  })

  it('is read also with the OID standing first in its component', () => {
    expect(parseXon('TEST^^^^^2.16.840.1.113883.2.9.4.1.1&ISO^^^^999109')).toEqual({
      name: 'TEST',
      code: '999109',
      authority,
    })
  })

  it('comes back as it was, whatever is in its name', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (name, code) => {
        expect(parseXon(formatXon({ name, code, authority }))).toEqual({ name, code, authority })
      }),
    )
  })
})

describe('XCN, a person', () => {
  it('carries id, names and authority in their places', () => {
    expect(formatXcn({ id: 'PROVAX00X00X000Y', authority: authorities.codiceFiscale })).toBe(
      'PROVAX00X00X000Y^^^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
    )
    expect(formatXcn({ family: 'Bianchi', given: 'Anna' })).toBe('^Bianchi^Anna')
  })

  it('comes back as it was, whatever is in its names', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (family, given) => {
        expect(parseXcn(formatXcn({ id: '1', authority, family, given }))).toEqual({
          id: '1',
          authority,
          family,
          given,
        })
      }),
    )
  })
})
