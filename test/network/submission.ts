import { randomUUID } from 'node:crypto'
import {
  association,
  element,
  extrinsicObject,
  folder,
  type RegistryIssue,
  registryErrorList,
  responseStatus,
  rim,
  rs,
  submissionSet,
} from './ebrim.ts'
import { associationType, type Code, type DocumentFacts, type Entry, type Holdings } from './entry.ts'
import { kindOf } from './kinds.ts'
import { organization } from './organizations.ts'

export const lcm = 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0'
export const registerDocumentSet = 'urn:ihe:iti:2007:RegisterDocumentSet-b'
export const updateDocumentSet = 'urn:ihe:iti:2010:UpdateDocumentSet'
export const deleteDocumentSet = 'urn:ihe:iti:2010:DeleteDocumentSet'
/** As INI and the regions name the deletion, the mistyped `Deletet` included (ini.md §1.2). */
export const nationalDelete = 'urn:ihe:iti:xds-b:2010:XDSDeletetWS:DocumentRegistry_DeleteDocumentSetRequest'

/** An entry as one registry knows it, as far as who changes it must know. */
export type Known = Pick<Entry, 'entryUuid'> & Partial<Pick<Entry, 'logicalId' | 'version'>>

/** What is submitted, and why. */
export type Purpose =
  | { readonly kind: 'create' }
  /** The document takes the place of an older one (RPLC). */
  | { readonly kind: 'replace'; readonly older: Known }
  /** What is known of the document changes: ITI-57. */
  | { readonly kind: 'update'; readonly former: Known }
  /** The same as INI did it before ITI-57: the whole entry, replacing itself under its own id (#761). */
  | { readonly kind: 'replace-itself'; readonly former: Known }

/** Whose names a submission bears, and the clinical activity it belongs to. */
export interface SubmissionWishes {
  /** The organization that submits; by default the one that keeps the document. */
  readonly source?: string
  /** contentTypeCode; by default that of the kind of document. */
  readonly content?: Code
  readonly setUniqueId?: string
  /** `YYYYMMDDhhmmss`; by default when the document was made. */
  readonly submissionTime?: string
}

/** A submission of one document, under the symbolic ids of the national gateway (ini.md §3.1–3.3). */
export function submissionOf(facts: DocumentFacts, purpose: Purpose, wishes: SubmissionWishes = {}): Holdings {
  const { source = facts.keeper, content = kindOf(facts.typeCode.code).content } = wishes
  const { arc } = organization(source)
  const former = 'former' in purpose ? purpose.former : undefined
  const document = purpose.kind === 'replace-itself' ? purpose.former.entryUuid : 'Document1'
  const entry: Entry = {
    ...facts,
    entryUuid: document,
    // A registry behind FHIR tells of neither.
    logicalId: former === undefined ? '' : former.logicalId || former.entryUuid,
    version: former?.version ?? '',
    status: 'Approved',
    home: organization(facts.keeper).home,
  }
  const target = purpose.kind === 'replace' ? purpose.older : purpose.kind === 'replace-itself' ? former : undefined
  return {
    entries: [entry],
    submissionSets: [
      {
        entryUuid: 'SubmissionSet1',
        uniqueId: wishes.setUniqueId ?? `${arc}.4.3.${BigInt(`0x${randomUUID().replaceAll('-', '').slice(0, 16)}`)}`,
        sourceId: arc,
        patient: facts.patient,
        submissionTime: wishes.submissionTime ?? facts.creationTime,
        contentType: content,
        author: facts.author,
        status: 'Approved',
        title: `Comunicazione: ${facts.title}`,
      },
    ],
    folders: [],
    associations: [
      {
        entryUuid: 'SubmissionSet1_Association_0',
        type: associationType.hasMember,
        source: 'SubmissionSet1',
        target: document,
        submissionSetStatus: 'Original',
        ...(purpose.kind === 'update' && { previousVersion: purpose.former.version || '1' }),
      },
      ...(target === undefined
        ? []
        : [
            {
              entryUuid: 'SubmissionSet1_Association_1',
              type: associationType.replaces,
              source: document,
              target: target.entryUuid,
            },
          ]),
    ],
  }
}

/** A `SubmitObjectsRequest` (ITI-42, ITI-57). */
export function submitObjectsRequest({ entries, submissionSets, folders, associations }: Holdings): string {
  return element(
    'lcm:SubmitObjectsRequest',
    { 'xmlns:lcm': lcm, 'xmlns:rim': rim, 'xmlns:rs': rs },
    element(
      'rim:RegistryObjectList',
      {},
      ...entries.map(extrinsicObject),
      ...submissionSets.map(submissionSet),
      ...folders.map(folder),
      ...associations.map(association),
    ),
  )
}

/** A `RemoveObjectsRequest` (ITI-62). */
export function removeObjectsRequest(ids: readonly string[]): string {
  return element(
    'lcm:RemoveObjectsRequest',
    { 'xmlns:lcm': lcm, 'xmlns:rim': rim, 'xmlns:rs': rs },
    element('rim:ObjectRefList', {}, ...ids.map((id) => element('rim:ObjectRef', { id }))),
  )
}

/** A `RegistryResponse`: what a registry says to a change. */
export function registryResponse(status: 'Success' | 'Failure', issues: readonly RegistryIssue[] = []): string {
  return element(
    'rs:RegistryResponse',
    { 'xmlns:rs': rs, status: responseStatus[status] },
    issues.length > 0 ? registryErrorList(issues) : '',
  )
}
