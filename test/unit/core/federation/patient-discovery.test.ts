import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { discoverPatient } from '../../../../src/core/federation/patient-discovery.ts'
import type { Assertion, AuthenticatedCall, AuthorizedCall } from '../../../../src/core/model/call.ts'
import type { Demographics } from '../../../../src/core/model/demographics.ts'
import { authorities, type PatientId, patientId } from '../../../../src/core/model/patient.ts'
import type { SoughtPerson } from '../../../../src/core/model/patient-discovery.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import type { KnownPatient, PatientLocator } from '../../../../src/core/ports.ts'
import { authenticated, citizen, known, otherCitizen, stoppedClock } from '../../../support/builders.ts'

const stp = patientId('STP0900000000001', authorities.stp)
const otherStp = patientId('STP0900000000002', authorities.stp)
const local = patientId('4711', '2.16.840.1.113883.2.9.2.50.4.1.9' as PatientId['authority'])
const person: Demographics = {
  names: [{ family: 'Prova', given: ['Alfa'] }],
  birthDate: timestamp('19800101'),
  gender: 'male',
}

function sought(more: Partial<SoughtPerson> = {}): SoughtPerson {
  return { identifiers: [citizen], demographics: { names: [] }, authorities: [], ...more }
}

/** An index that knows one person, or nobody, and what it was asked. */
function index(told: Partial<KnownPatient> | undefined = {}) {
  const asked: { readonly id: PatientId; readonly call: AuthorizedCall }[] = []
  const patients: PatientLocator = {
    async locate(id, call) {
      asked.push({ id, call })
      return told === undefined ? undefined : known(told)
    },
  }
  return { asked, patients }
}

const nobody = { patients: { locate: async () => undefined } satisfies PatientLocator }

function discover(
  who: Partial<SoughtPerson> = {},
  { patients }: { readonly patients: PatientLocator } = index(),
  claims: Partial<Assertion> = {},
  more: Partial<Omit<AuthenticatedCall, 'assertion'>> = {},
) {
  const parts = { policy: accessPolicy, clock: stoppedClock, patients }
  return discoverPatient(sought(who), authenticated(claims, more), parts)
}

describe('a person who is looked for by an identifier', () => {
  it('is told by the identifier in force, and by no other that was not asked for', async () => {
    const patient = { identifiers: [citizen, stp, otherStp, otherCitizen], active: otherCitizen }
    expect(await discover({}, index({ patient }))).toEqual({ patientId: otherCitizen, otherIds: [citizen] })
    expect(await discover({ authorities: [authorities.stp] }, index({ patient }))).toEqual({
      patientId: otherCitizen,
      otherIds: [citizen, stp, otherStp],
    })
    expect(await discover({ identifiers: [citizen, otherStp] }, index({ patient }))).toEqual({
      patientId: otherCitizen,
      otherIds: [citizen, otherStp],
    })
  })

  it('is not told when nobody is known', async () => {
    expect(await discover({}, nobody)).toBeUndefined()
  })

  it('is looked up once, by the identifier the assertion names', async () => {
    const { asked, patients } = index()
    expect(await discover({ identifiers: [local, citizen] }, { patients })).toEqual({
      patientId: citizen,
      otherIds: [],
    })
    expect(asked.map(({ id }) => id)).toEqual([citizen])
    expect(asked[0]?.call.permit.viewer.role).toBe('AAS')
  })

  it('is nobody when another identifier would be a second one of the same authority', async () => {
    const patient = { identifiers: [citizen, stp], active: citizen }
    expect(await discover({ identifiers: [citizen, stp] }, index({ patient }))).toBeDefined()
    expect(await discover({ identifiers: [citizen, otherStp] }, index({ patient }))).toBeUndefined()
    expect(await discover({ identifiers: [citizen, otherCitizen] }, index({ patient }))).toBeUndefined()
  })

  it('may have an identifier more that a national registry vouches for', async () => {
    const claims = { patientKnownAs: { identifiers: [citizen, otherCitizen] } }
    const identifiers = [otherCitizen, citizen]
    const { asked, patients } = index({ patient: { identifiers: [otherCitizen], active: otherCitizen } })
    expect(await discover({ identifiers }, { patients }, claims)).toEqual({ patientId: otherCitizen, otherIds: [] })
    expect(asked.map(({ id }) => id)).toEqual([otherCitizen])
  })
})

describe('what is told of a person beside identifiers', () => {
  const indexed = index({ demographics: person })

  it('can only speak against the person', async () => {
    const who = (demographics: Demographics) => discover({ demographics }, indexed)
    expect(await who({ names: [{ family: 'PROVA', given: ['ALFA', 'BETA'] }] })).toBeDefined()
    expect(await who({ names: [{ family: 'Esempio', given: ['Alfa'] }] })).toBeUndefined()
    expect(await who({ names: [], birthDate: timestamp('19800102') })).toBeUndefined()
    expect(await who({ names: [], gender: 'female' })).toBeUndefined()
  })

  it('is held against nothing where the index tells nothing', async () => {
    const demographics = { ...person, gender: 'female' } as const
    expect(await discover({ demographics })).toEqual({ patientId: citizen, otherIds: [] })
  })

  it('is answered by the same of what we know, and not at all to who told nothing', async () => {
    const answered = async (demographics: Demographics) => (await discover({ demographics }, indexed))?.demographics
    expect(await answered({ names: [] })).toBeUndefined()
    expect(await answered({ names: person.names })).toEqual({ names: person.names })
    expect(await answered({ names: [], birthDate: timestamp('1980') })).toEqual({
      names: person.names,
      birthDate: '19800101',
    })
    expect(await answered(person)).toEqual(person)
    const nameless = index({ demographics: { names: [], gender: 'male' } })
    expect(await discover({ demographics: person }, nameless)).toEqual({ patientId: citizen, otherIds: [] })
  })
})

describe('who may not know', () => {
  it.each<[string, Partial<Assertion>, string]>([
    ['a role without that right', { role: 'XXX' }, 'role'],
    ['a purpose that is not the role’s', { purposeOfUse: 'PERSONAL' }, 'role'],
    ['who does not read', { action: 'UPDATE' }, 'action'],
    ['who speaks for another person', { patientId: otherCitizen }, 'patient'],
  ])('is %s, and is refused alike whether the person is known or not', async (_, claims, about) => {
    const refused = { code: 'access-denied', details: { about } }
    const { asked, patients } = index()
    await expect(discover({}, { patients }, claims)).rejects.toMatchObject(refused)
    await expect(discover({}, nobody, claims)).rejects.toMatchObject(refused)
    expect(asked).toEqual([])
  })
})

describe('a question that has no answer', () => {
  it('is one without an identifier', async () => {
    await expect(discover({ identifiers: [], demographics: person })).rejects.toMatchObject({
      code: 'parameter-missing',
    })
  })

  it('is one about somebody else than the index tells of', async () => {
    const patient = { identifiers: [otherCitizen], active: otherCitizen }
    await expect(discover({}, index({ patient }))).rejects.toMatchObject({ code: 'community-misbehaved' })
  })

  it('is one the index cannot answer', async () => {
    const failed = new GatewayError('community-busy', 'busy')
    await expect(discover({}, { patients: { locate: () => Promise.reject(failed) } })).rejects.toBe(failed)
  })

  it('ends at its deadline, and with its caller', async () => {
    const deaf = { patients: { locate: () => new Promise<undefined>(() => {}) } }
    await expect(discover({}, deaf, {}, { deadline: stoppedClock.now() })).rejects.toMatchObject({
      code: 'community-timeout',
    })
    await expect(discover({}, deaf, {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'caller-gone' })
  })
})
