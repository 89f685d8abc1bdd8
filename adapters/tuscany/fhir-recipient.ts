import { GatewayError } from '../../src/core/errors.ts'
import { logicalIdOf, obscured, obscuredCode, visibilityCodes } from '../../src/core/federation/overlay.ts'
import type { UnversionedRecipient } from '../../src/core/federation/referents.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { HideChange, MetadataChange, RemoveChange, Submission, UpdateChange } from '../../src/core/model/change.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import type { GetDocuments } from '../../src/core/model/stored-query.ts'
import { hidingPurpose } from '../../src/wire/ebrim/hiding.ts'
import { haveSameContent, isObscured, sayTheSame } from '../../src/wire/ebrim/same-document.ts'
import {
  decodeDocumentReference,
  encodeDocumentReference,
  entryUuidsOf,
} from '../../src/wire/fhir/document-reference.ts'
import {
  supersededDocumentReference,
  updatedDocumentReference,
  withVisibility,
} from '../../src/wire/fhir/document-reference-write.ts'
import { encodeDocumentSearch, uniqueIdCondition } from '../../src/wire/fhir/search.ts'
import { type Act, type ServedResource, served } from '../../src/wire/fhir/transaction.ts'
import type { Json } from '../../src/wire/fhir/types.ts'
import { type FhirTools, searchFhir } from './fhir-search.ts'
import { type FhirAbout, transact } from './fhir-transaction.ts'

export interface FhirRecipientParts {
  /** `[base]` of the record's FHIR R4 face. */
  readonly baseUrl: string
  /** Where the record hands out documents: `[binaries]?repositoryUniqueId=…&uniqueId=…`. */
  readonly binaries: string
  readonly tools: FhirTools
}

/** A document as the record has it. */
interface Found {
  readonly former: ServedResource
  readonly entry: DocumentEntry
  /** Every entryUUID by which it is known. */
  readonly ids: readonly string[]
}

/** How often what is left to do is found out, when others change the record meanwhile. */
const mostReadings = 3

/** Most identifiers in one search. */
const idsPerSearch = 50

/**
 * Passes changes on to a FHIR record, each as one transaction of what the record does not show yet: so that a change made
 * already is nothing to do. The record holds documents and what they do to each other; submission sets, folders and
 * memberships are not told. An updated document is known by the entryUUID of the update, and by those it had. Hidden documents
 * stay hidden by the code of their policy.
 */
export function fhirRecipient({ baseUrl, binaries, tools }: FhirRecipientParts): UnversionedRecipient {
  async function find(documents: GetDocuments['documents'], call: AuthorizedCall, about: PatientId | undefined) {
    const found: Found[] = []
    for (let at = 0; at < documents.ids.length; at += idsPerSearch) {
      const some = { by: documents.by, ids: documents.ids.slice(at, at + idsPerSearch) }
      const { form, matches } = encodeDocumentSearch({ type: 'GetDocuments', documents: some, extra: [] }, about)
      const subject = about === undefined ? {} : { patientId: about }
      const page = await searchFhir(baseUrl, tools, { resourceType: 'DocumentReference', form, call, ...subject })
      for (const { resource } of page.matches) {
        const entry = read(resource, about)
        const ids = [entry.entryUuid, ...entryUuidsOf(resource).former]
        const named = documents.by === 'entry-uuid' ? some.ids.some((id) => ids.includes(id)) : matches(entry)
        if (named) found.push({ former: served(resource), entry, ids })
      }
    }
    return found
  }

  function addressOf({ uniqueId, repositoryUniqueId = '' }: DocumentEntry): string {
    return `${binaries}?${new URLSearchParams({ repositoryUniqueId, uniqueId }).toString()}`
  }

  async function leftOfSubmission({ entries, associations, submissionSet }: Submission, call: AuthorizedCall) {
    const about = submissionSet.patientId
    const known = await find({ by: 'unique-id', ids: entries.map(({ uniqueId }) => uniqueId) }, call, about)
    const missing = entries.filter((entry) => {
      const there = known.filter((one) => one.entry.uniqueId === entry.uniqueId)
      if (there.some((one) => haveSameContent(one.entry, entry))) return false
      if (there.length === 0) return true
      throw rejected('XDSNonIdenticalHash', 'Our community has another document of that uniqueId', entry.uniqueId)
    })
    const creations = missing.map((entry): Act => {
      const current = { ...entry, status: entry.status ?? 'approved' }
      const resource = encodeDocumentReference(current, { url: addressOf(entry), associations })
      return { does: 'create', resource, unless: uniqueIdCondition(entry.uniqueId) }
    })
    // A copy that was there before says nothing of a hiding that comes with this one.
    const hidden = new Set(entries.filter(isObscured).map(({ uniqueId }) => uniqueId))
    const shown = currentOf(known).filter(({ entry }) => hidden.has(entry.uniqueId) && !isObscured(entry))
    const hidings = shown.map(({ former }): Act => hidingAct(former))
    return [...creations, ...hidings, ...(await leftOfReplacements({ associations, submissionSet }, call))]
  }

  async function leftOfReplacements(
    { associations, submissionSet }: Pick<Submission, 'associations' | 'submissionSet'>,
    call: AuthorizedCall,
  ): Promise<readonly Act[]> {
    const ids = associations.flatMap(({ type, target }) =>
      type === 'replaces' || type === 'transforms-and-replaces' ? [target] : [],
    )
    const targets = await find({ by: 'entry-uuid', ids }, call, submissionSet.patientId)
    const unknown = ids.find((id) => !targets.some((target) => target.ids.includes(id)))
    if (unknown !== undefined) {
      throw rejected('UnresolvedReferenceException', 'Our community has no such document to be replaced', unknown)
    }
    return distinct(targets).flatMap(({ former, entry }): readonly Act[] =>
      entry.status === 'deprecated'
        ? []
        : [{ does: 'replace', former, resource: supersededDocumentReference(former.resource) }],
    )
  }

  async function leftOfUpdate(
    { submission: { entries, submissionSet }, keepsHiding }: UpdateChange,
    call: AuthorizedCall,
  ): Promise<readonly Act[]> {
    const ids = entries.map(({ uniqueId }) => uniqueId)
    const known = await find({ by: 'unique-id', ids }, call, submissionSet.patientId)
    return entries.flatMap((entry): readonly Act[] => {
      const found = currentOf(known.filter((one) => one.entry.uniqueId === entry.uniqueId))
      if (found.length === 0) throw unknownDocument(entry.uniqueId)
      // Two documents never bear one entryUUID.
      const followed = found.find(({ ids: own }) => own.includes(logicalIdOf(entry))) ?? found[0]
      return found.flatMap((one) => {
        const { former, entry: before } = one
        const entryUuid = one === followed ? entry.entryUuid : before.entryUuid
        const said = keepsHiding === true && isObscured(before) ? obscured(entry) : entry
        const now = { ...said, entryUuid, status: before.status ?? 'approved' }
        const resource = updatedDocumentReference(former.resource, now, { url: addressOf(entry) })
        const after = read(resource, before.patientId)
        // A version has an id of its own, so that who bears it has been made; what says the same may have another.
        const bearsIt = one === followed && entryUuid === before.entryUuid && entryUuid !== logicalIdOf(entry)
        const made = bearsIt || (after.entryUuid === before.entryUuid && sayTheSame(after, before))
        return made ? [] : [{ does: 'replace', former, resource }]
      })
    })
  }

  async function leftOfRemoval({ ids }: RemoveChange, call: AuthorizedCall, about: PatientId | undefined) {
    const found = await find({ by: 'entry-uuid', ids }, call, about)
    return distinct(found).map(({ former }): Act => ({ does: 'delete', former }))
  }

  async function leftOfHiding({ uniqueId, patientId }: HideChange, call: AuthorizedCall): Promise<readonly Act[]> {
    const found = currentOf(await find({ by: 'unique-id', ids: [uniqueId] }, call, patientId))
    if (found.length === 0) {
      throw new GatewayError('document-unknown', 'Our community knows no such document of the patient')
    }
    return found.flatMap(({ former, entry }) => (isObscured(entry) ? [] : [hidingAct(former)]))
  }

  async function leftOf(change: MetadataChange, call: AuthorizedCall, about: FhirAbout): Promise<readonly Act[]> {
    switch (change.type) {
      case 'submit':
        return await leftOfSubmission(change.submission, call)
      case 'update':
        return await leftOfUpdate(change, call)
      case 'remove':
        return await leftOfRemoval(change, call, about.patientId)
      case 'hide':
        return await leftOfHiding(change, call)
    }
  }

  return {
    formerVersions: 'none',
    async accept(change, call) {
      const about = aboutOf(change, call)
      for (let reading = 1; reading <= mostReadings; reading++) {
        const acts = await leftOf(change, call, about)
        if (acts.length === 0 || (await transact(baseUrl, tools, acts, about)) === 'done') return
      }
      throw new GatewayError('community-busy', 'The record goes on being changed by others')
    },
  }
}

function aboutOf(change: MetadataChange, call: AuthorizedCall): FhirAbout {
  switch (change.type) {
    case 'submit': {
      // A replacement is claimed as an update (ini.md §2.4).
      const replaces = change.submission.associations.some(({ type }) => /replaces$/.test(type))
      const { patientId } = change.submission.submissionSet
      return { call, does: replaces ? 'UPDATE' : 'CREATE', patientId }
    }
    case 'update':
      return { call, does: 'UPDATE', patientId: change.submission.submissionSet.patientId }
    case 'remove':
      return { call, does: 'DELETE', patientId: change.entries[0]?.patientId ?? call.assertion.patientId }
    case 'hide':
      return { call, does: 'UPDATE', patientId: change.patientId, purposeOfUse: hidingPurpose }
  }
}

/** What the record tells and nobody understands is the record's fault, not that of the change. */
function read(resource: Json, about: PatientId | undefined): DocumentEntry {
  try {
    return decodeDocumentReference(resource, { patientId: () => about }).entry
  } catch (cause) {
    throw new GatewayError('community-misbehaved', 'The record tells a document that cannot be understood', { cause })
  }
}

function hidingAct(former: ServedResource): Act {
  return { does: 'replace', former, resource: withVisibility(former.resource, obscuredCode, visibilityCodes) }
}

function currentOf(found: readonly Found[]): readonly Found[] {
  const current = found.filter(({ entry }) => entry.status !== 'deprecated')
  return current.length > 0 ? current : found
}

/** Several ids may name one document, and stand in several searches. */
function distinct(found: readonly Found[]): readonly Found[] {
  return [...new Map(found.map((one) => [one.former.id, one])).values()]
}

function unknownDocument(location: string): GatewayError {
  return rejected('XDSDocumentUniqueIdError', 'Our community knows no such document of the patient', location)
}

function rejected(code: string, text: string, location: string): GatewayError {
  return new GatewayError('community-rejected', 'The change does not fit what our community has', {
    issues: [{ severity: 'error', code, text, location }],
  })
}
