import type { Permit } from '../model/call.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { type IsAuthor, isObscured, seesObscured } from './visibility.ts'

/**
 * Whoever hides a prescription hides what follows from it: the dispensings and reports that cite its number, everywhere
 * (DM 7/9/2023 art. 9 c. 7; ini.md §7.3). A number is an NRE, in upper case.
 */
export type Order = string

/** Authority of the NRE in metadata, and the one that documents write inside (ini.md §3.4). */
const authority = '2.16.840.1.113883.2.9.4.3.8'
const authorities: ReadonlySet<string> = new Set([authority, '2.16.840.1.113883.2.9.4.3.9'])

/** Prescriptions of drugs, of services and of devices (ini.md §4.1). */
const prescriptionTypes: ReadonlySet<string> = new Set(['57833-6', '57832-8', '57829-4'])

/** Documents of Sistema TS bear the number they are of: a prescription (`PRE`), or its dispensing (`ERO`; ini.md §3.4). */
const sistemaTsId = /(?:^|\^)([0-9A-Z]+)_(PRE|ERO)(?:SPEC|FARM)$/i

/** What INI was seen to make an id of: the whole reference, between the authority and the suffix (#2006). */
const doubledId = /\^([0-9A-Z]+)\^\^\^&[0-9.]+&ISO\^[a-z0-9:]+_(PRE|ERO)(?:SPEC|FARM)$/i

interface Orders {
  /** The orders whose prescription the entry is. */
  readonly prescribed: readonly Order[]
  /** The orders that the entry answers. */
  readonly cited: readonly Order[]
}

/** Which orders the entry has to do with, and how. */
export function ordersOf({ uniqueId, typeCode, referenceIds }: DocumentEntry): Orders {
  const told = referenceIds.flatMap((reference) => orderIn(reference) ?? [])
  const [, number = '', kind = ''] = sistemaTsId.exec(uniqueId) ?? doubledId.exec(uniqueId) ?? []
  const own = number === '' ? [] : [number.toUpperCase()]
  const orders = [...new Set([...own, ...told])]
  const prescribes = kind === '' ? prescriptionTypes.has(typeCode?.code ?? '') : kind.toUpperCase() === 'PRE'
  return prescribes ? { prescribed: orders, cited: [] } : { prescribed: [], cited: orders }
}

/**
 * `<NRE>^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order`, also with the suffix of an id behind the number
 * (#1798) or the authority before it (#2006). Undefined for studies, requests and what else is referred to.
 */
function orderIn(reference: string): Order | undefined {
  const parts = reference.split('^')
  if (authorities.has(parts[0] ?? '')) parts.shift()
  const [number = '', , , assigner = '', type = ''] = parts
  const [, oid = ''] = assigner.split('&')
  const isOrder = oid === '' ? /:order$/.test(type) : authorities.has(oid)
  const bare = number.replace(/_(?:PRE|ERO)(?:SPEC|FARM)$/i, '').toUpperCase()
  return isOrder && bare !== '' ? bare : undefined
}

/** The unique ids that the prescription of an order may have (ini.md §3.4). */
export function prescriptionIds(order: Order): readonly string[] {
  return [`${authority}^${order}_PRESPEC`, `${authority}^${order}_PREFARM`]
}

/** The orders that entries cite, each once: whether an entry may be shown depends on their prescriptions. */
export function citedOrders(entries: Iterable<DocumentEntry>): ReadonlySet<Order> {
  const cited = new Set<Order>()
  for (const entry of entries) for (const order of ordersOf(entry).cited) cited.add(order)
  return cited
}

/** The orders whose prescription is among the entries. */
export function prescribedOrders(entries: Iterable<DocumentEntry>): ReadonlySet<Order> {
  const prescribed = new Set<Order>()
  for (const entry of entries) for (const order of ordersOf(entry).prescribed) prescribed.add(order)
  return prescribed
}

/** Whether the chain is of any concern to the viewer: nothing is obscured to citizens and to systems (ini.md §4.5). */
export function isBoundByChain({ viewer }: Permit): boolean {
  return !seesObscured(viewer)
}

/**
 * Unique ids of the entries that count as obscured because a prescription is, whoever told of either: `context` are
 * further entries known of, such as the prescriptions. Like an obscured document they are shown to their own author, who
 * always sees what they wrote (DM 7/9/2023 art. 8 c. 7), and not to the prescriber.
 */
export function hiddenByChain(
  entries: Iterable<DocumentEntry>,
  context: Iterable<DocumentEntry>,
  permit: Permit,
  isAuthor: IsAuthor,
): ReadonlySet<string> {
  if (!isBoundByChain(permit)) return new Set()
  const known = [...entries]
  return following(known, prescribedOrders([...known, ...context].filter(isObscured)), permit, isAuthor)
}

/** Unique ids of the entries that have to do with one of the orders and are not the viewer's own. */
export function following(
  entries: Iterable<DocumentEntry>,
  orders: ReadonlySet<Order>,
  { viewer }: Permit,
  isAuthor: IsAuthor,
): ReadonlySet<string> {
  const hidden = new Set<string>()
  if (orders.size === 0) return hidden
  for (const entry of entries) {
    const { cited, prescribed } = ordersOf(entry)
    const follows = [...cited, ...prescribed].some((order) => orders.has(order))
    if (follows && !isAuthor(entry, viewer.subject)) hidden.add(entry.uniqueId)
  }
  return hidden
}
