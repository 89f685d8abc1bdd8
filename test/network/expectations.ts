import { type Citizen, samePerson } from './citizens.ts'
import { type Entry, isObscured } from './entry.ts'
import type { Holder } from './registry-book.ts'
import { holders, type Seed } from './seed.ts'

/** Who is asked about a citizen, and which counterparts do not answer. */
export interface Circumstances {
  /** Counterparts the gateway asks: its own record, INI, and the regions it asks directly. */
  readonly asked: readonly Holder[]
  /** Counterparts that cannot be reached, by the gateway or by INI. */
  readonly down?: readonly Holder[]
  /** The role of who asks; default `AAS`, a hospital doctor. */
  readonly role?: string
}

/** What must come of a FindDocuments for approved documents, told from the seed and never from the gateway. */
export interface Expectations {
  /** Ids of the documents that must be shown, each once, in alphabetical order. */
  readonly visible: readonly string[]
  /** Ids of the documents that those asked know of and that must leave no trace. */
  readonly hidden: readonly string[]
  /** For each visible document, whose answers tell of it. */
  readonly toldBy: Readonly<Record<string, readonly Holder[]>>
  /** Those asked who cannot answer: itself down, or INI with the region behind it down. */
  readonly failing: readonly Holder[]
}

const mayLookBehind = new Set(['ASS', 'TUT', 'GEN', 'ING'])

export function expectations(seed: Seed, citizen: Citizen, circumstances: Circumstances): Expectations {
  const { asked, down = [], role = 'AAS' } = circumstances
  const privileged = mayLookBehind.has(role)
  const known = new Map<Holder, readonly Entry[]>()
  const failing: Holder[] = []
  for (const holder of asked) {
    const source = behind(holder, citizen)
    if (down.includes(holder) || (source !== undefined && down.includes(source))) failing.push(holder)
    else known.set(holder, source === undefined ? [] : entriesKnown(seed, holder, source, citizen))
  }
  const told = new Map([...known].map(([holder, entries]) => [holder, entries.filter(tells(holder, privileged))]))
  // Whoever hears of one obscured copy treats every copy as obscured: the strictest word counts.
  const obscured = new Set(
    privileged
      ? []
      : [...told.values()]
          .flat()
          .filter(isObscured)
          .map(({ uniqueId }) => uniqueId),
  )
  const ids = (from: ReadonlyMap<Holder, readonly Entry[]>): string[] =>
    [...new Set([...from.values()].flat().map(({ uniqueId }) => uniqueId))].sort()
  const visible = ids(told).filter((id) => !obscured.has(id))
  const toldBy = Object.fromEntries(
    visible.map((id) => [id, asked.filter((holder) => told.get(holder)?.some(({ uniqueId }) => uniqueId === id))]),
  )
  return { visible, hidden: ids(known).filter((id) => !visible.includes(id)), toldBy, failing }
}

/** Our own record leaves the hiding to the gateway; INI and the regions hide by themselves, the latter from everybody. */
function tells(holder: Holder, privileged: boolean): (entry: Entry) => boolean {
  return (entry) => holder === 'tuscany' || (holder === 'ini' && privileged) || !isObscured(entry)
}

/** Whose registry answers when a counterpart is asked; `undefined` when INI leaves it to the asking region. */
function behind(holder: Holder, { assistedBy }: Citizen): Holder | undefined {
  if (holder !== 'ini' || assistedBy === 'none') return holder
  return holders.find((known) => known === `region-${assistedBy}`)
}

function entriesKnown(seed: Seed, holder: Holder, source: Holder, citizen: Citizen): readonly Entry[] {
  return seed.holdings[source].entries.filter(
    (entry) =>
      entry.status === 'Approved' &&
      samePerson(entry.patient, citizen.identifiers[0]) &&
      // Asked directly, a region tells of what it keeps itself.
      (holder === 'ini' || holder === 'tuscany' || source === `region-${entry.keeper}`),
  )
}
