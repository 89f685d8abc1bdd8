import { contentTypeCodes, contentTypeScheme } from '../../../contracts/affinity-domain/content-types.ts'
import { logicalIdOf, obscured } from '../../core/federation/overlay.ts'
import type { AuthorizedCall } from '../../core/model/call.ts'
import type { Submission } from '../../core/model/change.ts'
import { type HomeCommunityId, homeOid } from '../../core/model/identifiers.ts'
import type { Author, DocumentEntry } from '../../core/model/metadata.ts'
import { timestamp } from '../../core/model/timestamp.ts'
import { asNewVersion } from './new-version.ts'

/** The purpose for which alone a document is hidden or shown again (ini.md §4.5, §4.7). */
export const hidingPurpose = 'ACCESS UPDATE'

/** What the submission is called: no value of contentTypeCode is for hiding, and this one is for updates (ini.md §4.10). */
const content = 'PHR'

export interface HidingParts {
  /** Of our community, which submits. */
  readonly home: HomeCommunityId
  readonly call: AuthorizedCall
  readonly now: number
  /** A new random UUID. */
  readonly newUuid: () => string
}

/**
 * The update that hides a document: a new version of the entry found, which names the version it was made from (ini.md
 * §3.3), in a submission of our community whose ids are new.
 */
export function hidingOf(found: DocumentEntry, { home, call, now, newUuid }: HidingParts): Submission {
  const newId = () => `urn:uuid:${newUuid()}`
  const [set, document, membership] = [newId(), newId(), newId()]
  const source = homeOid(home)
  const display = contentTypeCodes[content]
  return {
    submissionSet: {
      entryUuid: set,
      status: 'approved',
      title: [],
      comments: [],
      uniqueId: `${source}.4.3.${newNumber(newUuid())}`,
      sourceId: source,
      patientId: found.patientId,
      submissionTime: timestamp(new Date(now).toISOString().replace(/\..*|[-:T]/g, '')),
      contentTypeCode: { code: content, scheme: contentTypeScheme, ...(display === undefined ? {} : { display }) },
      authors: authorsOf(call),
      intendedRecipients: [],
    },
    entries: [{ ...asNewVersion(obscured(found), document), logicalId: logicalIdOf(found) }],
    folders: [],
    associations: [
      {
        entryUuid: membership,
        type: 'has-member',
        status: 'approved',
        source: set,
        target: document,
        submissionSetStatus: 'Original',
        previousVersion: found.version ?? '1',
      },
    ],
  }
}

/** Who had it hidden, as an XCN (ini.md §3.1, author slots). */
function authorsOf({ assertion: { subjectId, role } }: AuthorizedCall): readonly Author[] {
  if (subjectId === undefined) return []
  const person = `${subjectId.value}^^^^^^^^&${subjectId.authority}&ISO`
  return [{ persons: [person], institutions: [], roles: [role], specialties: [], telecommunications: [] }]
}

/** 80 of its bits: with the community's arc they make an OID of less than 64 characters. */
function newNumber(uuid: string): string {
  return BigInt(`0x${uuid.replaceAll('-', '').slice(0, 20)}`).toString()
}
