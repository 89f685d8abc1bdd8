import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { documentBytes } from '../network/documents.ts'
import { isObscured } from '../network/entry.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import type { Holder } from '../network/registry-book.ts'
import type { Reference, Retrieval } from '../network/retrieve.ts'
import { type RetrievalWishes, referencesOf, retrieval } from '../support/asking.ts'
import { homeOf } from '../support/gateway-config.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork()
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(() => {
  for (const party of Object.values(network.parties)) party.asked.clear()
})

const visible = (key: CitizenKey) =>
  referencesOf(network.seed, expectations(network.seed, citizens[key], { asked: askedAbout(citizens[key]) }).visible)
function only<T>(values: readonly T[]): T {
  const [first] = values
  if (first === undefined) throw new Error('The seed has no such document')
  return first
}
const shown = (key: CitizenKey, home = homeOf('tuscany')) => only(visible(key).filter((one) => one.home === home))
/** A document that a holder knows to be obscured. */
const obscured = (key: CitizenKey, holder: Holder, home: string, others: (id: string) => boolean = () => true) => {
  const value = citizens[key].identifiers[0].value
  const entries = network.seed.holdings[holder].entries.filter(
    (entry) => entry.patient.value === value && isObscured(entry) && others(entry.uniqueId),
  )
  return only(
    referencesOf(
      network.seed,
      entries.map(({ uniqueId }) => uniqueId),
    ).filter((one) => one.home === home),
  )
}

/** Everything an answer says, without what no two answers have in common. */
function saying({ message, http, status, packaged }: Retrieval, { uniqueId }: Reference) {
  const {
    date: _date,
    'x-correlation-id': _id,
    'content-length': _length,
    'content-type': type,
    ...headers
  } = http.headers
  return {
    status,
    packaged,
    http: { status: http.status, headers, type: type?.split(';')[0] },
    message: message
      .replaceAll(uniqueId, 'ID')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID'),
  }
}

/** Nobody was asked for bytes. */
function expectNobodyAsked(): void {
  const retrievals = Object.values(network.parties).flatMap(({ asked }) =>
    asked.last.filter(({ query }) => query === 'RetrieveDocumentSet'),
  )
  expect(retrievals).toEqual([])
}

async function expectGranted(key: CitizenKey, reference: Reference, wishes: RetrievalWishes = {}): Promise<void> {
  const answer = await retrieval(network, key, [reference], wishes)
  expect(answer.issues).toEqual([])
  expect(answer.documents.map(({ uniqueId }) => uniqueId)).toEqual([reference.uniqueId])
  expect(answer.documents[0]?.bytes.equals(documentBytes(network.seed.name, reference.uniqueId))).toBe(true)
  for (const party of Object.values(network.parties)) party.asked.clear()
}

const citizen = { role: 'ASS' }

describe.each<[string, RetrievalWishes]>([
  ['a Tuscan consumer', {}],
  ['a Tuscan consumer, unpackaged', { packaging: 'plain' }],
  ['another region', { as: 'region-050' }],
])('to %s', (_, wishes) => {
  it('unknown, obscured and other patients’ documents are all the same', async () => {
    const good = shown('lazio')
    const unknown = { ...good, uniqueId: `${good.uniqueId}9` }
    const hidden = obscured('lazio', 'tuscany', homeOf('tuscany'))
    const foreign = shown('tuscan')
    const elsewhere = { ...good, repositoryUniqueId: `${good.repositoryUniqueId}9` }

    await expectGranted('lazio', good, wishes)
    await expectGranted('tuscan', foreign, wishes)
    if (wishes.as === undefined) await expectGranted('lazio', hidden, { ...wishes, ...citizen })
    const answer = await retrieval(network, 'lazio', [unknown], wishes)
    expect(answer.status).toBe('Failure')
    expect(answer.issues).toMatchObject([{ code: 'XDSDocumentUniqueIdError', severity: 'Error' }])
    for (const [name, reference] of Object.entries({ elsewhere, hidden, foreign })) {
      const other = await retrieval(network, 'lazio', [reference], wishes)
      expect(saying(other, reference), name).toEqual(saying(answer, unknown))
    }
    expectNobodyAsked()
  })

  it('they are the same beside a document that is given', async () => {
    const good = shown('lazio')
    const hidden = obscured('lazio', 'tuscany', homeOf('tuscany'))
    const unknown = { ...hidden, uniqueId: `${hidden.uniqueId}9` }
    const [one, other] = [
      await retrieval(network, 'lazio', [good, hidden], wishes),
      await retrieval(network, 'lazio', [good, unknown], wishes),
    ]
    expect(one.documents.map(({ uniqueId }) => uniqueId)).toEqual([good.uniqueId])
    expect(one.issues.map(({ code, text, severity }) => ({ code, text, severity }))).toEqual(
      other.issues.map(({ code, text, severity }) => ({ code, text, severity })),
    )
  })

  it('another patient’s document costs nothing but itself', async () => {
    const [good, foreign] = [shown('lazio'), shown('tuscan')]
    await expectGranted('tuscan', foreign, wishes)
    const answer = await retrieval(network, 'lazio', [foreign, good], wishes)
    expect(answer.documents.map(({ uniqueId }) => uniqueId)).toEqual([good.uniqueId])
    expect(answer.issues).toMatchObject([{ code: 'XDSDocumentUniqueIdError' }])
  })
})

describe('a document that one index obscures and its holder does not', () => {
  const hidden = () =>
    obscured('tuscan', 'tuscany', homeOf('region-050'), (id) =>
      network.seed.holdings['region-050'].entries.some((entry) => entry.uniqueId === id && !isObscured(entry)),
    )

  it('is given to nobody but its citizen', async () => {
    await expectGranted('tuscan', hidden(), citizen)
    const answer = await retrieval(network, 'tuscan', [hidden()])
    expect(answer.issues.map(({ code }) => code)).toEqual(['XDSDocumentUniqueIdError'])
    expectNobodyAsked()
  })

  it.each(['tuscany', 'ini', 'region-120', 'region-150'] as const)(
    'is not found under the home of %s',
    async (party) => {
      const reference = { ...hidden(), home: homeOf(party) }
      const answer = await retrieval(network, 'tuscan', [reference])
      expect(answer.status).toBe('Failure')
      expect(answer.documents.length).toBe(0)
      expectNobodyAsked()
    },
  )

  it('is not found by naming it without a home', async () => {
    const { home: _home, ...reference } = hidden()
    const answer = await retrieval(network, 'tuscan', [reference])
    expect(answer.status).toBe('Failure')
    expectNobodyAsked()
  })
})

describe('a document of another community', () => {
  it('that its region hides is not given, whatever INI could', async () => {
    const hidden = obscured('lazio', 'region-120', homeOf('region-120'))
    await expectGranted('lazio', shown('lazio', homeOf('region-120')))
    const answer = await retrieval(network, 'lazio', [hidden])
    expect(answer.issues.map(({ code }) => code)).toEqual(['XDSDocumentUniqueIdError'])
    expectNobodyAsked()
  })
})

describe('an id that is more than an id', () => {
  it.each<[string, (good: string, hidden: string) => string]>([
    ['two ids in one', (good, hidden) => `${good}','${hidden}`],
    ['a list', (good, hidden) => `${good}') or ('${hidden}`],
    ['a quote', (_, hidden) => `'${hidden}`],
    ['a wildcard', () => '%'],
    ['an element', (_, hidden) => `</xdsb:DocumentUniqueId><xdsb:DocumentUniqueId>${hidden}`],
    ['a line break', (_, hidden) => `x\r\n${hidden}`],
    ['another case', (_, hidden) => hidden.toLowerCase()],
    ['a very long one', (_, hidden) => hidden.padEnd(100_000, '0')],
  ])('finds nothing: %s', async (_, made) => {
    const good = shown('lazio')
    const hidden = obscured('lazio', 'tuscany', homeOf('tuscany'))
    await expectGranted('lazio', good)
    const answer = await retrieval(network, 'lazio', [{ ...good, uniqueId: made(good.uniqueId, hidden.uniqueId) }])
    expect(answer.documents.length).toBe(0)
    expect(answer.fault === undefined ? answer.status : 'Failure').toBe('Failure')
    expectNobodyAsked()
    await expectGranted('lazio', good)
  })

  it('finds nothing as a repository either', async () => {
    const good = shown('lazio')
    for (const repositoryUniqueId of ['%', `${good.repositoryUniqueId}' or '1'='1`, '../../repository']) {
      const answer = await retrieval(network, 'lazio', [{ ...good, repositoryUniqueId }])
      expect(answer.status).toBe('Failure')
    }
    expectNobodyAsked()
    await expectGranted('lazio', good)
  })
})

describe('who may not retrieve', () => {
  it.each<[string, RetrievalWishes]>([
    ['an assertion for something else than reading', { action: 'CREATE' }],
    ['a role without the right', { role: 'OPERATORE' }],
    ['a region at our consumers’ door', { as: 'region-050', door: 'iti43' }],
    ['a consumer at the regions’ door', { door: 'iti39' }],
    ['a stranger at our consumers’ door', { as: 'stranger', door: 'iti43' }],
    ['a stranger at the regions’ door', { as: 'stranger', door: 'iti39' }],
  ])('is refused by a fault, and nobody is asked: %s', async (_, wishes) => {
    const good = shown('lazio')
    await expectGranted('lazio', good)
    await expectGranted('lazio', good, { as: 'region-050' })
    const answer = await retrieval(network, 'lazio', [good], wishes)
    expect(answer.fault).toMatchObject({ code: 'Sender' })
    expect(answer.documents.length).toBe(0)
    expect(Object.values(network.parties).reduce((sum, { asked }) => sum + asked.total, 0)).toBe(0)
    expect(answer.http.bytes.toString('latin1')).not.toContain(citizens.lazio.identifiers[0].value)
  })

  it('finds no document of a type that the assertion does not name', async () => {
    const good = shown('numeric')
    const entry = network.seed.holdings.tuscany.entries.find(({ uniqueId }) => uniqueId === good.uniqueId)
    const type = entry?.typeCode.code ?? ''
    await expectGranted('numeric', good, { types: [type] })
    const answer = await retrieval(network, 'numeric', [good], { types: [type === '59258-4' ? '34105-7' : '59258-4'] })
    expect(answer.issues.map(({ code }) => code)).toEqual(['XDSDocumentUniqueIdError'])
    expectNobodyAsked()
  })
})
