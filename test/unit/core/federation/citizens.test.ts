import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { combinedLocator } from '../../../../src/core/federation/citizens.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import type { CitizenFacts } from '../../../../src/core/model/citizen-registry.ts'
import { authorities, type PatientId, patientId } from '../../../../src/core/model/patient.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { accessPolicyOf } from '../../../../src/core/policy/access.ts'
import type { CitizenRegistry, KnownPatient, PatientLocator } from '../../../../src/core/ports.ts'
import { isAuthor } from '../../../../src/wire/hl7/author.ts'
import {
  answer,
  authenticated,
  authorized,
  citizen,
  entry,
  findDocuments,
  homes,
  known,
  neighbours,
  otherCitizen,
  recording,
  stoppedClock,
} from '../../../support/builders.ts'

const former: PatientId = patientId('RSSMRA80A01H501U', authorities.codiceFiscale)
const alsoHere: PatientId = patientId('STP0902010004711', authorities.stp)

const facts = (more: Partial<CitizenFacts> = {}): CitizenFacts => ({
  asked: { id: citizen, valid: true, kind: 'codice-fiscale' },
  identifiers: [
    { id: citizen, active: true },
    { id: former, active: false },
  ],
  assistance: { by: homes.veneto },
  ...more,
})

const index = (person: KnownPatient | undefined | GatewayError): PatientLocator => ({
  async locate() {
    if (person instanceof GatewayError) throw person
    return person
  },
})

function registry(told: CitizenFacts | undefined | GatewayError) {
  let looks = 0
  const citizens: CitizenRegistry = {
    async look() {
      looks++
      if (told instanceof GatewayError) throw told
      return told
    },
  }
  return { citizens, looks: () => looks }
}

const silent = new GatewayError('community-unavailable', 'Nobody listens')

async function located(own: PatientLocator | undefined, told: CitizenFacts | undefined | GatewayError) {
  const locator = combinedLocator(own, registry(told).citizens, { clock: stoppedClock, maxAgeMs: 1_000 })
  return await locator.locate(citizen, authorized())
}

describe('what our index and the registry of citizens know of a person', () => {
  it('is told together: the identifiers of both, and when they died', async () => {
    const own = known({ patient: { identifiers: [citizen, alsoHere], active: citizen } })
    const person = await located(index(own), facts({ dateOfDeath: timestamp('20260102') }))
    expect(person?.patient).toEqual({ identifiers: [citizen, alsoHere, former], active: citizen })
    expect(person?.assistedBy).toBe(homes.veneto)
    expect(person?.dateOfDeath).toBe('20260102')
    expect(person?.doubt).toBeUndefined()
  })

  it('names the region of assistance by our index first, and says so when the registry names another', async () => {
    const person = await located(index(known({ assistedBy: homes.tuscany })), facts())
    expect(person?.assistedBy).toBe(homes.tuscany)
    expect(person?.doubt?.text).toMatch(/different regions of assistance/)
  })

  it('is the registry’s alone where we have no index, or do not know the person', async () => {
    for (const own of [undefined, index(undefined)]) {
      const person = await located(own, facts())
      expect(person?.patient.identifiers).toEqual([citizen, former])
      expect(person?.doubt).toBeUndefined()
    }
  })

  it('is nothing when neither knows anybody', async () => {
    expect(await located(index(undefined), undefined)).toBeUndefined()
  })
})

describe('a registry of citizens that is of no help', () => {
  it.each<[string, CitizenFacts | undefined | GatewayError, RegExp]>([
    ['is silent', silent, /did not answer/],
    ['knows nobody', undefined, /does not know the identifier as valid/],
    [
      'holds the identifier for wrong',
      facts({ asked: { id: citizen, valid: false, kind: 'not-registered' } }),
      /does not know the identifier as valid/,
    ],
    ['names two in force', facts({ identifiers: [citizen, former].map((id) => ({ id, active: true })) }), /ambiguous/],
    [
      'does not say which one is in force',
      facts({
        identifiers: [
          { id: citizen, active: false },
          { id: former, active: false },
        ],
      }),
      /ambiguous/,
    ],
  ])('costs a doubt and nothing else when it %s', async (_what, told, doubt) => {
    const person = await located(index(known({ assistedBy: homes.tuscany })), told)
    expect(person?.patient).toEqual(known().patient)
    expect(person?.assistedBy).toBe(homes.tuscany)
    expect(person?.doubt).toMatchObject({ severity: 'warning', text: expect.stringMatching(doubt) })
  })

  it('is told of beside the answer to a question', async () => {
    const { registry: _, ...own } = neighbours.tuscany
    const { registry: ours } = { registry: recording(() => answer({ entries: [entry('d')] })) }
    const gateway = initiatingGateway({
      policy: accessPolicyOf({}),
      isAuthor,
      clock: stoppedClock,
      mode: 'assisted',
      communities: [{ ...own, registry: ours }],
      patients: combinedLocator(index(known()), registry(silent).citizens, { clock: stoppedClock, maxAgeMs: 1_000 }),
    })
    const { entries, issues } = await gateway.query(findDocuments(), authenticated())
    expect(entries).toHaveLength(1)
    expect(issues.map(({ text }) => text)).toEqual([expect.stringMatching(/registry of citizens did not answer/)])
  })
})

describe('our own index that does not answer', () => {
  it('costs a doubt when the registry knows the person', async () => {
    const person = await located(index(silent), facts())
    expect(person?.patient.identifiers).toEqual([citizen, former])
    expect(person?.doubt?.text).toMatch(/own index/)
  })

  it('is the failure when the registry does not either', async () => {
    await expect(located(index(silent), undefined)).rejects.toBe(silent)
    await expect(located(index(silent), new GatewayError('community-timeout', 'Late'))).rejects.toBe(silent)
  })

  it('ends the question when it was the caller who left, or we who failed', async () => {
    const gone = new GatewayError('caller-gone', 'Gone')
    await expect(located(index(gone), facts())).rejects.toBe(gone)
    const failed = new GatewayError('internal', 'Failed')
    await expect(located(index(known()), failed)).rejects.toBe(failed)
  })
})

describe('what the registry told', () => {
  const person = index(known())
  const call = authorized()

  it('is relied on for a while, and then asked for again', async () => {
    let now = 0
    const { citizens, looks } = registry(facts())
    const locator = combinedLocator(person, citizens, { clock: { now: () => now }, maxAgeMs: 1_000 })
    await locator.locate(citizen, call)
    now = 999
    await locator.locate(citizen, call)
    expect(looks()).toBe(1)
    now = 1_000
    await locator.locate(citizen, call)
    expect(looks()).toBe(2)
  })

  it('is not remembered when it told nothing', async () => {
    const { citizens, looks } = registry(silent)
    const locator = combinedLocator(person, citizens, { clock: stoppedClock, maxAgeMs: 1_000 })
    await locator.locate(citizen, call)
    await locator.locate(citizen, call)
    expect(looks()).toBe(2)
  })

  it('is forgotten of whom it was told first when it is too much', async () => {
    const { citizens, looks } = registry(undefined)
    const locator = combinedLocator(undefined, citizens, { clock: stoppedClock, maxAgeMs: 1_000, mostKept: 1 })
    for (const id of [citizen, otherCitizen, citizen]) await locator.locate(id, call)
    expect(looks()).toBe(3)
    await locator.locate(citizen, call)
    expect(looks()).toBe(3)
  })
})
