import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { changesBetween } from '../../../../src/core/federation/index-changes.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import type { IndexSoFar, Progress } from '../../../../src/core/federation/progressive.ts'
import type { FederationParts } from '../../../../src/core/federation/query.ts'
import type { FederatedAnswer, MergedEntry, QueryAnswer } from '../../../../src/core/model/answers.ts'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { HomeCommunityId } from '../../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { accessPolicyOf } from '../../../../src/core/policy/access.ts'
import type { Community } from '../../../../src/core/ports.ts'
import { isAuthor } from '../../../../src/wire/hl7/author.ts'
import {
  answer,
  authenticated,
  citizen,
  community,
  entry,
  findDocuments,
  homes,
  loinc,
  neighbours,
  obscured,
  stoppedClock,
} from '../../../support/builders.ts'
import { memoryJournal } from '../../../support/push-journal.ts'

const parts: FederationParts = {
  policy: accessPolicyOf({ searches: ['search', 'hiding-chain'] }),
  isAuthor,
  clock: stoppedClock,
}
const campania = community({ home: homes.campania, name: 'region-150', relation: 'partner' })
const regions = { ...neighbours, campania }
type Name = keyof typeof regions

const citizenClaims: Partial<Assertion> = {
  subject: `${citizen.value}^^^&${citizen.authority}&ISO`,
  role: 'ASS',
  purposeOfUse: 'PERSONAL',
}

/** Communities that answer when they are told to, each with a part. */
function held(told: Partial<Record<Name, Partial<QueryAnswer> | 'silent'>>, lookedUp: readonly DocumentEntry[] = []) {
  const gates = new Map<Name, PromiseWithResolvers<void>>()
  const communities = Object.entries(told).map(([name, reply]): Community => {
    const gate = Promise.withResolvers<void>()
    gates.set(name as Name, gate)
    return {
      ...regions[name as Name],
      registry: {
        async query(query) {
          if (query.type === 'GetDocuments') {
            const { ids } = query.documents
            return answer({ entries: name === 'tuscany' ? lookedUp.filter((one) => ids.includes(one.uniqueId)) : [] })
          }
          await gate.promise
          if (reply === 'silent') throw new GatewayError('community-unavailable', 'It is silent')
          return answer(reply)
        },
      },
    }
  })
  return { communities, answers: (name: Name) => gates.get(name)?.resolve() }
}

/** Everything that can go on without another answer has gone on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function watched(
  { communities, answers }: ReturnType<typeof held>,
  order: readonly Name[],
  { claims = {}, ...more }: Partial<FederationParts> & { readonly claims?: Partial<Assertion> } = {},
  between: (step: number) => Promise<void> = async () => undefined,
) {
  const gateway = initiatingGateway({ ...parts, communities, mode: 'everyone', ...more })
  const steps: Progress[] = []
  const asking = gateway.query(findDocuments(), authenticated(claims), { progressed: (one) => void steps.push(one) })
  const seenAfter: string[][] = []
  await settled()
  for (const [index, name] of order.entries()) {
    await between(index)
    answers(name)
    await settled()
    seenAfter.push(idsOf(steps.at(-1)?.index))
  }
  return { steps, seenAfter, final: await asking }
}

function idsOf(index: IndexSoFar | undefined): string[] {
  return (index?.entries ?? []).map(({ uniqueId }) => uniqueId).sort()
}

/** What somebody has who follows the changes from state to state. */
function followed(states: readonly IndexSoFar[]): readonly MergedEntry[] {
  const nameOf = ({ sources: [first], uniqueId }: MergedEntry) =>
    `${first?.home} ${first?.entryUuid} ${first?.version} ${uniqueId}`
  const kept = new Map<string, MergedEntry>()
  let before: IndexSoFar = { entries: [], associations: [] }
  for (const state of states) {
    const { added, altered, merged, removed, superseded } = changesBetween(before, state)
    for (const one of removed) kept.delete(nameOf(one))
    const changed = [...merged, ...superseded, ...altered]
    for (const { before: former } of changed) kept.delete(nameOf(former))
    for (const one of [...added, ...changed.map(({ entry }) => entry)]) kept.set(nameOf(one), one)
    before = state
  }
  return [...kept.values()]
}

const sistemaTs = '2.16.840.1.113883.2.9.4.3.8'
const citing = (order: string) => `${order}^^^&${sistemaTs}&ISO^urn:ihe:iti:xds:2013:order`
const orders = ['0900A4000000001', '0900A4000000002'] as const
const prescriptionOf = (order: string, isHidden: boolean) =>
  (isHidden ? obscured : entry)(`p-${order}`, {
    uniqueId: `${sistemaTs}^${order}_PRESPEC`,
    typeCode: { code: '57832-8', scheme: loinc },
  })

const arcs: Readonly<Record<string, string>> = { tuscany: '90', veneto: '50', lazio: '120', campania: '150' }

/** Documents that several tell of; who keeps the index and who produced one may hide it. */
const documents = fc.array(
  fc.record({
    producer: fc.constantFrom<Name>('tuscany', 'veneto', 'lazio', 'campania'),
    tellers: fc.uniqueArray(fc.constantFrom<Name>('tuscany', 'veneto', 'lazio', 'campania'), { minLength: 1 }),
    hiddenBy: fc.option(fc.constantFrom('keeper' as const, 'producer' as const), { nil: undefined, freq: 3 }),
    cites: fc.option(fc.constantFrom(...orders), { nil: undefined }),
    versions: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }),
    hashes: fc.array(fc.constantFrom(undefined, 'aa', 'bb'), { minLength: 4, maxLength: 4 }),
    deprecated: fc.boolean(),
    logicalId: fc.option(fc.constantFrom('urn:uuid:l1', 'urn:uuid:l2'), { nil: undefined }),
  }),
  { maxLength: 6 },
)
const world = fc.record({
  documents,
  order: fc.shuffledSubarray<Name>(['tuscany', 'veneto', 'lazio', 'campania'], { minLength: 4, maxLength: 4 }),
  silent: fc.option(fc.constantFrom<Name>('tuscany', 'veneto', 'lazio'), { nil: undefined }),
  claims: fc.constantFrom<Partial<Assertion>>({}, citizenClaims, { purposeOfUse: 'EMERGENCY' }),
  hiddenOrders: fc.subarray([...orders]),
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

const hiddenUntilTold = (name: string, more: Partial<DocumentEntry>) =>
  entry(name, { ...more, eventCodes: [{ code: 'P98', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }] })

function told({ claims, documents, silent }: World): Partial<Record<Name, Partial<QueryAnswer> | 'silent'>> {
  const names: readonly Name[] = ['tuscany', 'veneto', 'lazio', 'campania']
  const tellings = names.map((name, at) => {
    const entries = documents.flatMap((one, index) => {
      const isTold =
        one.tellers.includes(name) || (one.hiddenBy === 'keeper' ? name === 'tuscany' : name === one.producer)
      if (!isTold) return []
      const hides =
        one.hiddenBy === 'keeper' ? name === 'tuscany' : one.hiddenBy === 'producer' && name === one.producer
      const hiding = claims.role === 'ASS' && one.hiddenBy === 'producer' ? hiddenUntilTold : obscured
      const hash = one.hashes[at]
      return [
        (hides ? hiding : entry)(`${name}-${index}`, {
          uniqueId: `2.16.840.1.113883.2.9.2.${arcs[one.producer]}.4.4^${index}`,
          version: String(one.versions[at] ?? 1),
          ...(hash === undefined ? {} : { hash }),
          ...(one.logicalId === undefined ? {} : { logicalId: one.logicalId }),
          ...(one.cites === undefined ? {} : { referenceIds: [citing(one.cites)] }),
          status: one.deprecated ? 'deprecated' : 'approved',
        }),
      ]
    })
    return [name, name === silent ? 'silent' : { entries }] as const
  })
  return Object.fromEntries(tellings)
}

const withoutTimes = ({ asked, ...answer }: FederatedAnswer) => ({
  ...answer,
  asked: asked.map(({ home, outcome }) => ({ home, outcome })),
})

describe('an index that is told as it comes', () => {
  it('ends as the answer that is told at once, and never shows what that withholds', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (one) => {
        const prescriptions = orders.map((order) => prescriptionOf(order, one.hiddenOrders.includes(order)))
        const { final, steps } = await watched(held(told(one), prescriptions), one.order, { claims: one.claims })
        const plain = held(told(one), prescriptions)
        for (const name of one.order) plain.answers(name)
        const { communities } = plain
        const once = await initiatingGateway({ ...parts, communities, mode: 'everyone' }).query(
          findDocuments(),
          authenticated(one.claims),
        )
        expect(withoutTimes(final)).toEqual(withoutTimes(once))
        const states = [...steps.map(({ index }) => index), final]
        const sorted = (entries: readonly MergedEntry[]) => entries.map((entry) => JSON.stringify(entry)).sort()
        expect(sorted(followed(states))).toEqual(sorted(final.entries))
        const last = new Set(final.entries.map(({ uniqueId }) => uniqueId))
        for (const { asked, index } of steps) {
          for (const { uniqueId } of index.entries) expect(last).toContain(uniqueId)
          const isKeeperHeard = one.claims.role === 'ASS' || asked.some(({ home }) => home === homes.tuscany)
          if (!isKeeperHeard) expect(index.entries).toEqual([])
        }
      }),
      { numRuns: 150 },
    )
  })

  const [d1, d2] = [entry('d1'), entry('d2')]

  const inVeneto = { repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.1' }

  it('shows a citizen at once what each community produced', async () => {
    const theirs = entry('theirs', inVeneto)
    const { seenAfter, steps } = await watched(
      held({ tuscany: { entries: [d1] }, veneto: { entries: [d2, theirs] }, lazio: 'silent' }),
      ['veneto', 'lazio', 'tuscany'],
      { claims: citizenClaims },
    )
    expect(steps[0]).toMatchObject({ total: 3, asked: [], index: { entries: [] } })
    expect(seenAfter[0]).toEqual([theirs.uniqueId])
    expect(steps.find(({ failures }) => failures.length > 0)?.failures).toMatchObject([{ home: homes.lazio }])
  })

  it('shows a professional nothing before the keeper of the index has answered', async () => {
    const { seenAfter } = await watched(held({ tuscany: { entries: [d1] }, veneto: { entries: [d2] }, lazio: {} }), [
      'veneto',
      'tuscany',
      'lazio',
    ])
    expect(seenAfter.slice(0, 2)).toEqual([[], [d1.uniqueId, d2.uniqueId]])
  })

  it('shows by the rules of a silent keeper once it has failed', async () => {
    const report = entry('report', { referenceIds: [citing(orders[0])] })
    const { final, seenAfter } = await watched(
      held({ tuscany: 'silent', veneto: { entries: [d2, report] }, lazio: {} }),
      ['veneto', 'tuscany', 'lazio'],
    )
    expect(seenAfter.slice(0, 2)).toEqual([[], [d2.uniqueId]])
    expect(final.failures).toMatchObject([{ home: homes.tuscany }])
  })

  it('waits for INI where that keeps the index', async () => {
    const assisted = {
      patients: {
        locate: async () => ({ patient: { identifiers: [citizen], active: citizen }, assistedBy: homes.campania }),
      },
    }
    const { seenAfter } = await watched(
      held({ tuscany: {}, ini: { entries: [d1] }, veneto: { entries: [d2] } }),
      ['tuscany', 'veneto', 'ini'],
      assisted,
    )
    expect(seenAfter.slice(0, 2)).toEqual([[], []])
  })

  it('waits for the producer of a document that somebody else tells of', async () => {
    const uniqueId = '2.16.840.1.113883.2.9.2.50.4.4^x'
    const { seenAfter } = await watched(
      held({
        tuscany: { entries: [entry('t', { uniqueId })] },
        veneto: { entries: [obscured('v', { uniqueId })] },
        lazio: {},
      }),
      ['tuscany', 'veneto', 'lazio'],
    )
    expect(seenAfter).toEqual([[], [], []])
  })

  it('waits for our record and INI where the producer of a document is not asked', async () => {
    const elsewhere = { repositoryUniqueId: '2.16.840.1.113883.2.9.2.160.4.5.1' }
    const { seenAfter } = await watched(
      held({
        tuscany: {},
        veneto: { entries: [entry('x', elsewhere)] },
        ini: { entries: [obscured('x', elsewhere)] },
      }),
      ['tuscany', 'veneto', 'ini'],
    )
    expect(seenAfter).toEqual([[], [], []])
  })

  it.each(['ASS', 'TUT', 'ING'])('never shows %s what its producer hides until they are told', async (role) => {
    const claims = role === 'ASS' ? citizenClaims : { role, purposeOfUse: 'PERSONAL' }
    const { seenAfter } = await watched(
      held({
        tuscany: {},
        lazio: { entries: [entry('v', inVeneto)] },
        veneto: { entries: [hiddenUntilTold('v', inVeneto)] },
      }),
      ['tuscany', 'lazio', 'veneto'],
      { claims },
    )
    expect(seenAfter).toEqual([[], [], []])
  })

  it.each(['TUT', 'ING'])('lets %s see as a citizen does, and a parent what the keeper does not hide', async (role) => {
    const eventCodes = [{ code: 'P97', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }]
    const minor = entry('m', { ...inVeneto, eventCodes })
    const world = () => held({ tuscany: { entries: [minor] }, veneto: { entries: [entry('m', inVeneto)] }, lazio: {} })
    const asking = (role: string) =>
      watched(world(), ['veneto', 'tuscany', 'lazio'], { claims: { role, purposeOfUse: 'PERSONAL' } })
    expect((await asking(role)).seenAfter[0]).toHaveLength(1)
    expect((await asking('GEN')).seenAfter).toEqual([[], [], []])
  })

  it('takes away what is hidden meanwhile', async () => {
    const journal = memoryJournal()
    const hide = async (step: number) => {
      if (step !== 1) return
      await journal.append({
        ...{ id: 'h', transaction: 'NotifyHiding', digest: '00', receivedAt: 1, identities: ['h'], frees: [] },
        ...{
          correlationId: authenticated().correlationId,
          patients: [citizen],
          objects: [d1.uniqueId],
          deliverAs: 'x',
        },
        pushed: { kind: 'change', change: { type: 'hide', patientId: citizen, uniqueId: d1.uniqueId } },
      })
    }
    const { final, seenAfter, steps } = await watched(
      held({ tuscany: { entries: [d1, d2] }, veneto: {}, lazio: {} }),
      ['tuscany', 'veneto', 'lazio'],
      { pushes: journal },
      hide,
    )
    expect(seenAfter[0]).toEqual([d1.uniqueId, d2.uniqueId])
    expect(seenAfter[1]).toEqual([d2.uniqueId])
    expect(idsOf(final)).toEqual([d2.uniqueId])
    const removed = steps.slice(1).flatMap((step, at) => {
      return changesBetween(steps[at]?.index ?? { entries: [], associations: [] }, step.index).removed
    })
    expect(removed.map(({ uniqueId }) => uniqueId)).toEqual([d1.uniqueId])
  })

  it('asks about each prescription once, however often it is told', async () => {
    const report = (name: string) => entry(name, { referenceIds: [citing(orders[0])] })
    const lookUps: HomeCommunityId[] = []
    const { answers, communities } = held(
      { tuscany: {}, veneto: { entries: [report('r1')] }, lazio: { entries: [report('r2')] } },
      [prescriptionOf(orders[0], false)],
    )
    const counting = communities.map(
      (one): Community => ({
        ...one,
        registry: {
          async query(query, call) {
            if (query.type === 'GetDocuments') lookUps.push(one.home)
            return (await one.registry?.query(query, call)) ?? answer()
          },
        },
      }),
    )
    const { final } = await watched({ communities: counting, answers }, ['tuscany', 'veneto', 'lazio'])
    expect(idsOf(final)).toHaveLength(2)
    expect(lookUps).toEqual([homes.tuscany])
  })

  it('waits for whoever watches, and gathers what ends meanwhile', async () => {
    const { answers, communities } = held({ tuscany: { entries: [d1] }, veneto: { entries: [d2] }, lazio: {} })
    const gateway = initiatingGateway({ ...parts, communities, mode: 'everyone' })
    const steps: Progress[] = []
    let take = Promise.withResolvers<void>()
    const asking = gateway.query(findDocuments(), authenticated(citizenClaims), {
      async progressed(one) {
        steps.push(one)
        await take.promise
      },
    })
    await settled()
    answers('veneto')
    answers('tuscany')
    await settled()
    expect(steps).toHaveLength(1)
    const first = take
    take = Promise.withResolvers()
    first.resolve()
    await settled()
    expect(steps).toHaveLength(2)
    expect(steps[1]?.asked).toHaveLength(2)
    answers('lazio')
    take.resolve()
    expect((await asking).entries).toHaveLength(2)
  })

  it('does not hold up whoever leaves', async () => {
    const { answers, communities } = held({ tuscany: { entries: [d1] }, veneto: {} })
    const leaving = new AbortController()
    const gateway = initiatingGateway({ ...parts, communities, mode: 'everyone' })
    const asking = gateway.query(findDocuments(), authenticated(citizenClaims, { signal: leaving.signal }), {
      progressed: () => new Promise<void>(() => undefined),
    })
    const refused = expect(asking).rejects.toMatchObject({ code: 'caller-gone' })
    await settled()
    answers('tuscany')
    leaving.abort()
    await refused
  })
})
