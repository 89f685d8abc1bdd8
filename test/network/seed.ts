import { type Citizen, citizens } from './citizens.ts'
import { makeDocument, shift, type Wanted } from './documents.ts'
import type { DocumentFacts, Entry, Holdings } from './entry.ts'
import { commonKinds, kindOf, sistemaTsKinds } from './kinds.ts'
import { random } from './random.ts'
import { type Holder, type RegistryBook, registryBook } from './registry-book.ts'
import { confidentiality, contentType, event, practiceSetting } from './value-sets.ts'

export const holders: readonly Holder[] = ['tuscany', 'ini', 'region-050', 'region-120', 'region-150']

/** What every registry of the development federation knows. The same name gives the same federation. */
export interface Seed {
  readonly name: string
  readonly holdings: Readonly<Record<Holder, Holdings>>
}

const obscured = { events: [event('P99')] }
const clear = { events: [event('P00')], confidentiality: confidentiality('V') }

export function sow(name = 'crocevia'): Seed {
  const books = Object.fromEntries(holders.map((holder) => [holder, registryBook(name, holder)])) as Record<
    Holder,
    RegistryBook
  >
  const field = { books, make: maker(name) }
  sowTuscan(field)
  sowLazio(field)
  sowTwoCodes(field)
  sowRenamed(field)
  sowWithoutRegion(field)
  sowNumeric(field)
  const holdings = Object.fromEntries(holders.map((holder) => [holder, books[holder].holdings()])) as Record<
    Holder,
    Holdings
  >
  return { name, holdings }
}

interface Field {
  readonly books: Readonly<Record<Holder, RegistryBook>>
  readonly make: ReturnType<typeof maker>
}

/** Makes documents of mixed kinds, numbered so that no two are alike. */
function maker(name: string) {
  const counters = new Map<string, number>()
  const one = (
    citizen: Citizen,
    keeper: string,
    type: string,
    more: Partial<Pick<Wanted, 'events' | 'confidentiality' | 'under'>> = {},
  ): DocumentFacts => {
    const row = `${citizen.key}/${keeper}/${type}`
    const number = (counters.get(row) ?? 0) + 1
    counters.set(row, number)
    const { value, authority } = more.under ?? citizen.identifiers[0]
    return makeDocument(name, { citizen, keeper, kind: kindOf(type), number, ...more, under: { value, authority } })
  }
  const many = (
    citizen: Citizen,
    keeper: string,
    count: number,
    more: Partial<Pick<Wanted, 'under'>> & { readonly of?: 'common' | 'sistema-ts' } = {},
  ): DocumentFacts[] => {
    const { of = 'common', ...rest } = more
    const draw = random(`${name}/kinds/${citizen.key}/${keeper}/${of}/${rest.under?.value ?? ''}`)
    const kinds = of === 'common' ? commonKinds : sistemaTsKinds
    return Array.from({ length: count }, () => one(citizen, keeper, draw.pick(kinds).type.code, rest))
  }
  return { one, many }
}

/** The oldest is replaced by the next, and so on, in every registry alike. */
function chain(books: readonly RegistryBook[], facts: readonly DocumentFacts[]): void {
  const inOrder = facts.toSorted((one, other) => (one.creationTime < other.creationTime ? -1 : 1))
  for (const book of books) {
    const told = inOrder.map((fact, index) => book.tell(fact, index < inOrder.length - 1 ? 'Deprecated' : 'Approved'))
    for (const [index, newer] of told.entries()) {
      const older = told[index - 1]
      if (older) book.replace(newer, older)
    }
  }
}

/** What an administrator corrects later: version 2 of the metadata of the same document. */
function correct(book: RegistryBook, entry: Entry): Entry {
  return book.amend(entry, {
    practiceSetting: practiceSetting('AD_PSC999'),
    serviceStopTime: shift(entry.serviceStopTime, 5),
    administrativeRequest: 'SSR^Regime SSR',
  })
}

function tellAll(facts: readonly DocumentFacts[], ...books: readonly RegistryBook[]): Entry[] {
  return books.flatMap((book) => facts.map((fact) => book.tell(fact)))
}

function sowTuscan({ books, make }: Field): void {
  const { tuscan } = citizens
  const { tuscany, 'region-050': veneto } = books
  const told = tellAll(make.many(tuscan, '090', 170), tuscany)
  tellAll(make.many(tuscan, '000', 24, { of: 'sistema-ts' }), tuscany)
  tellAll([make.one(tuscan, '000', '57827-8')], tuscany)
  chain(
    [tuscany],
    [1, 2, 3, 4].map(() => make.one(tuscan, '090', '60591-5')),
  )
  for (const type of [
    '34105-7',
    '11502-2',
    '11502-2',
    '68604-8',
    '11488-4',
    '11488-4',
    '18776-5',
    '59258-4',
    '11502-2',
  ]) {
    chain([tuscany], [make.one(tuscan, '090', type), make.one(tuscan, '090', type)])
  }
  for (const entry of told.slice(10, 13)) correct(tuscany, entry)
  tellAll([make.one(tuscan, '090', '11502-2', obscured), make.one(tuscan, '090', '11488-4', obscured)], tuscany)
  tellAll([make.one(tuscan, '090', '11502-2', { ...obscured, confidentiality: confidentiality('V') })], tuscany)
  tellAll([make.one(tuscan, '090', '11502-2', clear), make.one(tuscan, '090', '34105-7', clear)], tuscany)
  tuscany.file('Percorso cardiologico', contentType('PHR'), told.slice(20, 25))
  tuscany.file('Ricovero ortopedico', contentType('DIS'), told.slice(30, 33))

  tellAll(make.many(tuscan, '050', 14), tuscany, veneto)
  // Veneto has not told us of these yet.
  tellAll(make.many(tuscan, '050', 2), veneto)
  // Obscured where the citizen is assisted; Veneto has not heard of that yet: the strictest word counts.
  const hidden = make.one(tuscan, '050', '11488-4')
  tuscany.tell({ ...hidden, events: [...hidden.events, event('P99')] })
  veneto.tell(hidden)
}

function sowLazio({ books, make }: Field): void {
  const { lazio } = citizens
  const { tuscany, 'region-050': veneto, 'region-120': rda, 'region-150': campania } = books
  chain([tuscany, rda], [make.one(lazio, '090', '34105-7'), make.one(lazio, '090', '34105-7')])
  chain([tuscany, rda], [make.one(lazio, '090', '11502-2'), make.one(lazio, '090', '11502-2')])
  tellAll([make.one(lazio, '090', '11488-4', obscured)], tuscany, rda)
  tellAll([make.one(lazio, '090', '11502-2', clear)], tuscany, rda)
  const shared = make.many(lazio, '090', 17)
  const atHome = tellAll(shared, tuscany)
  const atRda = tellAll(shared, rda)
  // Corrected here, which Lazio has not heard of; and the other way round.
  for (const entry of atHome.slice(0, 2)) correct(tuscany, entry)
  for (const entry of atRda.slice(2, 3)) correct(rda, entry)
  tellAll(make.many(lazio, '090', 2), tuscany)

  chain([veneto, rda], [make.one(lazio, '050', '68604-8'), make.one(lazio, '050', '68604-8')])
  const treatedInVeneto = make.many(lazio, '050', 16)
  tellAll(treatedInVeneto, veneto)
  const venetoAtRda = tellAll(treatedInVeneto, rda)
  for (const entry of venetoAtRda.slice(0, 1)) correct(rda, entry)
  tellAll(make.many(lazio, '050', 2), veneto)

  chain([campania, rda], [make.one(lazio, '150', '11488-4'), make.one(lazio, '150', '11488-4')])
  tellAll(make.many(lazio, '150', 12), campania, rda)
  tellAll(make.many(lazio, '150', 1), campania)

  chain(
    [rda],
    [1, 2, 3].map(() => make.one(lazio, '120', '60591-5')),
  )
  tellAll([make.one(lazio, '120', '11502-2', obscured)], rda)
  tellAll(make.many(lazio, '120', 4), rda)
  tellAll(make.many(lazio, '000', 4, { of: 'sistema-ts' }), rda)
}

function sowTwoCodes({ books, make }: Field): void {
  const person = citizens['two-codes']
  const { tuscany, 'region-050': veneto } = books
  const under = person.identifiers[1] ?? person.identifiers[0]
  tellAll(make.many(person, '090', 10), tuscany)
  tellAll(make.many(person, '090', 6, { under }), tuscany)
  tellAll(make.many(person, '050', 2, { under }), tuscany, veneto)
}

function sowRenamed({ books, make }: Field): void {
  const person = citizens.renamed
  const { tuscany, 'region-150': rda } = books
  const under = person.identifiers[1] ?? person.identifiers[0]
  tellAll(make.many(person, '150', 12), rda)
  tellAll(make.many(person, '150', 4, { under }), rda)
  tellAll(make.many(person, '090', 4, { under }), tuscany, rda)
}

function sowWithoutRegion({ books, make }: Field): void {
  const { tuscany, ini, 'region-050': veneto, 'region-150': campania } = books
  tellAll(make.many(citizens.none, '090', 3), tuscany, ini)
  tellAll(make.many(citizens.none, '050', 2), veneto, ini)
  tellAll(make.many(citizens.none, '150', 1), campania, ini)
  for (const [key, count] of [
    ['stp', 4],
    ['eni', 3],
    ['team', 2],
  ] as const) {
    const [latest, ...told] = make.many(citizens[key], '090', count)
    tellAll(told, tuscany, ini)
    // INI has not heard of the latest one.
    if (latest) tellAll([latest], tuscany)
  }
}

function sowNumeric({ books: { tuscany }, make }: Field): void {
  tellAll(
    ['68814-3', '68814-3', '34105-7', '11502-2', '68814-3'].map((type) => make.one(citizens.numeric, '090', type)),
    tuscany,
  )
}
