import { GatewayError, type Issue } from '../../core/errors.ts'
import type { Association, DocumentEntry } from '../../core/model/metadata.ts'
import { authorities, type PatientId, samePatientId } from '../../core/model/patient.ts'
import type { BundledResource } from './bundle.ts'
import { decodeDocumentReference, entryUuidOf } from './document-reference.ts'
import { decodePatient } from './patient.ts'
import { isObject, type Json, type Reference } from './types.ts'

/** What a search for documents found. */
export interface FoundDocuments {
  readonly entries: readonly DocumentEntry[]
  readonly associations: readonly Association[]
  /** A warning for every document that could not be understood. */
  readonly issues: readonly Issue[]
  /** How many relations point to documents that did not come along and are not named. */
  readonly dangling: number
}

/** Resources of one answer, found by the references other resources of it use. */
export type Neighbours = ReadonlyMap<string, Json>

/** Everything one answer brought, and what was fetched for it. */
export function neighboursOf(resources: Iterable<BundledResource>): Neighbours {
  const neighbours = new Map<string, Json>()
  for (const { resource, fullUrl } of resources) {
    if (fullUrl !== undefined) neighbours.set(fullUrl, resource)
    if (typeof resource.id === 'string') neighbours.set(`${String(resource.resourceType)}/${resource.id}`, resource)
  }
  return neighbours
}

/**
 * Decodes DocumentReferences of one answer. Whoever the answer calls the patient by reference only is named by the
 * identifier asked for, if it is one of theirs. A document that cannot be understood costs itself and a warning.
 */
export function decodeDocuments(
  documents: readonly BundledResource[],
  neighbours: Neighbours,
  asked?: PatientId,
): FoundDocuments {
  const entries: DocumentEntry[] = []
  const associations: Association[] = []
  const issues: Issue[] = []
  let dangling = 0
  for (const { resource } of documents) {
    try {
      const decoded = decodeDocumentReference(resource, {
        patientId: (subject) => patientIdOf(neighbours.get(placeOf(subject)), asked),
        entryUuid: (document) => documentIdOf(neighbours.get(placeOf(document))),
      })
      entries.push(decoded.entry)
      associations.push(...decoded.associations)
      dangling += decoded.dangling
    } catch (error) {
      issues.push(leftOut(resource, error))
    }
  }
  return { entries, associations, issues, dangling }
}

/** What several searches, or several parts of one, found. */
export function together(parts: readonly FoundDocuments[]): FoundDocuments {
  return {
    entries: parts.flatMap(({ entries }) => entries),
    associations: parts.flatMap(({ associations }) => associations),
    issues: parts.flatMap(({ issues }) => issues),
    dangling: parts.reduce((sum, { dangling }) => sum + dangling, 0),
  }
}

/** Server ids of patients whom documents refer to by them alone, and who did not come along. */
export function unknownSubjects(documents: readonly BundledResource[], neighbours: Neighbours): readonly string[] {
  const ids = new Set<string>()
  for (const { resource } of documents) {
    const { subject } = resource
    if (!isObject(subject) || subject.identifier !== undefined || typeof subject.reference !== 'string') continue
    const place = placeOf({ reference: subject.reference })
    const id = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(place)?.[1]
    if (id !== undefined && !neighbours.has(place)) ids.add(id)
  }
  return [...ids]
}

/** A reference to one version of a resource means the resource. */
function placeOf({ reference = '' }: Reference): string {
  const version = reference.indexOf('/_history/')
  return version < 0 ? reference : reference.slice(0, version)
}

function documentIdOf(resource: Json | undefined): string | undefined {
  if (resource?.resourceType !== 'DocumentReference') return undefined
  try {
    return entryUuidOf(resource)
  } catch {
    // An odd document costs itself, not those that refer to it.
    return undefined
  }
}

function patientIdOf(resource: Json | undefined, asked: PatientId | undefined): PatientId | undefined {
  if (resource?.resourceType !== 'Patient') return undefined
  const { identifiers } = decodePatient(resource)
  const ids = identifiers.map(({ id }) => id)
  if (asked !== undefined && ids.some((id) => samePatientId(id, asked))) return asked
  const inUse = identifiers.filter(({ old }) => !old).map(({ id }) => id)
  return inUse.find(({ authority }) => authority === authorities.codiceFiscale) ?? inUse[0] ?? ids[0]
}

function leftOut({ id }: Json, error: unknown): Issue {
  if (!(error instanceof GatewayError)) throw error
  const isId = typeof id === 'string' && /^[A-Za-z0-9\-.]{1,64}$/.test(id)
  const which = isId ? `DocumentReference/${id}` : 'a document without an id'
  return { severity: 'warning', code: 'XDSRegistryMetadataError', text: `Left out ${which}: ${error.message}` }
}
