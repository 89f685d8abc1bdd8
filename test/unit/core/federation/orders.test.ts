import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import type { FederationParts } from '../../../../src/core/federation/query.ts'
import { respondingGateway } from '../../../../src/core/federation/responding-gateway.ts'
import { nothingFound, type QueryAnswer, statusOf } from '../../../../src/core/model/answers.ts'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { MetadataChange } from '../../../../src/core/model/change.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import type { GetDocuments, StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { accessPolicyOf } from '../../../../src/core/policy/access.ts'
import type { Community, DocumentRegistry, JournaledPush, KnownPatient } from '../../../../src/core/ports.ts'
import { isAuthor } from '../../../../src/wire/hl7/author.ts'
import {
  answer,
  authenticated,
  citizen,
  clinician,
  entry,
  findDocuments,
  folder,
  homes,
  issue,
  known,
  link,
  loinc,
  neighbours,
  otherCitizen,
  recording,
  stoppedClock,
  submissionSet,
} from '../../../support/builders.ts'

const { tuscany, ini, veneto, lazio } = neighbours
const sistemaTs = '2.16.840.1.113883.2.9.4.3.8'
const numbered = (index: number) => `0900A4${String(index).padStart(9, '0')}`
const citing = (order: string) => `${order}^^^&${sistemaTs}&ISO^urn:ihe:iti:xds:2013:order`
const hiding = { eventCodes: [{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }] }

const report = entry('report', { referenceIds: [citing(numbered(1))] })
const plain = entry('plain')
const prescription = entry('prescription', {
  uniqueId: `${sistemaTs}^${numbered(1)}_PRESPEC`,
  typeCode: { code: '57832-8', scheme: loinc },
})
const hiddenPrescription = { ...prescription, ...hiding }
const laboratory: StoredQuery = findDocuments({ filter: { typeCodes: [{ code: '11502-2', scheme: loinc }] } })

/** A registry that finds reports of its own, and prescriptions when it is asked for their ids. */
function registryOf(found: readonly DocumentEntry[], kept: readonly DocumentEntry[] = []) {
  return recording((query) => {
    if (query.type !== 'GetDocuments') return answer({ entries: found })
    const { ids } = query.documents
    return answer({ entries: kept.filter(({ uniqueId }) => ids.includes(uniqueId)) })
  })
}
const withRegistry = (of: Community, registry: DocumentRegistry) => ({
  ...of,
  registry,
})
const lookUps = (asked: readonly StoredQuery[]) =>
  asked.filter((query): query is GetDocuments => query.type === 'GetDocuments')

const updating = (entry: DocumentEntry): MetadataChange => {
  const submission = { submissionSet: submissionSet('s'), entries: [entry], folders: [], associations: [] }
  return { type: 'update', submission }
}

const parts: FederationParts = {
  policy: accessPolicyOf({ searches: ['search', 'hiding-chain'] }),
  isAuthor,
  clock: stoppedClock,
}
const locating = (person: Partial<KnownPatient>) => ({ patients: { locate: async () => known(person) } })

async function seen(
  communities: readonly Community[],
  {
    query = laboratory,
    claims = {},
    ...more
  }: Partial<FederationParts> & { readonly query?: StoredQuery; readonly claims?: Partial<Assertion> } = {},
) {
  const gateway = initiatingGateway({ ...parts, communities, mode: 'assisted', ...more })
  return await gateway.query(query, authenticated(claims))
}
const ids = ({ entries }: { readonly entries: readonly DocumentEntry[] }) =>
  entries.map(({ uniqueId }) => uniqueId).sort()

describe('a report that cites a hidden Tuscan prescription', () => {
  const ours = () => registryOf([], [hiddenPrescription])

  it('leaves no trace when another region tells of it, though only reports are asked for', async () => {
    const told = (entries: readonly DocumentEntry[], more: Partial<QueryAnswer> = {}) =>
      withRegistry(veneto, {
        query: async (query) => {
          if (query.type === 'GetAssociations') {
            return answer({ associations: [link('s', 'has-member', 'report'), link('f', 'has-member', 'report')] })
          }
          return answer(query.type === 'GetDocuments' ? { entries: [report] } : { entries, ...more })
        },
      })
    const whole = {
      submissionSets: [submissionSet('s')],
      folders: [folder('f')],
      associations: [link('s', 'has-member', 'report'), link('plain', 'appends', 'report')],
      issues: [issue('W', { severity: 'warning', text: `odd title in ${report.uniqueId}` })],
    }
    const result = await seen([withRegistry(tuscany, ours()), told([plain, report], whole)])
    const { asked: _, ...without } = await seen([withRegistry(tuscany, ours()), told([plain])])
    const { asked: __, ...rest } = result
    expect(rest).toEqual(without)
    expect(JSON.stringify(result)).not.toContain('report')
    expect(statusOf(result)).toBe('success')
  })

  it('is looked up where our own index is, with one question for unique ids and without the filter', async () => {
    const registry = ours()
    await seen([withRegistry(tuscany, registry), withRegistry(veneto, registryOf([report]))])
    expect(lookUps(registry.asked)).toEqual([
      {
        type: 'GetDocuments',
        home: homes.tuscany,
        extra: [],
        documents: {
          by: 'unique-id',
          ids: [`${sistemaTs}^${numbered(1)}_PRESPEC`, `${sistemaTs}^${numbered(1)}_PREFARM`],
        },
      },
    ])
  })

  it('is absent when it is asked for by its id at the other region alone', async () => {
    const query: StoredQuery = {
      ...{ type: 'GetDocuments', home: homes.veneto, extra: [] },
      documents: { by: 'unique-id', ids: [report.uniqueId] },
    }
    const region = withRegistry(veneto, registryOf([], [report]))
    const registry = ours()
    expect(ids(await seen([withRegistry(tuscany, registry), region], { query }))).toEqual([])
    // About the report, and about what it cites.
    expect(registry.asked).toHaveLength(2)
    expect(ids(await seen([withRegistry(tuscany, registryOf([], [prescription])), region], { query }))).toEqual([
      report.uniqueId,
    ])
  })

  it('is absent from what our own community tells others', async () => {
    const registry = registryOf([report, plain], [hiddenPrescription])
    const own = withRegistry(tuscany, registry)
    const result = await respondingGateway({ ...parts, own }).query(laboratory, authenticated())
    expect(ids(result)).toEqual([plain.uniqueId])
  })

  it('makes our own community ask nobody else for others', async () => {
    const elsewhere = registryOf([], [hiddenPrescription])
    const communities = [withRegistry(ini, elsewhere)]
    const rules = { ...parts, communities, ...locating({ assistedBy: homes.campania }) }
    const own = withRegistry(tuscany, registryOf([report]))
    expect(ids(await respondingGateway({ ...rules, own }).query(laboratory, authenticated()))).toEqual([
      report.uniqueId,
    ])
    expect(elsewhere.asked).toEqual([])
  })

  it('is shown to its author', async () => {
    const authors = [{ persons: ['CLNCXX75C03F839M^^^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO'] }].map((author) => ({
      ...{ institutions: [], roles: [], specialties: [], telecommunications: [] },
      ...author,
    }))
    const registry = ours()
    const own = { ...report, authors }
    const result = await seen([withRegistry(tuscany, registry), withRegistry(veneto, registryOf([own]))], {
      claims: { subject: clinician },
    })
    expect(ids(result)).toEqual([report.uniqueId])
    expect(lookUps(registry.asked)).toEqual([])
  })

  it.each([
    ['the citizen', { role: 'ASS', purposeOfUse: 'PERSONAL', subject: `${citizen.value}^^^&${citizen.authority}&ISO` }],
    ['a parent', { role: 'GEN', purposeOfUse: 'PERSONAL' }],
    ['INI following the chain', { role: 'INI', purposeOfUse: 'SYSADMIN' }],
  ])('is shown to %s, and nobody is asked for it', async (_who, claims) => {
    const registry = ours()
    const result = await seen([withRegistry(tuscany, registry), withRegistry(veneto, registryOf([report]))], { claims })
    expect(ids(result)).toEqual([report.uniqueId])
    expect(lookUps(registry.asked)).toEqual([])
  })

  it('is hidden also when the prescription is filed under an identifier nobody here knows', async () => {
    const filed = { ...hiddenPrescription, patientId: otherCitizen }
    const result = await seen([
      withRegistry(tuscany, registryOf([], [filed])),
      withRegistry(veneto, registryOf([report])),
    ])
    expect(ids(result)).toEqual([])
  })

  it.each<[string, MetadataChange, DocumentEntry, readonly string[]]>([
    ['hidden by an update', updating(hiddenPrescription), prescription, []],
    ['hidden by a notice', { type: 'hide', patientId: citizen, uniqueId: prescription.uniqueId }, prescription, []],
    ['shown again by an update', updating({ ...prescription, version: '2' }), hiddenPrescription, [report.uniqueId]],
  ])('is %s that is not in the record yet', async (_what, change, kept, shown) => {
    const push = { sequence: 1, state: 'pending', pushed: { kind: 'change', change } } as unknown as JournaledPush
    const pushes = { touching: async () => [], about: async () => ({ generation: 1, sequence: 1, pushes: [push] }) }
    const communities = [withRegistry(tuscany, registryOf([], [kept])), withRegistry(veneto, registryOf([report]))]
    expect(ids(await seen(communities))).not.toEqual(shown)
    expect(ids(await seen(communities, { pushes }))).toEqual(shown)
  })
})

describe('what is pushed while prescriptions are looked up', () => {
  it('is heeded, and the journal asked once more only then', async () => {
    const hide: MetadataChange = { type: 'hide', patientId: citizen, uniqueId: plain.uniqueId }
    const push = { sequence: 1, state: 'pending', pushed: { kind: 'change', change: hide } } as unknown as JournaledPush
    const journal = { reads: 0, generation: 0 }
    const pushes = {
      touching: async () => [],
      about: async () => {
        journal.reads++
        return { generation: journal.generation, sequence: 0, pushes: journal.generation === 0 ? [] : [push] }
      },
    }
    const asked = recording((query) => {
      if (query.type === 'GetDocuments') journal.generation = 1
      return nothingFound
    })
    const own = withRegistry(tuscany, asked)
    const region = withRegistry(veneto, registryOf([report, plain]))
    expect(ids(await seen([own, region], { pushes }))).toEqual([report.uniqueId])
    expect(journal.reads).toBe(4)
    journal.reads = 0
    expect(ids(await seen([own, withRegistry(veneto, registryOf([plain]))], { pushes }))).toEqual([])
    expect(journal.reads).toBe(2)
  })
})

describe('prescriptions that cannot be had', () => {
  const silent = (fail: () => Promise<QueryAnswer>) =>
    withRegistry(tuscany, { query: async (query) => (query.type === 'GetDocuments' ? await fail() : nothingFound) })
  const region = withRegistry(veneto, registryOf([report, plain]))

  it.each<[string, () => Promise<QueryAnswer>]>([
    ['fails', () => Promise.reject(new GatewayError('community-unavailable', 'down'))],
    ['fails by a mistake', () => Promise.reject(new TypeError('ours'))],
    ['tells of an error', async () => answer({ entries: [prescription], issues: [issue('XDSRegistryError')] })],
    ['is deaf', () => new Promise(() => undefined)],
  ])('hide what cites them, without a trace, when the index %s', async (_what, fail) => {
    const told: unknown[] = []
    const gateway = initiatingGateway({
      ...{ ...parts, communities: [silent(fail), region], mode: 'assisted' },
      onOrdersUnknown: ({ correlationId }, { name }) => told.push([correlationId, name]),
    })
    const result = await gateway.query(laboratory, authenticated({}, { deadline: stoppedClock.now() + 40 }))
    expect(ids(result)).toEqual([plain.uniqueId])
    expect([result.issues, result.failures]).toEqual([[], []])
    expect(told).toEqual([['c-1', 'tuscany']])
  })

  it('hide nothing when the index does not know of them, or of the patient', async () => {
    const unknown = new GatewayError('patient-unknown', 'no')
    for (const fail of [async () => nothingFound, () => Promise.reject(unknown)]) {
      expect(ids(await seen([silent(fail), region]))).toEqual([plain.uniqueId, report.uniqueId])
    }
  })

  it('do not hold a caller who leaves', async () => {
    const caller = new AbortController()
    const gateway = initiatingGateway({
      ...{ ...parts, mode: 'assisted' },
      communities: [
        silent(() => {
          caller.abort()
          return new Promise(() => undefined)
        }),
        region,
      ],
    })
    const asking = gateway.query(laboratory, authenticated({}, { signal: caller.signal }))
    await expect(asking).rejects.toMatchObject({ code: 'caller-gone' })
  })
})

describe('who is asked for prescriptions', () => {
  const askedFor = async (person: Partial<KnownPatient>, without: readonly string[] = []) => {
    const registries = {
      tuscany: registryOf([]),
      ini: registryOf([]),
      veneto: registryOf([]),
      lazio: registryOf([report]),
    }
    const all = { tuscany, ini, veneto, lazio }
    const communities = (Object.keys(all) as (keyof typeof all)[])
      .filter((name) => !without.includes(name))
      .map((name) => withRegistry(all[name], registries[name]))
    await seen(communities, locating(person))
    return (Object.keys(all) as (keyof typeof all)[]).filter((name) => lookUps(registries[name].asked).length > 0)
  }

  it.each<[string, Partial<KnownPatient>, readonly string[], readonly string[]]>([
    ['we assist', { assistedBy: homes.tuscany }, [], ['tuscany']],
    ['nobody knows who assists', {}, [], ['tuscany']],
    ['a region assists that is here', { assistedBy: homes.veneto }, [], ['veneto']],
    ['a region assists that INI speaks for', { assistedBy: homes.campania }, [], ['ini']],
    ['nobody assists', { assistedBy: 'none' }, [], ['ini']],
    ['a region assists that nobody here speaks for', { assistedBy: homes.campania }, ['ini'], ['lazio']],
    ['nobody assists and INI is not here', { assistedBy: 'none' }, ['ini'], ['lazio']],
  ])('of a patient whom %s', async (_whom, person, without, names) => {
    expect(await askedFor(person, without)).toEqual(names)
  })

  it('nobody, when the index told of the prescription itself', async () => {
    const all = findDocuments()
    for (const [told, expected] of [
      [prescription, [prescription.uniqueId, report.uniqueId]],
      [hiddenPrescription, []],
    ] as const) {
      const registry = registryOf([told])
      const result = await seen([withRegistry(tuscany, registry), withRegistry(veneto, registryOf([report]))], {
        query: all,
      })
      expect(ids(result)).toEqual([...expected].sort())
      expect(lookUps(registry.asked)).toEqual([])
    }
  })

  it('the index, though another region told of the prescription openly', async () => {
    const registry = registryOf([], [hiddenPrescription])
    const region = withRegistry(veneto, registryOf([report, prescription]))
    expect(ids(await seen([withRegistry(tuscany, registry), region], { query: findDocuments() }))).toEqual([])
    expect(lookUps(registry.asked)).toHaveLength(1)
  })

  it('nobody, for what is hidden by itself', async () => {
    const registry = registryOf([], [prescription])
    await seen([withRegistry(tuscany, registry), withRegistry(veneto, registryOf([{ ...report, ...hiding }]))])
    expect(lookUps(registry.asked)).toEqual([])
  })

  it('as often as needed for a hundred ids in a question, each order once', async () => {
    const reports = Array.from({ length: 120 }, (_, index) =>
      entry(`r${index}`, { referenceIds: [citing(numbered(index)), citing(numbered(0))] }),
    )
    const secret = { ...hiddenPrescription, uniqueId: `${sistemaTs}^${numbered(119)}_PREFARM` }
    const registry = registryOf([], [secret])
    const result = await seen([withRegistry(tuscany, registry), withRegistry(veneto, registryOf(reports))])
    const questions = lookUps(registry.asked).map(({ documents }) => documents.ids.length)
    expect(questions).toEqual([100, 100, 40])
    expect(result.entries).toHaveLength(119)
  })

  it('and one question that fails hides what depends on it alone', async () => {
    const reports = Array.from({ length: 60 }, (_, index) =>
      entry(`r${index}`, { referenceIds: [citing(numbered(index))] }),
    )
    const half = withRegistry(tuscany, {
      query: async (query) => {
        if (query.type === 'GetDocuments' && query.documents.ids.length < 100)
          throw new GatewayError('community-busy', 'no')
        return nothingFound
      },
    })
    const result = await seen([half, withRegistry(veneto, registryOf(reports))])
    expect(result.entries).toHaveLength(50)
  })
})
