import { contentTypeCodes, contentTypeScheme } from '../../../contracts/affinity-domain/content-types.ts'
import type { Submission } from '../../core/model/change.ts'
import { type HomeCommunityId, homeOid } from '../../core/model/identifiers.ts'
import type { DocumentEntry } from '../../core/model/metadata.ts'
import { timestamp } from '../../core/model/timestamp.ts'
import { asNewVersion } from './new-version.ts'

/** What documents are called that INI has moved from one index to another (ini.md §4.10). */
const content = 'INI'

export interface MovedParts {
  /** Of our community, which submits. */
  readonly home: HomeCommunityId
  readonly now: number
  /** SHA-256, lower-case hexadecimal. */
  readonly hash: (text: string) => string
}

const uuid = /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The submission that tells our record of a document of another index: the entry as it was told, without what bound it to
 * that registry. It keeps its entryUUID, which is its own everywhere; every other id follows from that one.
 */
export function movedFrom(entry: DocumentEntry, { home, now, hash }: MovedParts): Submission {
  const source = homeOid(home)
  const idOf = (what: string) => uuidOf(hash(`${what} ${entry.entryUuid}`))
  const [set, membership] = [idOf('set'), idOf('membership')]
  const document = uuid.test(entry.entryUuid) ? entry.entryUuid : idOf('document')
  const { version: _, logicalId: __, ...told } = asNewVersion(entry, document)
  const display = contentTypeCodes[content]
  return {
    submissionSet: {
      entryUuid: set,
      status: 'approved',
      title: [],
      comments: [],
      // 80 bits: with the community's arc they make an OID of less than 64 characters.
      uniqueId: `${source}.4.3.${BigInt(`0x${hash(`set ${entry.entryUuid}`).slice(0, 20)}`)}`,
      sourceId: source,
      patientId: entry.patientId,
      submissionTime: timestamp(new Date(now).toISOString().replace(/\..*|[-:T]/g, '')),
      contentTypeCode: { code: content, scheme: contentTypeScheme, ...(display === undefined ? {} : { display }) },
      authors: entry.authors,
      intendedRecipients: [],
    },
    entries: [{ ...told, status: 'approved' }],
    folders: [],
    associations: [
      {
        entryUuid: membership,
        type: 'has-member',
        status: 'approved',
        source: set,
        target: document,
        submissionSetStatus: 'Original',
      },
    ],
  }
}

/** A UUID of version 8: of nobody's making but a digest's (RFC 9562). */
function uuidOf(digest: string): string {
  const [a, b, c, d, e] = [
    [0, 8],
    [8, 12],
    [13, 16],
    [17, 20],
    [20, 32],
  ].map(([from, to]) => digest.slice(from, to))
  return `urn:uuid:${a}-${b}-8${c}-8${d}-${e}`
}
