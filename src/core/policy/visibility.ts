import type { Permit } from '../model/call.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { citizenRoles } from './access.ts'

/** Access policy codes of the event code list (ini.md §4.5) and the confidentiality they go with (R227, §4.4). */
const hiding = {
  obscured: 'P99',
  inClear: 'P00',
  fromParent: 'P97',
  fromAssisted: 'P98',
  mostProtected: 'V',
} as const

/** Whether the viewer wrote the document. Handed in: how a person is spelt is not the core's business. */
export type IsAuthor = (entry: DocumentEntry, subject: string) => boolean

/**
 * Whether the viewer may know that the entry exists (Affinity Domain 2.6.1 p. 20, ini.md §4.5). A most protected entry
 * that nobody declared in clear counts as obscured: when the codes contradict each other, the answer is no.
 */
export function isVisible(entry: DocumentEntry, permit: Permit, isAuthor: IsAuthor): boolean {
  if (permit.documentTypes !== undefined && !ofPermittedType(entry, permit)) return false
  const { role, purposeOfUse, subject } = permit.viewer
  const events = new Set(entry.eventCodes.map(({ code }) => code))
  if (role === 'GEN' && events.has(hiding.fromParent)) return false
  if (role === 'ASS' && events.has(hiding.fromAssisted)) return false
  const protectedMost = entry.confidentialityCodes.some(({ code }) => code === hiding.mostProtected)
  const obscured = events.has(hiding.obscured) || (protectedMost && !events.has(hiding.inClear))
  if (!obscured || citizenRoles.has(role)) return true
  if (purposeOfUse === 'SYSADMIN' && (role === 'INI' || role === 'NOR')) return true
  return isAuthor(entry, subject)
}

function ofPermittedType(entry: DocumentEntry, { documentTypes = [] }: Permit): boolean {
  const { typeCode } = entry
  return (
    typeCode !== undefined &&
    documentTypes.some((type) => type.code === typeCode.code && type.scheme === typeCode.scheme)
  )
}
