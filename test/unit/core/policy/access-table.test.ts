import { describe, expect, it } from 'vitest'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { MetadataChange } from '../../../../src/core/model/change.ts'
import { accessPolicyOf } from '../../../../src/core/policy/access.ts'
import { accessTable, type SearchService, type Service, services } from '../../../../src/core/policy/access-table.ts'
import { authenticated, citizen, entry, findDocuments, submissionSet } from '../../../support/builders.ts'

// Written from ini.md §2.4, §4.6–4.8 and not from the table: `roles | purposes | actions`.
const [professional, citizens] = ['AAS APR PSS INF FAR DSA DAM OAM DRS RSA MRP OGC OPI MDS DAP', 'ASS TUT GEN ING']
const systems = 'NOR INI GTW'
const may: Readonly<Record<Service, readonly string[]>> = {
  search: [
    `${professional} | TREATMENT EMERGENCY PUBEMERGENCY | READ`,
    `${citizens} | PERSONAL | READ`,
    `${professional} GTW | UPDATE | READ`,
  ],
  retrieve: [`${professional} | TREATMENT EMERGENCY PUBEMERGENCY | READ`, `${citizens} | PERSONAL | READ`],
  'reference-retrieval': [`${professional} ${citizens} GTW | UPDATE | READ`],
  'hiding-chain': ['INI | SYSADMIN | READ'],
  'index-transfer-search': ['NOR | SYSADMIN | READ'],
  'index-transfer-delete': ['NOR | SYSADMIN | DELETE'],
  'index-push': ['INI NOR | SYSADMIN TREATMENT UPDATE | CREATE UPDATE'],
  create: [`${professional} ${citizens} | TREATMENT | CREATE`],
  replace: [`${professional} ${citizens} | TREATMENT UPDATE | CREATE UPDATE`],
  update: [`${professional} ${citizens} | UPDATE ACCESS_UPDATE | UPDATE`],
  hide: [`${professional} ${citizens} | ACCESS_UPDATE | UPDATE`],
  delete: [`${professional} ${citizens} | UPDATE | DELETE`],
  discover: [`${professional} | TREATMENT EMERGENCY PUBEMERGENCY | READ`, `${citizens} | PERSONAL | READ`],
  consents: [`OGC ${citizens} | CONSENT | READ UPDATE`, 'APR | TREATMENT | READ UPDATE'],
}

const words = (text: string) =>
  text
    .trim()
    .split(' ')
    .map((word) => word.replace('_', ' '))
const roles = words(`${professional} ${citizens} ${systems}`)
const purposes = words('TREATMENT EMERGENCY PUBEMERGENCY SYSADMIN PERSONAL UPDATE ACCESS_UPDATE CONSENT ADMINISTRATIVE')
const actions = words('CREATE READ UPDATE DELETE')

const granted = new Set(
  Object.entries(may).flatMap(([service, rows]) =>
    rows.flatMap((row) => {
      const [who = [], why = [], what = []] = row.split('|').map(words)
      return who.flatMap((role) =>
        why.flatMap((purpose) => what.map((action) => [service, role, purpose, action].join())),
      )
    }),
  ),
)

const submission = { submissionSet: submissionSet('s'), entries: [entry('d')], folders: [], associations: [] }
const changes: Readonly<Partial<Record<Service, MetadataChange>>> = {
  'index-transfer-delete': { type: 'remove', ids: ['urn:uuid:d'], entries: [entry('d')] },
  'index-push': { type: 'submit', submission },
  create: { type: 'submit', submission },
  replace: { type: 'submit', submission },
  update: { type: 'update', submission },
  hide: { type: 'update', submission },
  delete: { type: 'remove', ids: ['urn:uuid:d'], entries: [] },
}
const searches: readonly Service[] = ['search', 'reference-retrieval', 'hiding-chain', 'index-transfer-search']

const claim = { subject: `${citizen.value}^^^&${citizen.authority}&ISO`, indexTransferId: 'urn:uuid:1' }
const policy = accessPolicyOf()
const searching = new Map(searches.map((one) => [one, accessPolicyOf({ searches: [one as SearchService] })]))

function ask(service: Service, claims: Partial<Assertion>) {
  const call = authenticated({ ...claim, ...claims })
  const change = changes[service]
  if (change !== undefined) return policy.authorizeChange(change, call, service)
  if (service === 'retrieve') return policy.authorizeRetrieval(call)
  return searching.get(service)?.authorize(findDocuments(), call) ?? policy.authorizeService(service, call)
}

function refusal(service: Service, claims: Partial<Assertion>): unknown {
  try {
    ask(service, claims)
    return undefined
  } catch (error) {
    return error
  }
}

describe.each(services)('the right to %s', (service) => {
  const table = roles.flatMap((role) =>
    purposes.flatMap((purpose) =>
      actions.map((action) => [role, purpose, action, granted.has([service, role, purpose, action].join())] as const),
    ),
  )

  it('is decided for 22 roles, 9 purposes and 4 actions', () => {
    expect(new Set(table.map((row) => row.join())).size).toBe(22 * 9 * 4)
  })

  it.each(table)('of %s for %s to %s: %s', (role, purposeOfUse, action, isGranted) => {
    const error = refusal(service, { role, purposeOfUse, action })
    if (isGranted) expect(error).toBeUndefined()
    else
      expect(error).toMatchObject({
        code: 'access-denied',
        details: { about: expect.stringMatching(/^(role|action)$/) },
      })
  })

  it.each(['XXX', 'aas', '', 'constructor'])('of the role “%s” is none', (role) => {
    for (const purposeOfUse of [...purposes, 'constructor', '__proto__', 'treatment', '']) {
      for (const action of actions) {
        expect(refusal(service, { role, purposeOfUse, action })).toMatchObject({ details: { about: 'role' } })
      }
    }
  })

  it('of a claim that has no place for an action is that to read', () => {
    for (const role of roles) {
      for (const purposeOfUse of purposes) {
        const { action: _, ...assertion } = authenticated({ ...claim, role, purposeOfUse }).assertion
        const mayRead = granted.has([service, role, purposeOfUse, 'READ'].join())
        const call = { ...authenticated(), assertion }
        const go = () => {
          const change = changes[service]
          if (change !== undefined) return policy.authorizeChange(change, call, service)
          return searching.get(service)?.authorize(findDocuments(), call) ?? policy.authorizeService(service, call)
        }
        if (mayRead) expect(go).not.toThrow()
        else expect(go).toThrow(expect.objectContaining({ code: 'access-denied' }))
      }
    }
  })
})

describe('the table', () => {
  it('says of each row where it is from', () => {
    for (const { source } of accessTable) expect(source).toMatch(/§|\[OWN\]/)
  })

  it('says something of each service', () => {
    expect(new Set(accessTable.map(({ service }) => service))).toEqual(new Set(services))
  })
})

describe('an index transfer', () => {
  const { indexTransferId: _, ...unnamed } = authenticated({ role: 'NOR', purposeOfUse: 'SYSADMIN' }).assertion
  const call = (action: string) => ({ ...authenticated(), assertion: { ...unnamed, action } })

  it('must be named', () => {
    const missing = expect.objectContaining({ details: { about: 'index-transfer' } })
    const search = searching.get('index-transfer-search')
    expect(() => search?.authorize(findDocuments(), call('READ'))).toThrow(missing)
    const removal = changes['index-transfer-delete'] as MetadataChange
    expect(() => policy.authorizeChange(removal, call('DELETE'), 'index-transfer-delete')).toThrow(missing)
  })

  it('may be pushed by whom the options say', () => {
    const [push] = [changes['index-push'] as MetadataChange]
    const right = { roles: new Set(['GTW']), purposes: new Set(['UPDATE']), actions: new Set(['CREATE']) }
    const other = accessPolicyOf({ indexPush: right })
    const by = (role: string) => authenticated({ role, purposeOfUse: 'UPDATE', action: 'CREATE' })
    expect(() => other.authorizeChange(push, by('GTW'), 'index-push')).not.toThrow()
    expect(() => other.authorizeChange(push, by('INI'), 'index-push')).toThrow()
    expect(() => other.authorizeChange(push, by('GTW'), 'create')).toThrow()
  })
})

describe('an ordinary search', () => {
  it('is one of the hiding chain only where it may be, and never one of an index transfer or for references', () => {
    const asked =
      (role: string, purposeOfUse: string, of = policy) =>
      () =>
        of.authorize(findDocuments(), authenticated({ ...claim, role, purposeOfUse }))
    const chained = accessPolicyOf({ searches: ['search', 'hiding-chain'] })
    expect(asked('INI', 'SYSADMIN', chained)).not.toThrow()
    expect(asked('INI', 'SYSADMIN')).toThrow()
    expect(asked('NOR', 'SYSADMIN')).toThrow()
    expect(asked('ASS', 'UPDATE')).toThrow()
  })

  it('shows an author what they wrote and no more, when it is for references', () => {
    const permitted = (options: object, role: string) => {
      const call = authenticated({ role, purposeOfUse: 'UPDATE' })
      return accessPolicyOf({ searches: ['reference-retrieval'], ...options }).authorize(findDocuments(), call).permit
    }
    expect(permitted({}, 'AAS').authoredOnly).toBe(true)
    expect(permitted({ references: 'anybody' }, 'AAS')).not.toHaveProperty('authoredOnly')
    expect(permitted({}, 'GTW')).not.toHaveProperty('authoredOnly')
    expect(policy.authorize(findDocuments(), authenticated()).permit).not.toHaveProperty('authoredOnly')
  })

  it('shows who is about to change documents what they wrote and no more, the national gateway excepted', () => {
    const permitted = (role: string) =>
      policy.authorize(findDocuments(), authenticated({ role, purposeOfUse: 'UPDATE' })).permit
    expect(permitted('AAS').authoredOnly).toBe(true)
    expect(permitted('GTW')).not.toHaveProperty('authoredOnly')
  })
})
