import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { merge } from '../../../../src/core/federation/merge.ts'
import type { QueryAnswer } from '../../../../src/core/model/answers.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import type { Community } from '../../../../src/core/ports.ts'
import {
  answer,
  entry,
  folder,
  homes,
  issue,
  known,
  link,
  neighbours,
  submissionSet,
} from '../../../support/builders.ts'

const { tuscany, ini, veneto, lazio } = neighbours
const told = (from: Community, ...entries: DocumentEntry[]) => ({ from, answer: answer({ entries }) })
const names = (entries: readonly { readonly entryUuid: string }[]) =>
  entries.map(({ entryUuid }) => entryUuid.replace('urn:uuid:', ''))

/** The same document under the registry id of the community that tells of it. */
const copy = (name: string, at: string, more: Partial<DocumentEntry> = {}) =>
  entry(name, { entryUuid: `urn:uuid:${name}-${at}`, hash: 'h', size: 1, ...more })

describe('the same document told by three communities', () => {
  const answers = [told(veneto, copy('d', 'v')), told(ini, copy('d', 'i')), told(lazio, copy('d', 'l'))]

  it('appears once, with its sources in the order of whose word counts', () => {
    const { entries, issues } = merge(answers, known({ assistedBy: homes.lazio })).answer
    expect(names(entries)).toEqual(['d-l'])
    expect(entries[0]?.home).toBe(homes.lazio)
    expect(entries[0]?.sources).toEqual([
      { home: homes.lazio, entryUuid: 'urn:uuid:d-l' },
      { home: homes.ini, entryUuid: 'urn:uuid:d-i' },
      { home: homes.veneto, entryUuid: 'urn:uuid:d-v' },
    ])
    expect(issues).toEqual([])
  })

  it('has one more voice when another tells of it without a hash', () => {
    const { hash: _, ...silent } = copy('d', 't')
    const { entries } = merge([told(tuscany, silent), ...answers], known()).answer
    expect(entries.map(({ sources }) => sources.length)).toEqual([4])
  })

  it('keeps a home that the community named itself', () => {
    const [one] = merge([told(ini, copy('d', 'i', { home: homes.campania }))], known()).answer.entries
    expect(one?.home).toBe(homes.campania)
  })

  it('counts a community once that tells of the same object under two identifiers', () => {
    const { entries } = merge([told(tuscany, copy('d', 't'), copy('d', 't'))], known()).answer
    expect(entries.map(({ sources }) => sources.length)).toEqual([1])
  })

  it('differs in something: it is decided, told as a warning, and reported', () => {
    const status = 'deprecated'
    const given = [told(veneto, copy('d', 'v', { status })), told(lazio, copy('d', 'l'))]
    const { answer: merged, disagreements } = merge(given, known({ assistedBy: homes.lazio }))
    expect(merged.entries[0]?.status).toBe('approved')
    expect(merged.issues).toEqual([
      {
        severity: 'warning',
        code: 'XDSRegistryMetadataError',
        text: expect.stringContaining('status'),
        home: homes.lazio,
        location: homes.lazio,
      },
    ])
    expect(disagreements).toEqual([{ homes: expect.arrayContaining([homes.veneto, homes.lazio]), what: ['status'] }])
  })

  it('is silent where one merely tells less', () => {
    const { mimeType: _, creationTime: __, ...less } = copy('d', 'v')
    expect(merge([told(veneto, less), told(lazio, copy('d', 'l'))], known()).disagreements).toEqual([])
  })
})

describe('whose metadata are shown', () => {
  const version = (at: string, number: string, more: Partial<DocumentEntry> = {}) =>
    copy('d', at, { logicalId: 'urn:uuid:logical', version: number, ...more })

  it('the higher version of one logical id wins over the stronger authority', () => {
    const given = [told(lazio, version('l', '1')), told(veneto, version('v', '10')), told(ini, version('i', '9'))]
    const { entries } = merge(given, known({ assistedBy: homes.lazio })).answer
    expect(names(entries)).toEqual(['d-v'])
    expect(entries[0]?.sources.map(({ version: told }) => told)).toEqual(['10', '9', '1'])
  })

  it('versions of different logical ids do not compare', () => {
    const given = [told(veneto, version('v', '7', { logicalId: 'urn:uuid:else' })), told(lazio, version('l', '1'))]
    expect(names(merge(given, known({ assistedBy: homes.lazio })).answer.entries)).toEqual(['d-l'])
  })

  it('does not depend on the order when versions and authorities pull in a circle', () => {
    const given = [
      told(tuscany, copy('d', 't')),
      told(lazio, version('l', '1')),
      told(veneto, version('v', '2', { repositoryUniqueId: 'r' })),
    ]
    const person = known({ assistedBy: homes.lazio })
    const firsts = permutations(given).map((order) => names(merge(order, person).answer.entries).join())
    expect(new Set(firsts)).toEqual(new Set(['d-v']))
  })

  it('a version that is no number counts for less than one that is', () => {
    const given = [told(lazio, version('l', 'x')), told(veneto, version('v', '1'))]
    expect(names(merge(given, known({ assistedBy: homes.lazio })).answer.entries)).toEqual(['d-v'])
  })
})

describe('different documents under one id', () => {
  it.each([
    ['hash', { hash: 'other' }],
    ['size', { size: 2 }],
  ])('contradicting in %s are both shown, with a warning', (_what, more) => {
    const { answer: merged, disagreements } = merge(
      [told(tuscany, copy('d', 't')), told(ini, copy('d', 'i', more))],
      known(),
    )
    expect(new Set(names(merged.entries))).toEqual(new Set(['d-t', 'd-i']))
    expect(merged.issues).toMatchObject([{ severity: 'warning', code: 'XDSRegistryMetadataError' }])
    expect(disagreements).toMatchObject([{ what: ['hash', 'size'] }])
  })

  it('are told apart whoever answers first, also by those who tell no hash', () => {
    const { hash: _, ...silent } = copy('d', 'v')
    const given = [told(tuscany, copy('d', 't')), told(ini, copy('d', 'i', { hash: 'other' })), told(veneto, silent)]
    const results = permutations(given).map((order) =>
      merge(order, known()).answer.entries.map(({ sources }) => sources.map(({ home }) => home)),
    )
    for (const result of results) expect(result).toEqual(results[0])
  })

  it('under the same registry id of two communities are two documents', () => {
    const twin = entry('else', { entryUuid: 'urn:uuid:d-t', hash: 'other' })
    expect(merge([told(tuscany, copy('d', 't')), told(ini, twin)], known()).answer.entries).toHaveLength(2)
  })
})

describe('the order', () => {
  const at = (name: string, time: string, more: Partial<DocumentEntry> = {}) =>
    entry(name, { creationTime: timestamp(time), ...more })
  const ordered = (entries: DocumentEntry[], ...associations: ReturnType<typeof link>[]) =>
    names(merge([{ from: tuscany, answer: answer({ entries, associations }) }], known()).answer.entries)

  it('is newest first, coarse times by their beginning, without a time last', () => {
    const { creationTime: _, ...timeless } = entry('never')
    expect(ordered([timeless, at('b', '2023'), at('c', '20230102'), at('a', '20220101')])).toEqual([
      'c',
      'b',
      'a',
      'never',
    ])
  })

  it.each(['replaces', 'transforms-and-replaces'])('puts what was replaced behind what %s it', (type) => {
    const entries = [at('old', '20200101'), at('middle', '20230101'), at('new', '20220101')]
    expect(ordered(entries, link('new', type, 'old'))).toEqual(['middle', 'new', 'old'])
  })

  it('leaves what was only appended or transformed in its time', () => {
    const entries = [at('old', '20200101'), at('middle', '20210101'), at('new', '20220101')]
    expect(ordered(entries, link('new', 'appends', 'old'), link('new', 'transforms', 'old'))).toEqual([
      'new',
      'middle',
      'old',
    ])
  })

  it('puts an earlier version of the same object behind the later', () => {
    const logicalId = 'urn:uuid:l'
    const entries = [
      at('v1', '20230101', { logicalId, version: '1' }),
      at('v10', '20200101', { logicalId, version: '10' }),
      at('v2', '20210101', { logicalId, version: '2' }),
      at('other', '20220101'),
    ]
    expect(ordered(entries)).toEqual(['other', 'v10', 'v2', 'v1'])
  })

  it('ends when documents replace each other or themselves, and loses none', () => {
    const entries = [at('a', '20200101'), at('b', '20210101'), at('c', '20220101')]
    const circle = [link('a', 'replaces', 'b'), link('b', 'replaces', 'c'), link('c', 'replaces', 'a')]
    expect(ordered(entries, ...circle, link('a', 'replaces', 'a')).sort()).toEqual(['a', 'b', 'c'])
  })

  it('ends for a chain as long as a peer likes', () => {
    const length = 20_000
    const entries = Array.from({ length }, (_, index) => at(`n${index}`, '2020'))
    const chain = Array.from({ length: length - 1 }, (_, index) => link(`n${index}`, 'replaces', `n${index + 1}`))
    expect(ordered(entries, ...chain)).toEqual(names(entries))
  })

  it('follows a replacement that another community tells of', () => {
    const answers: { from: Community; answer: QueryAnswer }[] = [
      told(tuscany, copy('old', 't'), copy('new', 't', { creationTime: timestamp('2019') })),
      {
        from: ini,
        answer: answer({
          entries: [copy('old', 'i'), copy('new', 'i', { creationTime: timestamp('2019') })],
          associations: [link('new-i', 'replaces', 'old-i')],
        }),
      },
    ]
    const merged = merge(answers, known()).answer
    expect(names(merged.entries)).toEqual(['new-t', 'old-t'])
    expect(merged.associations).toMatchObject([{ source: 'urn:uuid:new-t', target: 'urn:uuid:old-t', home: homes.ini }])
  })
})

describe('everything else', () => {
  it('is told with the home of who told it', () => {
    const merged = merge(
      [
        {
          from: veneto,
          answer: answer({ submissionSets: [submissionSet('s')], folders: [folder('f')], issues: [issue('R220')] }),
        },
      ],
      known(),
    ).answer
    expect(merged.submissionSets[0]?.home).toBe(homes.veneto)
    expect(merged.folders[0]?.home).toBe(homes.veneto)
    expect(merged.issues).toEqual([{ ...issue('R220'), home: homes.veneto }])
  })

  it('a link that two communities tell of is told once', () => {
    const both = [tuscany, ini].map((from) => ({
      from,
      answer: answer({
        entries: [copy('a', from.name), copy('b', from.name)],
        associations: [link(`a-${from.name}`, 'replaces', `b-${from.name}`)],
      }),
    }))
    expect(merge(both, known()).answer.associations).toHaveLength(1)
  })
})

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]))
}

const communities = [tuscany, ini, veneto, lazio]
const documents = ['a', 'b', 'c', 'd', 'e']

/** Answers of some communities: each tells of some documents, once each, and of replacements among any of them. */
const answersArbitrary = (hash: fc.Arbitrary<string | undefined>) =>
  fc.tuple(
    ...communities.map((from) =>
      fc
        .record({
          entries: fc.uniqueArray(
            fc.record({
              name: fc.constantFrom(...documents),
              hash,
              version: fc.option(fc.constantFrom('1', '2', '10'), { nil: undefined }),
              logicalId: fc.option(fc.constantFrom('urn:uuid:l1', 'urn:uuid:l2'), { nil: undefined }),
              status: fc.constantFrom('approved', 'deprecated'),
              year: fc.constantFrom('2020', '202006', '2021'),
            }),
            { selector: ({ name }) => name },
          ),
          replacements: fc.array(fc.tuple(fc.constantFrom(...documents), fc.constantFrom(...documents)), {
            maxLength: 6,
          }),
        })
        .map(({ entries, replacements }) => ({
          from,
          answer: answer({
            entries: entries.map(({ name, hash: digest, version, logicalId, status, year }) =>
              entry(name, {
                entryUuid: `urn:uuid:${name}-${from.name}`,
                status,
                creationTime: timestamp(year),
                ...(digest === undefined ? {} : { hash: digest }),
                ...(version === undefined ? {} : { version }),
                ...(logicalId === undefined ? {} : { logicalId }),
              }),
            ),
            associations: replacements.map(([newer, older]) =>
              link(`${newer}-${from.name}`, 'replaces', `${older}-${from.name}`),
            ),
          }),
        })),
    ),
  )

describe('whatever the communities tell', () => {
  const agreeing = fc.constantFrom('same', undefined)
  const arguing = fc.constantFrom('one', 'two', undefined)

  it('every document id appears exactly once when no hash is against it, and no source is lost', () => {
    fc.assert(
      fc.property(answersArbitrary(agreeing), (answers) => {
        const { entries } = merge(answers, known()).answer
        const all = answers.flatMap((one) => one.answer.entries)
        expect(entries.map(({ uniqueId }) => uniqueId).sort()).toEqual(
          [...new Set(all.map((one) => one.uniqueId))].sort(),
        )
        expect(entries.flatMap(({ sources }) => names(sources)).sort()).toEqual(names(all).sort())
      }),
    )
  })

  it('every source appears exactly once, also when hashes argue', () => {
    fc.assert(
      fc.property(answersArbitrary(arguing), (answers) => {
        const { entries } = merge(answers, known()).answer
        const all = answers.flatMap((one) => one.answer.entries)
        expect(entries.flatMap(({ sources }) => names(sources)).sort()).toEqual(names(all).sort())
      }),
    )
  })

  it('the index does not depend on who answered first', () => {
    fc.assert(
      fc.property(
        answersArbitrary(arguing).chain((answers) =>
          fc.tuple(fc.constant(answers), fc.shuffledSubarray([...answers], { minLength: answers.length })),
        ),
        fc.constantFrom(undefined, 'none' as const, homes.tuscany, homes.lazio),
        ([answers, shuffled], assistedBy) => {
          const person = known(assistedBy === undefined ? {} : { assistedBy })
          expect(merge(shuffled, person).answer.entries).toEqual(merge(answers, person).answer.entries)
        },
      ),
    )
  })
})
