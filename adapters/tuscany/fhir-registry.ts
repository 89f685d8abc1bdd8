import { GatewayError } from '../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { Association, DocumentEntry } from '../../src/core/model/metadata.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import type {
  FindDocuments,
  FindDocumentsByReferenceId,
  GetAll,
  GetDocuments,
  GetDocumentsAndAssociations,
  StoredQuery,
} from '../../src/core/model/stored-query.ts'
import type { DocumentRegistry } from '../../src/core/ports.ts'
import type { BundledResource } from '../../src/wire/fhir/bundle.ts'
import { entryUuidsOf } from '../../src/wire/fhir/document-reference.ts'
import {
  decodeDocuments,
  type FoundDocuments,
  neighboursOf,
  together,
  unknownSubjects,
} from '../../src/wire/fhir/documents.ts'
import { encodeDocumentSearch } from '../../src/wire/fhir/search.ts'
import type { Json } from '../../src/wire/fhir/types.ts'
import { type FhirTools, searchFhir } from './fhir-search.ts'

export interface FhirRegistryParts {
  /** `[base]` of the record's FHIR R4 face. */
  readonly baseUrl: string
  readonly tools: FhirTools
}

/** Documents decoded before others get a turn: about 15 ms of work. */
const decodedAtOnce = 250

/** Most identifiers in one search, and most patients looked up for one. */
const idsPerSearch = 50

/**
 * Answers stored queries from a FHIR record (MHD, ITI-67). The record holds documents and what they do to each other:
 * queries about submission sets and folders find nothing, and a warning says so (ITI TF-2: 3.38.4.1.2.3). A document answers
 * to every entryUUID it has had, and is told under the one it has.
 */
export function fhirRegistry({ baseUrl, tools }: FhirRegistryParts): DocumentRegistry {
  type Finding = FindDocuments | FindDocumentsByReferenceId | GetDocuments

  async function find(query: Finding, call: AuthorizedCall): Promise<FoundDocuments> {
    const asked = query.type === 'GetDocuments' ? undefined : query.patientId
    const about = asked ?? call.assertion.patientId
    const { form, matches } = encodeDocumentSearch(query, about)
    const subject = about === undefined ? {} : { patientId: about }
    const found = await searchFhir(baseUrl, tools, { resourceType: 'DocumentReference', form, call, ...subject })
    const all = [...found.matches, ...found.included]
    const { matched, asked: fits } = narrowed(
      query.type === 'GetDocuments' ? query.documents : undefined,
      found.matches,
      matches,
    )
    const patients = await lookUp(unknownSubjects(matched, neighboursOf(found.included)), call, about)
    const neighbours = neighboursOf([...all, ...patients])
    const parts: FoundDocuments[] = []
    for (let at = 0; at < matched.length; at += decodedAtOnce) {
      if (at > 0) await breath()
      parts.push(decodeDocuments(matched.slice(at, at + decodedAtOnce), neighbours, about))
    }
    const decoded = together(parts)
    return {
      ...decoded,
      entries: decoded.entries.filter(fits),
      associations: betweenCurrent(decoded.associations, all),
      issues: [...found.issues, ...decoded.issues],
    }
  }

  /** Patients named by the record's own ids: who they are must be known before anything about them is told. */
  async function lookUp(ids: readonly string[], call: AuthorizedCall, about: PatientId | undefined) {
    if (ids.length === 0) return []
    if (ids.length > idsPerSearch) throw new GatewayError('too-many-results', 'The answer is about too many patients')
    const form = [['_id', ids.join(',')] as const]
    const subject = about === undefined ? {} : { patientId: about }
    const found = await searchFhir(baseUrl, tools, { resourceType: 'Patient', form, call, ...subject })
    return [...found.matches, ...found.included]
  }

  async function findDocuments(query: FindDocuments | FindDocumentsByReferenceId, call: AuthorizedCall) {
    const found = await find(query, call)
    const told = new Set(found.entries.map(({ entryUuid }) => entryUuid))
    // Like XDS, a search tells of no document it did not find; how those it found replace each other orders them.
    return answer(found, (link) => told.has(link.source) && told.has(link.target))
  }

  async function getDocuments(query: GetDocuments, call: AuthorizedCall): Promise<FoundDocuments> {
    const { by, ids } = query.documents
    const parts: FoundDocuments[] = []
    for (let at = 0; at < ids.length; at += idsPerSearch) {
      const some = { by, ids: ids.slice(at, at + idsPerSearch) }
      parts.push(await find({ ...query, documents: some }, call).catch(unlessUnknown))
    }
    return together(parts)
  }

  /** FHIR tells what a document does to others; what others do to it stands with the patient's other documents. */
  async function getDocumentsAndAssociations(query: GetDocumentsAndAssociations, call: AuthorizedCall) {
    const { documents, extra } = query
    const wanted = await getDocuments({ type: 'GetDocuments', documents, extra }, call)
    const told = new Set(wanted.entries.map(({ entryUuid }) => entryUuid))
    const patients = new Map(wanted.entries.map(({ patientId: id }) => [`${id.value} ${id.authority}`, id]))
    const around: FoundDocuments[] = []
    for (const patientId of patients.values()) around.push(await find(everything(patientId), call))
    const associations = around.flatMap((found) => found.associations)
    const issues = [...wanted.issues, ...around.flatMap((found) => [...found.issues, ...danglingIn(found)])]
    return answer({ ...wanted, associations, issues }, (link) => told.has(link.source) || told.has(link.target))
  }

  async function getAll({ patientId, documentStatus, filter, extra }: GetAll, call: AuthorizedCall) {
    const found = await find({ type: 'FindDocuments', patientId, status: documentStatus, filter, extra }, call)
    const told = new Set(found.entries.map(({ entryUuid }) => entryUuid))
    return answer(found, (link) => told.has(link.source) && told.has(link.target))
  }

  return {
    async query(query, call) {
      switch (query.type) {
        case 'FindDocuments':
        case 'FindDocumentsByReferenceId':
          return await findDocuments(query, call)
        case 'GetAll':
          return await getAll(query, call)
        case 'GetDocuments':
          if (query.documents.by === 'logical-id') return unanswerable(query)
          return answer(await getDocuments(query, call), () => false)
        case 'GetDocumentsAndAssociations':
          if (query.documents.by === 'logical-id') return unanswerable(query)
          return await getDocumentsAndAssociations(query, call)
        default:
          return unanswerable(query)
      }
    },
  }
}

/** Only a resource says which entryUUIDs a document has had; everything else is asked of the entry. */
function narrowed(
  documents: GetDocuments['documents'] | undefined,
  found: readonly BundledResource[],
  matches: (entry: DocumentEntry) => boolean,
) {
  if (documents?.by !== 'entry-uuid') return { matched: found, asked: matches }
  const wanted = new Set(documents.ids)
  const isWanted = ({ resource }: BundledResource) => {
    const ids = uuidsOf(resource)
    // What cannot be understood costs a warning.
    return ids === undefined || ids.some((id) => wanted.has(id))
  }
  return { matched: found.filter(isWanted), asked: () => true }
}

/** The one it has first; undefined when that cannot be told. */
function uuidsOf(resource: Json): readonly string[] | undefined {
  try {
    const { current, former } = entryUuidsOf(resource)
    return current === undefined ? undefined : [current, ...former]
  } catch (error) {
    if (error instanceof GatewayError) return undefined
    throw error
  }
}

/** A relation may name a document by an entryUUID it had before. */
function betweenCurrent(
  associations: readonly Association[],
  resources: readonly BundledResource[],
): readonly Association[] {
  const current = new Map<string, string>()
  for (const { resource } of resources) {
    if (resource.resourceType !== 'DocumentReference') continue
    const [now, ...former] = uuidsOf(resource) ?? []
    if (now !== undefined) for (const id of former) current.set(id, now)
  }
  if (current.size === 0) return associations
  return associations.map((link) => ({ ...link, target: current.get(link.target) ?? link.target }))
}

function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function everything(patientId: PatientId): FindDocuments {
  const filter = { kinds: ['stable', 'on-demand'] as const }
  return { type: 'FindDocuments', patientId, status: ['approved', 'deprecated'], filter, extra: [] }
}

function answer(found: FoundDocuments, tells: (link: FoundDocuments['associations'][number]) => boolean): QueryAnswer {
  const { entries, associations, issues } = found
  return { ...nothingFound, entries, associations: associations.filter(tells), issues }
}

function unanswerable(query: StoredQuery): QueryAnswer {
  const text = `The FHIR record holds documents only, without logical ids, and cannot answer ${query.type} in full`
  return { ...nothingFound, issues: [{ severity: 'warning', code: 'XDSRegistryError', text }] }
}

function danglingIn({ dangling }: FoundDocuments): QueryAnswer['issues'] {
  if (dangling === 0) return []
  const text = `Left out ${dangling} relations between documents: they point to something the record does not name`
  return [{ severity: 'warning', code: 'XDSRegistryMetadataError', text }]
}

/** Documents asked for by id are not found where their patient is not known. */
function unlessUnknown(error: unknown): FoundDocuments {
  if (error instanceof GatewayError && error.code === 'patient-unknown') {
    return together([])
  }
  throw error
}
