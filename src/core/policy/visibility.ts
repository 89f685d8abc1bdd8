import type { Permit } from '../model/call.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { startOf } from '../model/timestamp.ts'

/** Who looks, as far as hiding tells people apart: by their role, and systems by their purpose too. */
export type Viewer = 'assisted' | 'parent' | 'guardian' | 'delegate' | 'system' | 'other'

/** How a document is marked: by access policy codes (ini.md §4.5), and by the confidentiality they go with (R227, §4.4). */
export type Mark = 'P99' | 'P97' | 'P98' | 'P00' | 'V'

/** What a mark means: who is shown a document that bears it. */
export interface VisibilityRow {
  readonly mark: Mark
  readonly shownTo: ReadonlySet<Viewer>
  /** Whether whoever wrote the document is shown it all the same. */
  readonly author: boolean
  readonly source: string
}

const everybody: readonly Viewer[] = ['assisted', 'parent', 'guardian', 'delegate', 'system', 'other']
const but = (...hidden: readonly Viewer[]): ReadonlySet<Viewer> => {
  return new Set(everybody.filter((viewer) => !hidden.includes(viewer)))
}

/** A document is shown to whom every row of its marks shows it: when the marks contradict each other, the answer is no. */
export const visibilityTable: readonly VisibilityRow[] = [
  {
    ...{ mark: 'P99', shownTo: but('other'), author: true },
    source:
      'ini.md §4.5: not but to ASS, GEN, TUT, ING, the author, index transfer, hiding chain (AD 2.6.1 p. 20, #1651)',
  },
  {
    ...{ mark: 'V', shownTo: but('other'), author: true },
    source: 'ini.md §4.4 R227: most protected, and obscured unless declared in clear (P00); DM 7/9/2023 art. 6',
  },
  { mark: 'P00', shownTo: new Set(everybody), author: true, source: 'ini.md §4.5: in clear; takes the mark V away' },
  { mark: 'P97', shownTo: but('parent'), author: false, source: 'ini.md §4.5: hidden from the parent (#1822)' },
  {
    ...{ mark: 'P98', shownTo: but('assisted', 'parent', 'guardian', 'delegate'), author: false },
    source: 'ini.md §4.5: hidden from the assisted (#1822); and from whoever acts for them: sistema-ts.md §C.3 [DK]',
  },
]

const viewers: Readonly<Record<string, Viewer>> = Object.assign(Object.create(null), {
  ASS: 'assisted',
  GEN: 'parent',
  TUT: 'guardian',
  ING: 'delegate',
})

/** Who a permit's viewer is. INI and a region's node look behind what is hidden for SYSADMIN only (ini.md §2.4). */
export function viewerOf({ role, purposeOfUse }: Permit['viewer']): Viewer {
  if (purposeOfUse === 'SYSADMIN' && (role === 'INI' || role === 'NOR')) return 'system'
  return viewers[role] ?? 'other'
}

/** Whether obscured documents are shown to the viewer, whoever wrote them. */
export function seesObscured(viewer: Permit['viewer']): boolean {
  return rowsOf('P99').every(({ shownTo }) => shownTo.has(viewerOf(viewer)))
}

/** Whether the entry is obscured: expressly, or as one that is most protected and that nobody declared in clear. */
export function isObscured(entry: DocumentEntry): boolean {
  return marksOf(entry).some((mark) => mark === 'P99' || mark === 'V')
}

/** Whether the viewer wrote the document. Handed in: how a person is spelt is not the core's business. */
export type IsAuthor = (entry: DocumentEntry, subject: string) => boolean

/**
 * Whether the viewer may know that the entry exists: it is of a type the permit shows, of a time the patient lets be seen,
 * and every mark it bears shows it (Affinity Domain 2.6.1 p. 20, ini.md §4.5).
 */
export function isVisible(entry: DocumentEntry, permit: Permit, isAuthor: IsAuthor): boolean {
  if (permit.documentTypes !== undefined && !ofPermittedType(entry, permit)) return false
  const viewer = viewerOf(permit.viewer)
  const hiding = marksOf(entry)
    .flatMap(rowsOf)
    .filter(({ shownTo }) => !shownTo.has(viewer))
  if (hiding.some(({ author }) => !author)) return false
  if (hiding.length === 0 && permit.authoredOnly === undefined && !isTooOld(entry, permit)) return true
  return isAuthor(entry, permit.viewer.subject)
}

function rowsOf(mark: Mark): readonly VisibilityRow[] {
  return visibilityTable.filter((row) => row.mark === mark)
}

const codes: ReadonlySet<string> = new Set<Mark>(['P99', 'P97', 'P98', 'P00'])

function marksOf({ eventCodes, confidentialityCodes }: DocumentEntry): readonly Mark[] {
  const events = eventCodes.map(({ code }) => code)
  const marks = events.filter((code): code is Mark => codes.has(code))
  const isMostProtected = confidentialityCodes.some(({ code }) => code === 'V')
  return isMostProtected && !events.includes('P00') ? [...marks, 'V'] : marks
}

/** By the first moment the document tells of; one that tells of none may be of any time. */
function isTooOld({ serviceStartTime, creationTime }: DocumentEntry, { hiddenBefore }: Permit): boolean {
  if (hiddenBefore === undefined) return false
  const times = [serviceStartTime, creationTime].flatMap((time) => (time === undefined ? [] : [startOf(time)]))
  return times.length === 0 || times.some((time) => time < startOf(hiddenBefore))
}

function ofPermittedType(entry: DocumentEntry, { documentTypes = [] }: Permit): boolean {
  const { typeCode } = entry
  return (
    typeCode !== undefined &&
    documentTypes.some((type) => type.code === typeCode.code && type.scheme === typeCode.scheme)
  )
}
