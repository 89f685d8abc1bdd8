import { describe, expect, it } from 'vitest'
import { fhirPatients } from '../../../../adapters/tuscany/patients.ts'
import { homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import { authorities, type PatientId } from '../../../../src/core/model/patient.ts'
import { fixture } from '../../wire/fhir/samples.ts'
import { baseUrl, call, citizen, citizenOnce, outcome, type Reply, record, searchset } from './record.ts'

const lazio = homeCommunityId('2.16.840.1.113883.2.9.2.120')
const stp: PatientId = { value: 'STP0900000000001', authority: authorities.stp }
const known: Reply = { body: JSON.parse(new TextDecoder().decode(fixture('patient-with-three-identifiers'))) }

function identifier({ value, authority }: PatientId, more: object = {}) {
  return { system: `urn:oid:${authority}`, value, ...more }
}

const person = (...identifiers: readonly object[]) => ({ resourceType: 'Patient', identifier: identifiers })

async function locate(asked: PatientId, ...replies: readonly Reply[]) {
  const { tools, sent } = record(...replies)
  const patients = fhirPatients({
    baseUrl,
    regionSystem: 'urn:oid:2.16.840.1.113883.2.9.2',
    homes: (code) => (code === '120' ? lazio : undefined),
    tools,
  })
  return { found: await patients.locate(asked, call()), sent }
}

describe('fhirPatients', () => {
  it('tells all identifiers of a person and their region of assistance', async () => {
    const { found, sent } = await locate(citizen, known)
    expect(found).toEqual({
      patient: { identifiers: [citizenOnce, stp, citizen], active: citizen },
      assistedBy: lazio,
      demographics: { names: [{ family: 'PROVA', given: ['CROCE'] }] },
    })
    expect(sent).toMatchObject([
      {
        method: 'POST',
        url: 'https://record.example/fhir/Patient/_search',
        form: [
          ['identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.2|PRVCRC70A01D612G'],
          ['_count', '250'],
        ],
      },
    ])
  })

  it('takes the codice fiscale in use for the active identifier, whatever was asked for', async () => {
    for (const asked of [citizenOnce, stp]) {
      expect((await locate(asked, known)).found?.patient.active).toEqual(citizen)
    }
  })

  it('takes the identifier asked for when there is no codice fiscale in use', async () => {
    const reply = searchset([person(identifier({ ...stp, value: 'STP0900000000002' }), identifier(stp))])
    expect((await locate(stp, reply)).found?.patient.active).toEqual(stp)
    const retired = searchset([person(identifier(citizenOnce, { use: 'old' }))])
    expect((await locate(citizenOnce, retired)).found?.patient.active).toEqual(citizenOnce)
  })

  it('does not know a region that is not configured, or is told under another system', async () => {
    const managed = (system: string, value: string) => ({
      ...person(identifier(citizen)),
      managingOrganization: { identifier: { system, value } },
    })
    const region = 'urn:oid:2.16.840.1.113883.2.9.2'
    expect((await locate(citizen, searchset([managed(region, '120')]))).found?.assistedBy).toBe(lazio)
    expect((await locate(citizen, searchset([managed(region, '999')]))).found).not.toHaveProperty('assistedBy')
    expect((await locate(citizen, searchset([managed('urn:oid:1.2', '120')]))).found).not.toHaveProperty('assistedBy')
  })

  it('knows nobody when nobody is found, or the identifier’s domain is unknown', async () => {
    expect((await locate(citizen, searchset([]))).found).toBeUndefined()
    expect((await locate(citizen, outcome(404, 'not-found'))).found).toBeUndefined()
  })

  it('passes over identifiers that break the rules of their authority, and repeated ones', async () => {
    const broken = identifier({ ...citizen, value: 'PRVCRC70A01D612A' })
    const reply = searchset([person(broken, identifier(citizen), identifier(citizen), { system: 'x', value: '1' })])
    expect((await locate(citizen, reply)).found?.patient.identifiers).toEqual([citizen])
  })

  it('tells what can be held against a person, and passes over what cannot', async () => {
    const told = async (more: object) =>
      (await locate(citizen, searchset([{ ...person(identifier(citizen)), ...more }]))).found?.demographics
    const name = [{ use: 'maiden', family: 'Prova' }, { given: ['Alfa', 'Beta'] }, { text: 'Prova Alfa' }]
    expect(await told({ name, birthDate: '1980-01-01', gender: 'female' })).toEqual({
      names: [{ family: 'Prova', given: [] }, { given: ['Alfa', 'Beta'] }],
      birthDate: '19800101',
      gender: 'female',
    })
    expect(await told({ birthDate: '1980' })).toEqual({ names: [], birthDate: '1980' })
    expect(await told({ name: [{ text: 'Prova Alfa' }], birthDate: '1980-13', gender: 'x' })).toBeUndefined()
    expect(await told({})).toBeUndefined()
  })

  it('refuses an answer about somebody else', async () => {
    await expect(locate(citizen, searchset([person(identifier(citizenOnce))]))).rejects.toMatchObject({
      code: 'community-misbehaved',
    })
  })

  it('refuses to choose between two people', async () => {
    const two = searchset([person(identifier(citizen)), person(identifier(citizen))])
    await expect(locate(citizen, two)).rejects.toMatchObject({
      code: 'community-misbehaved',
      details: { patients: 2 },
    })
  })

  it('cannot tell when the index fails or refuses', async () => {
    await expect(locate(citizen, outcome(503, 'throttled'))).rejects.toMatchObject({ code: 'community-busy' })
    const failed = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'timeout' }] }
    await expect(locate(citizen, searchset([failed]))).rejects.toMatchObject({ code: 'community-rejected' })
  })
})
