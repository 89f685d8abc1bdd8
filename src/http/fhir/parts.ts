import type { QueryGateway } from '../../core/federation/query.ts'
import type { AsOf } from '../../core/model/answers.ts'
import type { AuthenticatedCall } from '../../core/model/call.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { FoundPerson, SoughtPerson } from '../../core/model/patient-discovery.ts'
import type { Clock } from '../../core/ports.ts'
import type { DocumentHandles } from '../api/document-handles.ts'
import type { NameOf } from './failures.ts'
import type { Pages } from './pages.ts'

/** What the FHIR face is built from. */
export interface FhirParts {
  readonly gateway: QueryGateway
  readonly handles: Pick<DocumentHandles, 'seal'>
  /** Makes the ids of resources: 32 bytes, the same in every replica. */
  readonly key: Uint8Array
  readonly clock: Clock
  readonly pages: Pages
  /** Resources of a page where nobody says how many. */
  readonly pageSize: number
  /** Whether anything that concerns the person was pushed since. */
  readonly isOvertaken: (asOf: AsOf) => Promise<boolean>
  /** For how long answers of a community are repeated, in milliseconds. */
  readonly maxAgeMs: (home: HomeCommunityId) => number
  readonly nameOf: NameOf
  /** Absent where nobody knows people by their identifiers. */
  readonly discover?: (sought: SoughtPerson, call: AuthenticatedCall) => Promise<FoundPerson | undefined>
  /** Whether parameters that name people may stand in addresses. */
  readonly identifiersInUrls: boolean
  /** `[base]` as callers know it; absent, as each request addresses it. */
  readonly base?: string
  readonly software: { readonly name: string; readonly version: string }
}

/** Most resources of a page, whoever asks for more. */
export const mostPerPage = 200
