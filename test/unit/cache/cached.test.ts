import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type CachedCommunity, type CacheOptions, cached } from '../../../src/cache/cached.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../../src/core/model/call.ts'
import { correlationId, homeCommunityId } from '../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../src/core/model/metadata.ts'
import { authorities, type PatientId, patientId } from '../../../src/core/model/patient.ts'
import type { StoredQuery } from '../../../src/core/model/stored-query.ts'
import type { Community } from '../../../src/core/ports.ts'

const home = homeCommunityId('2.16.840.1.113883.2.9.2.50')
const rossi = patientId('RSSMRA85T10A562S', authorities.codiceFiscale)
const rossiAna = patientId('ANA-1', authorities.ana)
const verdi = patientId('ANA-2', authorities.ana)

function callOf(partition = 'a', subject = 'nurse'): AuthorizedCall {
  return {
    correlationId: correlationId('c-1'),
    signal: new AbortController().signal,
    deadline: Number.POSITIVE_INFINITY,
    peer: { subject: 'CN=portal', fingerprint: '00' },
    assertion: {
      id: '_1',
      issuer: '090',
      community: home,
      subject,
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      action: 'READ',
      organization: '090101',
      validUntil: Number.POSITIVE_INFINITY,
      signer: 'CN=signer',
      evidence: { kind: 'saml', digest: '00' },
    },
    permit: { partition, viewer: { role: 'AAS', purposeOfUse: 'TREATMENT', subject } },
    generation: 0,
  }
}

function entryOf(uniqueId: string, about: PatientId): DocumentEntry {
  return {
    kind: 'stable',
    entryUuid: `urn:uuid:${uniqueId}`,
    uniqueId,
    patientId: about,
    title: [{ value: 'Referto' }],
    comments: [],
    sourcePatientInfo: [],
    authors: [],
    confidentialityCodes: [{ code: 'N', scheme: '2.16.840.1.113883.5.25' }],
    eventCodes: [],
    referenceIds: [],
  }
}

const answerOf = (...entries: DocumentEntry[]): QueryAnswer => ({ ...nothingFound, entries })
const find = (about: PatientId, more: Partial<Extract<StoredQuery, { type: 'FindDocuments' }>> = {}): StoredQuery => ({
  type: 'FindDocuments',
  patientId: about,
  status: ['approved'],
  filter: {},
  extra: [],
  ...more,
})
const get = (...ids: string[]): StoredQuery => ({
  type: 'GetDocuments',
  documents: { by: 'unique-id', ids },
  home,
  extra: [],
})

type Answer = (query: StoredQuery, call: AuthorizedCall) => QueryAnswer | Promise<QueryAnswer>

/** A cached community, the clock it reads and what reached the community behind it. */
function remembering(answer: Answer, options: Partial<CacheOptions> = {}) {
  const clock = { time: 1_000_000, now: () => clock.time }
  const asked: { readonly query: StoredQuery; readonly call: AuthorizedCall }[] = []
  const behind: Community = {
    home,
    name: 'region-050',
    relation: 'partner',
    identifiers: 'each',
    reaches: [],
    registry: {
      async query(query, call) {
        asked.push({ query, call })
        return await answer(query, call)
      },
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const community = cached(behind, { ttlMs: 60_000, entries: 10, ...options }, clock)
  const ask = (query: StoredQuery, call = callOf()): Promise<QueryAnswer> => {
    if (community.registry === undefined) throw new Error('no registry')
    return community.registry.query(query, call)
  }
  return { community, clock, asked, ask }
}

describe('a cached community', () => {
  it('is the community behind it, with the actors it has', async () => {
    const patients = { locate: vi.fn(() => Promise.resolve(undefined)) }
    const disposed = vi.fn(() => Promise.resolve())
    const behind: Community = {
      home,
      name: 'ini',
      relation: 'national',
      identifiers: 'active',
      reaches: [],
      patients,
      [Symbol.asyncDispose]: disposed,
    }
    const community = cached(behind, { ttlMs: 1, entries: 1 }, { now: () => 1 })
    expect(community).toMatchObject({ home, name: 'ini', relation: 'national', identifiers: 'active', reaches: [] })
    expect('registry' in community).toBe(false)
    expect(community.patients).toBe(patients)
    await community[Symbol.asyncDispose]()
    expect(disposed).toHaveBeenCalledOnce()
  })

  it('answers a question again for its time, counted from when it was asked', async () => {
    const { ask, asked, clock } = remembering(() => {
      clock.time += 1_000
      return answerOf(entryOf('1', rossi))
    })
    const first = await ask(find(rossi))
    clock.time += 59_000
    expect(await ask(find(rossi))).toBe(first)
    expect(asked).toHaveLength(1)
    clock.time += 1
    expect(await ask(find(rossi))).not.toBe(first)
    expect(asked).toHaveLength(2)
  })

  it('answers callers of one partition alike, and never those of different ones', async () => {
    const { ask, asked } = remembering((_query, call) => answerOf(entryOf(call.permit.partition, rossi)))
    const first = await ask(find(rossi), callOf('a', 'nurse'))
    expect(await ask(find(rossi), callOf('a', 'doctor'))).toBe(first)
    const second = await ask(find(rossi), callOf('b', 'nurse'))
    expect(second.entries[0]?.uniqueId).toBe('b')
    expect(asked).toHaveLength(2)
  })

  it('shares by what it is told to share by', async () => {
    const { ask, asked } = remembering(() => answerOf(entryOf('1', rossi)), {
      partitionOf: (call) => call.assertion.subject,
    })
    await ask(find(rossi), callOf('a', 'nurse'))
    await ask(find(rossi), callOf('b', 'nurse'))
    await ask(find(rossi), callOf('a', 'doctor'))
    expect(asked).toHaveLength(2)
  })

  it('tells questions apart by all they say, and not by the order they say it in', async () => {
    const { ask, asked } = remembering(() => answerOf(entryOf('1', rossi)))
    const { extra, ...rest } = find(rossi)
    await ask(find(rossi))
    await ask({ extra, ...rest } as StoredQuery)
    expect(asked).toHaveLength(1)
    await ask(find(rossi, { extra: [{ name: '$x', values: ['1'] }] }))
    await ask(find(rossi, { status: ['deprecated'] }))
    await ask(find(verdi))
    expect(asked).toHaveLength(4)
  })

  it('asks each of two questions put at the same time, each under its own call', async () => {
    const answer = Promise.withResolvers<QueryAnswer>()
    const { ask, asked } = remembering(() => answer.promise)
    const calls = [callOf('a', 'nurse'), callOf('a', 'doctor')]
    const both = calls.map((call) => ask(find(rossi), call))
    answer.resolve(answerOf(entryOf('1', rossi)))
    await Promise.all(both)
    expect(asked.map(({ call }) => call)).toEqual(calls)
  })

  it('is not disturbed by one caller who leaves while another asks the same', async () => {
    const { ask } = remembering(
      (_query, { signal }) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new GatewayError('caller-gone', 'gone')))
          setImmediate(() => resolve(answerOf(entryOf('1', rossi))))
        }),
    )
    const caller = new AbortController()
    const left = ask(find(rossi), { ...callOf(), signal: caller.signal })
    const stayed = ask(find(rossi))
    caller.abort()
    await expect(left).rejects.toMatchObject({ code: 'caller-gone' })
    expect((await stayed).entries).toHaveLength(1)
  })

  it('keeps “nothing found” about a person', async () => {
    const { ask, asked } = remembering(() => nothingFound)
    await ask(find(rossi))
    await ask(find(rossi))
    expect(asked).toHaveLength(1)
  })

  it('keeps warnings, but no answer that reports an error', async () => {
    const issue = { code: 'XDSRegistryError', text: 'partly' }
    for (const [severity, times] of [['warning', 1] as const, ['error', 2] as const]) {
      const answer = { ...answerOf(entryOf('1', rossi)), issues: [{ ...issue, severity }] }
      const { ask, asked } = remembering(() => answer)
      await ask(find(rossi))
      expect(await ask(find(rossi))).toBe(answer)
      expect(asked).toHaveLength(times)
    }
  })

  it('keeps no failure: an outage is never an empty answer', async () => {
    let down = true
    const { ask } = remembering(() => {
      if (down) throw new GatewayError('community-unavailable', 'gone')
      return answerOf(entryOf('1', rossi))
    })
    await expect(ask(find(rossi))).rejects.toMatchObject({ code: 'community-unavailable' })
    down = false
    expect((await ask(find(rossi))).entries).toHaveLength(1)
  })

  it('does not give an old answer when the community fails after its time', async () => {
    let down = false
    const { ask, clock } = remembering(() => {
      if (down) throw new GatewayError('community-timeout', 'late')
      return answerOf(entryOf('1', rossi))
    })
    await ask(find(rossi))
    down = true
    clock.time += 60_001
    await expect(ask(find(rossi))).rejects.toMatchObject({ code: 'community-timeout' })
  })

  it('neither keeps nor gives answers to calls that are to bypass it', async () => {
    const bypass = (_query: StoredQuery, call: AuthorizedCall): boolean => call.assertion.subject === 'auditor'
    const { ask, asked } = remembering(() => answerOf(entryOf('1', rossi)), { bypass })
    await ask(find(rossi), callOf('a', 'auditor'))
    await ask(find(rossi))
    await ask(find(rossi), callOf('a', 'auditor'))
    await ask(find(rossi))
    expect(asked).toHaveLength(3)
  })

  it('gives answers nobody can change, to the depth', async () => {
    const { ask } = remembering(() => answerOf(entryOf('1', rossi)))
    await ask(find(rossi))
    const answer = (await ask(find(rossi))) as unknown as {
      entries: { title: { value: string }[]; uniqueId: string }[]
    }
    expect(() => answer.entries.pop()).toThrow(TypeError)
    expect(() => Object.assign(answer.entries[0] ?? {}, { uniqueId: '2' })).toThrow(TypeError)
    expect(() => answer.entries[0]?.title.push({ value: 'x' })).toThrow(TypeError)
    expect(() => Object.assign(answer.entries[0]?.title[0] ?? {}, { value: 'x' })).toThrow(TypeError)
  })
})

describe('the bounds of a cache', () => {
  it('are a number of answers, the least recently used going first', async () => {
    const { ask, asked } = remembering(() => answerOf(entryOf('1', rossi)), { entries: 2 })
    const questions = ['a', 'b', 'c'].map((status) => find(rossi, { status: [status] })) as [
      StoredQuery,
      StoredQuery,
      StoredQuery,
    ]
    await ask(questions[0])
    await ask(questions[1])
    await ask(questions[0])
    await ask(questions[2])
    await ask(questions[0])
    expect(asked).toHaveLength(3)
    await ask(questions[1])
    expect(asked).toHaveLength(4)
  })

  it('are a number of documents, over all answers and hence for one', async () => {
    const documents = (count: number) => Array.from({ length: count }, (_, index) => entryOf(`${index}`, rossi))
    const { ask, asked } = remembering(({ home: size }) => answerOf(...documents(size === undefined ? 6 : 11)), {
      objects: 10,
    })
    await ask(find(rossi))
    await ask(find(rossi))
    expect(asked).toHaveLength(1)
    await ask(find(rossi, { status: [] }))
    await ask(find(rossi))
    expect(asked).toHaveLength(3)
    await ask(find(rossi, { home }))
    await ask(find(rossi, { home }))
    expect(asked).toHaveLength(5)
  })

  it('are whole numbers from one up', () => {
    for (const wrong of [{ ttlMs: 0 }, { ttlMs: 1.5 }, { entries: 0 }, { entries: -1 }, { objects: 0 }]) {
      expect(() => remembering(() => nothingFound, wrong)).toThrow(RangeError)
    }
  })
})

describe('what is dropped from a cache', () => {
  it('is everything', async () => {
    const { ask, asked, community } = remembering(() => answerOf(entryOf('1', rossi)))
    await ask(find(rossi))
    community.drop()
    await ask(find(rossi))
    expect(asked).toHaveLength(2)
  })

  it('is every question about a person, in every partition, and nobody else’s', async () => {
    const { ask, asked, community } = remembering(() => nothingFound)
    const questions = [find(rossi), find(rossi, { status: [] }), find(verdi)]
    for (const query of questions) for (const partition of ['a', 'b']) await ask(query, callOf(partition))
    community.dropPatient({ ...rossi })
    for (const query of questions) for (const partition of ['a', 'b']) await ask(query, callOf(partition))
    expect(asked).toHaveLength(6 + 4)
  })

  it('is every answer that names the person, under whatever identifier it was asked', async () => {
    const { ask, asked, community } = remembering(() => answerOf(entryOf('1', rossi), entryOf('2', rossiAna)))
    await ask(find(rossi))
    community.dropPatient(rossiAna)
    await ask(find(rossi))
    expect(asked).toHaveLength(2)
  })

  it('is found through submission sets and folders too', async () => {
    const object = { entryUuid: 'urn:uuid:1', uniqueId: '1', patientId: rossi, title: [], comments: [] }
    const set = { ...object, authors: [], intendedRecipients: [] }
    const answers = [
      { ...nothingFound, submissionSets: [set] },
      { ...nothingFound, folders: [{ ...object, codes: [] }] },
    ]
    for (const answer of answers) {
      const { ask, asked, community } = remembering(() => answer)
      await ask(get('1'))
      await ask(get('1'))
      expect(asked).toHaveLength(1)
      community.dropPatient(rossi)
      await ask(get('1'))
      expect(asked).toHaveLength(2)
    }
  })

  it('is never missed for naming nobody: such an answer is not kept', async () => {
    const { ask, asked } = remembering(() => nothingFound)
    await ask(get('1'))
    await ask(get('1'))
    expect(asked).toHaveLength(2)
  })

  it('is not kept when it was asked for before the drop and answered after it', async () => {
    const drops: ((community: CachedCommunity) => void)[] = [
      (community) => community.drop(),
      (community) => community.dropPatient(rossi),
      (community) => community.dropPatient(rossiAna),
    ]
    for (const query of [find(rossi), get('1', '2')]) {
      for (const drop of drops) {
        const answer = Promise.withResolvers<QueryAnswer>()
        const { ask, asked, community } = remembering(() => answer.promise)
        const overtaken = ask(query)
        drop(community)
        answer.resolve(answerOf(entryOf('1', rossi), entryOf('2', rossiAna)))
        expect((await overtaken).entries).toHaveLength(2)
        await ask(query)
        expect(asked).toHaveLength(2)
        await ask(query)
        expect(asked).toHaveLength(2)
      }
    }
  })

  it('is not more than the person dropped while another is asked about', async () => {
    const answer = Promise.withResolvers<QueryAnswer>()
    const { ask, asked, community } = remembering(() => answer.promise)
    const under = ask(find(rossi))
    community.dropPatient(verdi)
    answer.resolve(answerOf(entryOf('1', rossi)))
    await under
    await ask(find(rossi))
    expect(asked).toHaveLength(1)
  })
})

describe('whatever is asked, told and dropped', () => {
  it('nobody gets what another partition was told, nor what was pushed over, nor what is too old', async () => {
    const people = [rossi, rossiAna, verdi]
    const step = fc.oneof(
      fc.record({ ask: fc.nat(2), partition: fc.constantFrom('a', 'b'), status: fc.constantFrom('x', 'y') }),
      fc.record({ push: fc.nat(2) }),
      fc.record({ wait: fc.integer({ min: 1, max: 50_000 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const versions = [0, 0, 0]
        const { ask, clock, community } = remembering(
          (query, call) => {
            const about = 'patientId' in query ? people.findIndex((each) => each.value === query.patientId.value) : -1
            const told = [call.permit.partition, about, versions[about], clock.time].join('/')
            return answerOf(entryOf(told, people[about] ?? rossi))
          },
          { entries: 4 },
        )
        for (const each of steps) {
          if ('wait' in each) clock.time += each.wait
          else if ('push' in each) {
            versions[each.push] = (versions[each.push] ?? 0) + 1
            community.dropPatient(people[each.push] ?? rossi)
          } else {
            const query = find(people[each.ask] ?? rossi, { status: [each.status] })
            const answer = await ask(query, callOf(each.partition))
            const [partition, about, version, at] = answer.entries[0]?.uniqueId.split('/') ?? []
            expect([partition, about, version]).toEqual([each.partition, `${each.ask}`, `${versions[each.ask]}`])
            expect(clock.time - Number(at)).toBeLessThanOrEqual(60_000)
          }
        }
      }),
    )
  })
})
