import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  citizenKeys,
  citizenOf,
  citizens,
  codiceFiscale,
  numericCodiceFiscale,
  samePerson,
} from '../../network/citizens.ts'
import { documentBytes } from '../../network/documents.ts'
import { associationType, cx, type Entry, isObscured, readCx } from '../../network/entry.ts'
import { expectations } from '../../network/expectations.ts'
import type { Holder } from '../../network/registry-book.ts'
import { holders, sow } from '../../network/seed.ts'

const seed = sow()
const everywhere = holders.flatMap((holder) => seed.holdings[holder].entries)
const of = (holder: Holder, key: keyof typeof citizens): readonly Entry[] =>
  seed.holdings[holder].entries.filter(({ patient }) => samePerson(patient, citizens[key].identifiers[0]))

describe('the synthetic citizens', () => {
  it('have well-formed codici fiscali of a municipality that does not exist', () => {
    expect(codiceFiscale('RSSMRA80A01H501')).toBe('RSSMRA80A01H501U')
    expect(codiceFiscale('RSSMRAULALMHRLM')).toBe('RSSMRAULALMHRLMD')
    expect(numericCodiceFiscale('1234567890')).toBe('12345678903')
    const codes = Object.values(citizens).flatMap(({ identifiers }) => identifiers.map(({ value }) => value))
    for (const code of codes.filter((value) => value.length === 16 && /^[A-Z]{6}/.test(value))) {
      expect(code).toMatch(/^[A-Z]{6}\d\d[A-EHLMPRST]\d\dX\d{3}[A-Z]$/)
      expect(codiceFiscale(code.slice(0, 15))).toBe(code)
    }
    expect(new Set(codes).size).toBe(codes.length)
  })

  it('are one person under all their identifiers, and nobody is known who should not be', () => {
    for (const key of citizenKeys) {
      for (const id of citizens[key].identifiers) expect(citizenOf(id)?.key).toBe(key === 'unknown' ? undefined : key)
      expect(readCx(cx(citizens[key].identifiers[0]))).toMatchObject({ value: citizens[key].identifiers[0].value })
    }
  })
})

describe('the documents', () => {
  it('are the same from the same name, and others from another', () => {
    expect(sow().holdings).toEqual(seed.holdings)
    expect(sow('another').holdings.tuscany.entries[0]?.uniqueId).not.toBe(seed.holdings.tuscany.entries[0]?.uniqueId)
  })

  it('have one content wherever they are told, and an id of its own in every registry', () => {
    const contents = new Map<string, string>()
    for (const { uniqueId, hash, size, repositoryUniqueId } of everywhere) {
      const content = `${hash} ${size} ${repositoryUniqueId}`
      expect(contents.get(uniqueId) ?? content).toBe(content)
      contents.set(uniqueId, content)
    }
    const ids = everywhere.map(({ entryUuid }) => entryUuid)
    expect(new Set(ids).size).toBe(ids.length)
    expect(contents.size).toBeGreaterThan(300)
  })

  it('have the hash and the size of their bytes', () => {
    for (const { uniqueId, hash, size } of everywhere.slice(0, 20)) {
      const bytes = documentBytes(seed.name, uniqueId)
      expect(bytes.length).toBe(size)
      expect(createHash('sha1').update(bytes).digest('hex')).toBe(hash)
    }
  })

  it('are named as the Affinity Domain names them', () => {
    for (const { uniqueId, keeper, classCode, facilityType } of everywhere) {
      const arc = `2.16.840.1.113883.2.9.2.${Number(keeper)}`
      const own = uniqueId.startsWith(`${arc}.4.4^`)
      const prescription =
        /^2\.16\.840\.1\.113883\.2\.9\.4\.3\.8\^(\d{3}0A4\d{9})_(PRESPEC|PREFARM|EROSPEC|EROFARM)$/.test(uniqueId)
      expect(own || prescription).toBe(true)
      if (prescription) expect(['PRS', 'PRE']).toContain(classCode.code)
      if (prescription) expect(facilityType.code).toBe('SistemaTS')
    }
    expect(new Set(everywhere.map(({ typeCode }) => typeCode.code)).size).toBeGreaterThan(20)
  })

  it('belong each to one submission, and are replaced by newer ones only', () => {
    for (const holder of holders) {
      const { entries, submissionSets, associations } = seed.holdings[holder]
      const byId = new Map(entries.map((entry) => [entry.entryUuid, entry]))
      expect(submissionSets.length).toBe(entries.length)
      for (const entry of entries) {
        const memberships = associations.filter(
          ({ submissionSetStatus, target }) => submissionSetStatus === 'Original' && target === entry.entryUuid,
        )
        expect(memberships.length).toBe(1)
      }
      for (const { source, target } of associations.filter(({ type }) => type === associationType.replaces)) {
        expect(byId.get(source)?.creationTime ?? '').toMatch(/^\d{14}$/)
        expect((byId.get(source)?.creationTime ?? '') > (byId.get(target)?.creationTime ?? '')).toBe(true)
        expect(byId.get(target)?.status).toBe('Deprecated')
      }
    }
  })

  it('are obscured, or openly sensitive, only by the rule: V goes with P99 or P00', () => {
    for (const entry of everywhere.filter(({ confidentiality }) => confidentiality.code === 'V')) {
      expect(entry.events.filter(({ code }) => code === 'P99' || code === 'P00').length).toBe(1)
    }
    expect(of('tuscany', 'lazio').filter(isObscured).length).toBe(1)
    expect(of('region-120', 'lazio').filter(isObscured).length).toBe(2)
  })
})

describe('the story of each citizen', () => {
  it('is long for the Tuscan, and some of it is told by Veneto too', () => {
    expect(of('tuscany', 'tuscan').length).toBeGreaterThan(200)
    const both = new Set(of('tuscany', 'tuscan').map(({ uniqueId }) => uniqueId))
    expect(of('region-050', 'tuscan').filter(({ uniqueId }) => both.has(uniqueId)).length).toBe(15)
    expect(of('region-050', 'tuscan').filter(({ uniqueId }) => !both.has(uniqueId)).length).toBe(2)
  })

  it('is spread over four regions for the citizen of the demo', () => {
    const approvedIn = (holder: Holder) => of(holder, 'lazio').filter(({ status }) => status === 'Approved').length
    expect(approvedIn('region-120')).toBe(61)
    expect(approvedIn('tuscany')).toBe(23)
    expect(approvedIn('region-050')).toBe(19)
    expect(approvedIn('region-150')).toBe(14)
    expect(new Set(of('region-120', 'lazio').map(({ keeper }) => keeper))).toEqual(
      new Set(['000', '050', '090', '120', '150']),
    )
  })

  it('has documents whose metadata are of a later version in one place than in another', () => {
    const latest = (holder: Holder, uniqueId: string) =>
      of(holder, 'lazio').filter((entry) => entry.uniqueId === uniqueId && entry.status === 'Approved')[0]
    const shared = of('tuscany', 'lazio')
      .filter(({ status }) => status === 'Approved')
      .map((here) => [here, latest('region-120', here.uniqueId)] as const)
    const differing = shared.filter(([here, there]) => there !== undefined && here.version !== there.version)
    expect(differing.map(([here, there]) => `${here.version} here, ${there?.version} there`).sort()).toEqual([
      '1 here, 2 there',
      '2 here, 1 there',
      '2 here, 1 there',
    ])
    for (const [here, there] of differing) {
      expect(there?.logicalId).toBe(here.logicalId)
      expect(there?.practiceSetting).not.toEqual(here.practiceSetting)
    }
  })
})

describe('what must come of a question', () => {
  const all = ['tuscany', 'ini', 'region-050', 'region-150'] as const
  const lazio = citizens.lazio

  it('is every document once, with everybody who tells of it', () => {
    const { visible, hidden, toldBy, failing } = expectations(seed, lazio, { asked: all })
    expect(visible.length).toBe(64)
    expect(new Set(visible).size).toBe(64)
    expect(hidden.length).toBe(2)
    expect(failing).toEqual([])
    const tellers = Object.values(toldBy).map((by) => by.join(' '))
    expect(new Set(tellers)).toEqual(
      new Set(['tuscany ini', 'tuscany', 'ini', 'ini region-050', 'region-050', 'ini region-150', 'region-150']),
    )
  })

  it('is less when somebody is down, who is named', () => {
    const without = expectations(seed, lazio, { asked: all, down: ['region-150'] })
    expect(without.failing).toEqual(['region-150'])
    expect(without.visible.length).toBe(63)
    const behind = expectations(seed, lazio, { asked: all, down: ['region-120'] })
    expect(behind.failing).toEqual(['ini'])
    expect(behind.visible.length).toBe(22 + 19 + 14)
  })

  it('hides from a doctor what any copy says is obscured, and not from the citizen', () => {
    const { tuscan } = citizens
    const doctor = expectations(seed, tuscan, { asked: ['tuscany', 'region-050'] })
    const citizen = expectations(seed, tuscan, { asked: ['tuscany', 'region-050'], role: 'ASS' })
    expect(doctor.hidden.length).toBe(4)
    expect(citizen.hidden).toEqual([])
    expect(citizen.visible).toEqual([...doctor.visible, ...doctor.hidden].sort())
    // Veneto alone has not heard that its document was obscured.
    const veneto = expectations(seed, tuscan, { asked: ['region-050'] })
    expect(veneto.visible.filter((id) => doctor.hidden.includes(id)).length).toBe(1)
  })

  it('is nothing from INI about those whom Tuscany assists, and nothing about nobody', () => {
    expect(expectations(seed, citizens.tuscan, { asked: ['ini'] })).toMatchObject({ visible: [], failing: [] })
    expect(expectations(seed, citizens.unknown, { asked: all })).toMatchObject({ visible: [], hidden: [] })
    expect(expectations(seed, citizens.empty, { asked: all })).toMatchObject({ visible: [], hidden: [] })
    expect(expectations(seed, citizens['two-codes'], { asked: ['tuscany'] }).visible.length).toBe(18)
    expect(expectations(seed, citizens.renamed, { asked: ['tuscany', 'ini'] }).visible.length).toBe(20)
  })
})
