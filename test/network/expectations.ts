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
  /** Ids of the documents that somebody told of and that must leave no trace. */
  readonly hidden: readonly string[]
  /** For each visible document, whose answers tell of it. */
  readonly toldBy: Readonly<Record<string, readonly Holder[]>>
  /** Those asked who cannot answer: itself down, or INI with the region behind it down. */
  readonly failing: readonly Holder[]
}

const mayLookBehind = new Set(['ASS', 'TUT', 'GEN', 'ING'])

export function expectations(seed: Seed, citizen: Citizen, circumstances: Circumstances): Expectations {
  const { asked, down = [], role = 'AAS' } = circumstances
  const told = new Map<Holder, readonly Entry[]>()
  const failing: Holder[] = []
  for (const holder of asked) {
    const source = behind(holder, citizen)
    if (down.includes(holder) || (source !== undefined && down.includes(source))) failing.push(holder)
    else told.set(holder, source === undefined ? [] : entriesTold(seed, holder, source, citizen))
  }
  const all = [...told.values()].flat()
  const hiddenIds = new Set(mayLookBehind.has(role) ? [] : all.filter(isObscured).map((entry) => entry.uniqueId))
  const visible = [...new Set(all.map((entry) => entry.uniqueId))].filter((id) => !hiddenIds.has(id)).sort()
  const toldBy = Object.fromEntries(
    visible.map((id) => [id, asked.filter((holder) => told.get(holder)?.some((entry) => entry.uniqueId === id))]),
  )
  return { visible, hidden: [...hiddenIds].sort(), toldBy, failing }
}

/** Whose registry answers when a counterpart is asked; `undefined` when INI leaves it to the asking region. */
function behind(holder: Holder, { assistedBy }: Citizen): Holder | undefined {
  if (holder !== 'ini' || assistedBy === 'none') return holder
  return holders.find((known) => known === `region-${assistedBy}`)
}

function entriesTold(seed: Seed, holder: Holder, source: Holder, citizen: Citizen): readonly Entry[] {
  return seed.holdings[source].entries.filter(
    (entry) =>
      entry.status === 'Approved' &&
      samePerson(entry.patient, citizen.identifiers[0]) &&
      // Asked directly, a region tells of what it keeps itself.
      (holder === 'ini' || holder === 'tuscany' || source === `region-${entry.keeper}`),
  )
}
