import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, patientKey, questionKey } from '../../../src/cache/key.ts'
import { homeCommunityId } from '../../../src/core/model/identifiers.ts'
import { authorities, patientId } from '../../../src/core/model/patient.ts'
import type { StoredQuery } from '../../../src/core/model/stored-query.ts'

const person = patientId('RSSMRA85T10A562S', authorities.codiceFiscale)

/** The same value with the members of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).reverse()
  return Object.fromEntries(members.map(([key, member]) => [key, reversed(member)]))
}

describe('the canonical text of a value', () => {
  const values = fc.jsonValue({ maxDepth: 4, noUnicodeString: false })

  it('is the same whatever the order of members', () => {
    fc.assert(fc.property(values, (value) => canonical(reversed(value)) === canonical(value)))
  })

  it('is read back as the value, so that unequal values have unequal texts', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('keeps the order of lists, and leaves out what is undefined', () => {
    expect(canonical({ b: [2, 1], a: undefined, c: { e: 1, d: [] } })).toBe('{"b":[2,1],"c":{"d":[],"e":1}}')
  })
})

describe('the key of a question', () => {
  const asked: StoredQuery = {
    type: 'FindDocuments',
    patientId: person,
    status: ['approved'],
    filter: { typeCodes: [{ code: '60591-5', scheme: '2.16.840.1.113883.6.1' }] },
    extra: [],
  }
  const home = homeCommunityId('2.16.840.1.113883.2.9.2.50')
  const others: StoredQuery[] = [
    { ...asked, patientId: patientId('12345678903', authorities.codiceFiscale) },
    { ...asked, patientId: patientId('RSSMRA85T10A562S', authorities.teamPersonal) },
    { ...asked, status: ['approved', 'deprecated'] },
    { ...asked, status: ['deprecated'] },
    { ...asked, filter: {} },
    { ...asked, filter: { typeCodes: [{ code: '60591-5' }] } },
    { ...asked, filter: { classCodes: [{ code: '60591-5', scheme: '2.16.840.1.113883.6.1' }] } },
    { ...asked, extra: [{ name: '$x', values: ['1'] }] },
    { ...asked, home },
  ]

  it('differs for every difference in the question', () => {
    const keys = [asked, ...others].map((query) => questionKey('p', query))
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('differs for every partition, however partition and question are put', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        fc.pre(one !== other)
        return questionKey(one, asked) !== questionKey(other, asked)
      }),
    )
  })

  it('tells nothing of the person or the partition', () => {
    const keys = [questionKey('nurses', asked), patientKey(person)]
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/)
    expect(patientKey(person)).not.toBe(patientKey({ ...person, authority: authorities.ana }))
  })
})
