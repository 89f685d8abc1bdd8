import { describe, expect, it } from 'vitest'
import { requireOneCitizen } from '../../../../src/core/model/citizen-registry.ts'
import { homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import { authorities, patientId } from '../../../../src/core/model/patient.ts'
import { answerOf } from '../../../../src/wire/sistema-ts/ask.ts'
import { citizenFacts, lookUpCitizen, mobilityNamespace } from '../../../../src/wire/sistema-ts/citizen.ts'
import { citizen, otherCitizen } from '../../../support/builders.ts'

const tuscany = homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90')
const homeOf = (code: string) => (code === '090' ? tuscany : undefined)

function told(content: string) {
  const text =
    `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><InterrogazioneMobilitaRicevuta ` +
    `xmlns="${mobilityNamespace}">${content}<codEsito>0000</codEsito></InterrogazioneMobilitaRicevuta></e:Body></e:Envelope>`
  const answer = answerOf(lookUpCitizen, { status: 200, headers: {}, body: Buffer.from(text) })
  return citizenFacts(citizen, answer, homeOf)
}

const valid = '<validitaCI>0</validitaCI><tipologiaCI>0</tipologiaCI>'
const listed = (...codes: readonly (readonly [string, string])[]) =>
  `<ElencoCFAssistito>${codes.map(([cf, attivo]) => `<CFAssistito><cf>${cf}</cf><attivo>${attivo}</attivo></CFAssistito>`).join('')}</ElencoCFAssistito>`

describe('what a registry tells of a citizen', () => {
  it('is every identifier, who assists since when, and the end of life', () => {
    const assisted =
      '<codRegioneAssistenza>090</codRegioneAssistenza><codAslAssistenza>201</codAslAssistenza>' +
      '<dataInizioAssistenza>2019-05-01</dataInizioAssistenza><dataDecesso>2026-02-03</dataDecesso>'
    const identifiers = listed([otherCitizen.value, '0'], [citizen.value, '1'], ['STP0900011234567', '0'])
    expect(told(`${valid}${identifiers}${assisted}`)).toEqual({
      asked: { id: citizen, valid: true, kind: 'codice-fiscale' },
      identifiers: [
        { id: otherCitizen, active: false },
        { id: citizen, active: true },
        { id: patientId('STP0900011234567', authorities.stp), active: false },
      ],
      assistance: { by: tuscany, localAuthority: '201', since: '20190501' },
      dateOfDeath: '20260203',
    })
  })

  it('may be that nobody assists the person, which is not the same as nothing', () => {
    expect(told(`${valid}<codRegioneAssistenza>000</codRegioneAssistenza>`)?.assistance).toEqual({ by: 'none' })
    expect(told(valid)).not.toHaveProperty('assistance')
  })

  it('is nobody for an identifier that is wrong or not present', () => {
    expect(told('<validitaCI>1</validitaCI><tipologiaCI>99</tipologiaCI>')).toBeUndefined()
  })

  it.each([
    ['0', 'codice-fiscale'],
    ['1', 'stp'],
    ['2', 'eni'],
    ['3', 'team'],
    ['4', 'asylum-seeker'],
  ])('has TipologiaCI %s for %s', (code, kind) => {
    expect(told(`<validitaCI>0</validitaCI><tipologiaCI>${code}</tipologiaCI>`)?.asked.kind).toBe(kind)
  })

  it.each([
    ['nothing about validity', ''],
    ['a validity that is none', '<validitaCI>2</validitaCI><tipologiaCI>0</tipologiaCI>'],
    ['a kind that is none', '<validitaCI>0</validitaCI><tipologiaCI>7</tipologiaCI>'],
    ['an identifier that is valid and not in the database', '<validitaCI>0</validitaCI><tipologiaCI>99</tipologiaCI>'],
    ['a region nobody knows', `${valid}<codRegioneAssistenza>040</codRegioneAssistenza>`],
    ['an identifier of no form', `${valid}${listed(['12', '1'])}`],
    ['a flag that says neither', `${valid}${listed([citizen.value, '?'])}`],
    ['a day that is none', `${valid}<dataDecesso>2026-02-30</dataDecesso>`],
  ])('is not guessed from %s', (_what, content) => {
    expect(() => told(content)).toThrow(expect.objectContaining({ code: 'community-misbehaved' }))
  })
})

describe('the one person meant', () => {
  const facts = (identifiers: readonly { readonly id: typeof citizen; readonly active: boolean }[], ok = true) => ({
    asked: { id: citizen, valid: ok, kind: 'codice-fiscale' as const },
    identifiers,
  })

  it('has the identifier in force, whichever was asked about', () => {
    const known = facts([
      { id: citizen, active: false },
      { id: otherCitizen, active: true },
    ])
    expect(requireOneCitizen(known)).toEqual({ identifiers: [citizen, otherCitizen], active: otherCitizen })
    expect(requireOneCitizen(facts([]))).toEqual({ identifiers: [citizen], active: citizen })
  })

  it('is not told when the identifier is wrong', () => {
    expect(() => requireOneCitizen(facts([], false))).toThrow(expect.objectContaining({ code: 'patient-unknown' }))
  })

  it('is not told when two codes are in force, or none', () => {
    const both = [citizen, otherCitizen].map((id) => ({ id, active: true }))
    const neither = [citizen, otherCitizen].map((id) => ({ id, active: false }))
    for (const ambiguous of [both, neither]) {
      expect(() => requireOneCitizen(facts(ambiguous))).toThrow(
        expect.objectContaining({ code: 'community-misbehaved' }),
      )
    }
  })
})
