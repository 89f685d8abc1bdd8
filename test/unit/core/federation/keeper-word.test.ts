import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import type { DocumentFilter, StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { accessPolicyOf } from '../../../../src/core/policy/access.ts'
import type { Community } from '../../../../src/core/ports.ts'
import { isAuthor } from '../../../../src/wire/hl7/author.ts'
import {
  answer,
  authenticated,
  citizen,
  entry,
  findDocuments,
  homes,
  neighbours,
  obscured,
  stoppedClock,
} from '../../../support/builders.ts'

const { tuscany, veneto } = neighbours
const [shown, hidden] = [entry('shown'), obscured('hidden')]
const asCitizen = {
  ...{ subject: `${citizen.value}^^^&${citizen.authority}&ISO`, role: 'ASS', purposeOfUse: 'PERSONAL' },
}
const visited = [[{ code: 'visit', scheme: 'events' }]]

/** Our record, which answers searches with nothing, and tells of each document that is named. */
function record(kept: readonly DocumentEntry[] | 'silent') {
  const asked: StoredQuery[] = []
  const registry: NonNullable<Community['registry']> = {
    async query(query) {
      asked.push(query)
      if (kept === 'silent') throw new GatewayError('community-unavailable', 'It is silent')
      const ids = query.type === 'GetDocuments' ? query.documents.ids : []
      return answer({ entries: kept.filter(({ uniqueId }) => ids.includes(uniqueId)) })
    },
  }
  return { own: { ...tuscany, registry }, asked }
}

/** What a viewer is told of two documents that another region does not know to be hidden. */
async function told(
  own: Community,
  query: StoredQuery,
  claims: Parameters<typeof authenticated>[0] = {},
): Promise<string[]> {
  const entries = [shown, entry('hidden')]
  const communities = [own, { ...veneto, registry: { query: async () => answer({ entries }) } }]
  const policy = accessPolicyOf({ searches: ['search', 'hiding-chain'] })
  const gateway = initiatingGateway({ policy, isAuthor, clock: stoppedClock, communities, mode: 'everyone' })
  const { entries: found } = await gateway.query(query, authenticated(claims))
  return found.map(({ uniqueId }) => uniqueId).sort()
}

const both = [shown.uniqueId, hidden.uniqueId].sort()
const searching = (more: Partial<StoredQuery> & { filter?: DocumentFilter }) =>
  ({ ...findDocuments(), ...more }) as StoredQuery

describe('a document that our record hides and another region tells of', () => {
  it.each<[string, StoredQuery]>([
    ['that region alone is searched', searching({ home: homes.veneto })],
    [
      'that region alone is asked about it',
      {
        ...{ type: 'GetDocuments', home: homes.veneto, extra: [] },
        documents: { by: 'unique-id', ids: [hidden.uniqueId] },
      },
    ],
    ['documents of certain events are searched', searching({ filter: { eventCodes: visited } })],
    ['documents of certain confidentiality are searched', searching({ filter: { confidentialityCodes: visited } })],
  ])('is told to no professional when %s, and to its patient', async (_, query) => {
    expect(await told(record([shown, hidden]).own, query)).toEqual([shown.uniqueId])
    expect(await told(record([shown, hidden]).own, query, asCitizen)).toEqual(both)
  })

  it('is told where our record knows nothing of it, or is silent', async () => {
    const query = searching({ home: homes.veneto })
    expect(await told(record([]).own, query)).toEqual(both)
    expect(await told(record('silent').own, query)).toEqual(both)
  })

  it('stays hidden though our record refuses a question that names somebody else’s document, too', async () => {
    const { own } = record([shown, hidden])
    const { registry } = own
    const query: NonNullable<Community['registry']>['query'] = async (asked, call) => {
      const ids = asked.type === 'GetDocuments' ? asked.documents.ids : []
      if (ids.includes(shown.uniqueId)) throw new GatewayError('community-rejected', 'not yours')
      return await registry.query(asked, call)
    }
    const found = await told({ ...own, registry: { query } }, searching({ home: homes.veneto }))
    expect(found).toEqual([shown.uniqueId])
  })

  it('costs no further question where our record was asked for all it has', async () => {
    const { asked, own } = record([shown, hidden])
    await told(own, findDocuments())
    expect(asked.map(({ type }) => type)).toEqual(['FindDocuments'])
  })
})
