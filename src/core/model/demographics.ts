import type { Timestamp } from './timestamp.ts'

/** A person's name by its parts; each may be several words. */
export interface PersonName {
  readonly family?: string
  readonly given: readonly string[]
}

export type Gender = 'female' | 'male' | 'other' | 'unknown'

/** What is told of a person beside identifiers. Nobody is found by it here: it can only speak against a person. */
export interface Demographics {
  /** Every name the person goes by or went by. */
  readonly names: readonly PersonName[]
  /** `YYYY[MM[DD]]`. */
  readonly birthDate?: Timestamp
  readonly gender?: Gender
}

/** Whether anything is told. */
export function tellsAnything({ names, birthDate, gender }: Demographics): boolean {
  return names.length > 0 || birthDate !== undefined || gender !== undefined
}

/**
 * Whether two descriptions cannot be of one person: no name of one agrees with any name of the other, or births or
 * genders differ. What only one of them tells speaks neither for nor against.
 */
export function contradict(a: Demographics, b: Demographics): boolean {
  return birthsDiffer(a.birthDate, b.birthDate) || gendersDiffer(a.gender, b.gender) || namesDiffer(a.names, b.names)
}

/** As far as both tell: a year agrees with every day in it. */
function birthsDiffer(a: Timestamp | undefined, b: Timestamp | undefined): boolean {
  return a !== undefined && b !== undefined && !a.startsWith(b) && !b.startsWith(a)
}

const definite: ReadonlySet<string | undefined> = new Set(['female', 'male'])

function gendersDiffer(a: Gender | undefined, b: Gender | undefined): boolean {
  return definite.has(a) && definite.has(b) && a !== b
}

function namesDiffer(a: readonly PersonName[], b: readonly PersonName[]): boolean {
  if (a.length === 0 || b.length === 0) return false
  return !a.some((one) => b.some((other) => sameName(one, other)))
}

function sameName(a: PersonName, b: PersonName): boolean {
  return agree(a.family ?? '', b.family ?? '') && agree(a.given.join(' '), b.given.join(' '))
}

/** A second given name or surname may be left out; one that neither has in common with the other may not. */
function agree(a: string, b: string): boolean {
  const [fewer = [], more = []] = [words(a), words(b)].sort((one, other) => one.length - other.length)
  return fewer.join('') === more.join('') || fewer.every((word) => more.includes(word))
}

/** Italian registries write `NICOLO'` for `Nicolò`: neither accents, apostrophes, hyphens nor case tell people apart. */
function words(text: string): readonly string[] {
  const plain = text
    .normalize('NFKD')
    .replace(/[\p{M}'’ʼ\u0060´]/gu, '')
    .toUpperCase()
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
}
