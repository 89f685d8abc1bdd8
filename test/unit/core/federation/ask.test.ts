import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { ask } from '../../../../src/core/federation/ask.ts'
import type { QueryAnswer } from '../../../../src/core/model/answers.ts'
import { nothingFound } from '../../../../src/core/model/answers.ts'
import type { Patient } from '../../../../src/core/model/patient.ts'
import type { PatientQuery, StoredQuery } from '../../../../src/core/model/stored-query.ts'
import type { Community } from '../../../../src/core/ports.ts'
import { authorized, citizen, entry, findDocuments, homes, known, otherCitizen } from '../../../support/builders.ts'

function community(
  answer: (query: StoredQuery) => QueryAnswer,
  identifiers: Community['identifiers'] = 'each',
): Community {
  return {
    home: homes.veneto,
    name: 'veneto',
    relation: 'partner',
    identifiers,
    reaches: [],
    registry: { query: async (query) => answer(query) },
    async [Symbol.asyncDispose]() {},
  }
}

const ours = entry('ours', { uniqueId: '1.1' })
const theirs = entry('theirs', { uniqueId: '1.2', patientId: otherCitizen })

describe('asking one community', () => {
  it('refuses the whole answer to a question about a patient when one object is about another', async () => {
    const mixed = community(() => ({ ...nothingFound, entries: [ours, theirs] }))
    await expect(ask(mixed, findDocuments(), known(), authorized())).rejects.toMatchObject({
      code: 'community-misbehaved',
    })
  })

  it('leaves out what is somebody else’s when objects are asked for by id', async () => {
    const mixed = community(() => ({ ...nothingFound, entries: [ours, theirs] }))
    const query = { type: 'GetDocuments', documents: { by: 'unique-id', ids: ['1.1', '1.2'] }, extra: [] } as const
    expect((await ask(mixed, query, known(), authorized())).entries).toEqual([ours])
  })

  it('asks under every identifier where the community files people so, else under the one in force', async () => {
    const patient: Patient = { identifiers: [citizen, otherCitizen], active: citizen }
    const asked: string[] = []
    const answer = (query: StoredQuery) => {
      asked.push((query as PatientQuery).patientId.value)
      return nothingFound
    }
    await ask(community(answer), findDocuments(), known({ patient }), authorized())
    await ask(community(answer, 'active'), findDocuments(), known({ patient }), authorized())
    expect(asked).toEqual([citizen.value, otherCitizen.value, citizen.value])
  })

  it('keeps what one identifier found when another failed, and says so', async () => {
    const patient: Patient = { identifiers: [citizen, otherCitizen], active: citizen }
    const half = community((query) => {
      if ((query as PatientQuery).patientId.value === otherCitizen.value) {
        throw new GatewayError('community-unavailable', 'down')
      }
      return { ...nothingFound, entries: [ours] }
    })
    const answer = await ask(half, findDocuments(), known({ patient }), authorized())
    expect(answer.entries).toEqual([ours])
    expect(answer.issues).toMatchObject([{ severity: 'error', code: 'XDSRegistryError' }])
  })
})
