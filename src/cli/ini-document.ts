import { randomUUID } from 'node:crypto'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { Submission, SubmitChange, UpdateChange } from '../core/model/change.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import type { PatientId } from '../core/model/patient.ts'
import { asNewVersion } from '../wire/ebrim/new-version.ts'
import type { OwnGateway } from './ini-endpoint.ts'
import { authorOf, newDocument } from './new-document.ts'
import { changed, completed } from './push.ts'
import { type Purpose, submissionOf } from './submission.ts'

/** What is wished of the metadata that are told; the rest is made up, or kept. */
export interface DocumentValues {
  readonly type?: string
  readonly repository?: string
  readonly title?: string
  readonly event: readonly string[]
  readonly confidentiality?: string
  readonly nre?: string
  readonly metadata?: string
}

/** On whose word something is told of, and about whom. */
export interface Teller {
  readonly gateway: OwnGateway
  readonly call: AuthorizedCall
  readonly patientId: PatientId
}

/** A new document of ours that nobody holds, in the place of another where that is named. Throws CliError. */
export function newSubmission(
  values: DocumentValues,
  ids: { readonly uniqueId?: string | undefined; readonly replaces?: string },
  teller: Teller,
): SubmitChange {
  const { uniqueId, replaces } = ids
  const entry = made(values, uniqueId, teller)
  if (replaces === undefined) {
    return { type: 'submit', submission: submitted(entry, { kind: 'create' }, values, teller) }
  }
  // The adapter looks up what INI calls the document that its name stands for here.
  const target = `urn:uuid:${randomUUID()}`
  const submission = submitted(entry, { kind: 'replace', target }, values, teller)
  return { type: 'submit', submission, related: [standIn(replaces, teller, target)] }
}

/** A new version of what INI tells of a document. Throws CliError. */
export function newVersion(former: DocumentEntry, values: DocumentValues, teller: Teller): UpdateChange {
  const version = former.version ?? '1'
  const logicalId = former.logicalId ?? former.entryUuid
  const entry = asNewVersion(
    { ...changed(former, { ...values, event: [...values.event] }), logicalId, version },
    'Document1',
  )
  return { type: 'update', submission: submitted(entry, { kind: 'update', version }, values, teller) }
}

/** A document of which only the name is known. */
export function standIn(uniqueId: string, teller: Teller, entryUuid = `urn:uuid:${randomUUID()}`): DocumentEntry {
  return { ...made({ event: [] }, uniqueId, teller), entryUuid }
}

function made(values: DocumentValues, uniqueId: string | undefined, { gateway, call, patientId }: Teller) {
  const { type = '11502-2', repository, title, nre, confidentiality = 'N', event: events } = values
  return newDocument({
    ...{ patient: patientId, organization: gateway.organization.code, home: gateway.home, now: Date.now() },
    ...{ author: call.assertion.subject, role: call.assertion.role, type, events, confidentiality },
    ...(uniqueId === undefined ? {} : { uniqueId }),
    ...(repository === undefined ? {} : { repository }),
    ...(title === undefined ? {} : { title }),
    ...(nre === undefined ? {} : { nre }),
  })
}

function submitted(
  entry: DocumentEntry,
  purpose: Purpose,
  values: DocumentValues,
  { gateway, call }: Teller,
): Submission {
  const { subject: author, role } = call.assertion
  const written = authorOf({ author, role, organization: gateway.organization.code })
  const wishes = { purpose, home: gateway.home, author: written, now: Date.now() }
  return completed(submissionOf(entry, wishes), values)
}
