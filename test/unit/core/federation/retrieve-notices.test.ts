import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { retrieveNotices } from '../../../../src/core/federation/retrieve-notices.ts'
import type { Assertion } from '../../../../src/core/model/call.ts'
import { onlyIdentifier } from '../../../../src/core/model/patient.ts'
import type { DeliveredDocument } from '../../../../src/core/model/retrieval.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import type { KnownPatient, PatientLocator } from '../../../../src/core/ports.ts'
import { assertion, authenticated, citizen, entry, homes, stoppedClock } from '../../../support/builders.ts'

const repositoryUniqueId = '2.16.840.1.113883.2.9.2.90.4.5.1'

function delivered(name: string): DeliveredDocument {
  const { uniqueId, ...told } = entry(name)
  return {
    ...{ repositoryUniqueId, uniqueId, mimeType: 'application/pdf', verified: true },
    reference: { repositoryUniqueId, uniqueId, home: homes.tuscany },
    entry: { ...told, uniqueId, sources: [] } as unknown as DeliveredDocument['entry'],
    content: undefined as unknown as DeliveredDocument['content'],
  }
}

const index = (known: Partial<KnownPatient> | undefined): PatientLocator => ({
  locate: async () => (known === undefined ? undefined : { patient: onlyIdentifier(citizen), ...known }),
})

async function notices(patients?: PatientLocator, claims: Partial<Assertion> = {}) {
  const call = accessPolicy.authorizeRetrieval(authenticated(assertion(claims)))
  return await retrieveNotices(call, [delivered('a'), delivered('b')], {
    ...{ home: homes.tuscany, clock: stoppedClock },
    ...(patients === undefined ? {} : { patients }),
  })
}

describe('what the region of assistance is told of a retrieval', () => {
  it('is one notice for each document: what it is, whose, and who retrieved it why', async () => {
    const told = await notices(index({ assistedBy: homes.lazio }), { locality: '050101' })
    const { subject, role, purposeOfUse } = assertion()
    expect(told).toMatchObject([
      {
        ...{ home: homes.tuscany, repositoryUniqueId, uniqueId: entry('a').uniqueId, typeCode: entry('a').typeCode },
        ...{ patientId: citizen, assistedBy: homes.lazio, locality: '050101' },
        ...{ requestor: subject, requestorRole: role, purposeOfUse },
      },
      { uniqueId: entry('b').uniqueId },
    ])
  })

  it('is nothing about people we assist ourselves, or nobody does', async () => {
    expect(await notices(index({ assistedBy: homes.tuscany }))).toEqual([])
    expect(await notices(index({ assistedBy: 'none' }))).toEqual([])
  })

  it('names no region where none can be found out, and is told all the same', async () => {
    const down: PatientLocator = { locate: () => Promise.reject(new GatewayError('community-timeout', 'late')) }
    for (const patients of [undefined, index(undefined), index({}), down]) {
      const told = await notices(patients)
      expect(told).toHaveLength(2)
      expect(told[0]).not.toHaveProperty('assistedBy')
    }
  })

  it('goes by what a national registry vouches for where our own index does not say', async () => {
    const vouched = { patientKnownAs: { identifiers: [citizen], assistedBy: homes.lazio } }
    expect(await notices(index({}), vouched)).toMatchObject([{ assistedBy: homes.lazio }, {}])
    expect(await notices(undefined, { patientKnownAs: { identifiers: [], assistedBy: homes.tuscany } })).toEqual([])
  })
})
