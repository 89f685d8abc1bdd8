import type { CodeQuery } from './code.ts'
import type { HomeCommunityId } from './identifiers.ts'
import type { PatientId } from './patient.ts'

/** That somebody retrieved a document: what the region of assistance of its patient is told (ini.md §7.2). */
export interface RetrieveNotice {
  /** Of the community that keeps the document. */
  readonly home: HomeCommunityId
  readonly repositoryUniqueId: string
  readonly uniqueId: string
  readonly typeCode?: CodeQuery
  readonly patientId: PatientId
  /** The patient's region of assistance, where it is known. */
  readonly assistedBy?: HomeCommunityId
  /** Who retrieved it, as their assertion names them. */
  readonly requestor: string
  readonly requestorRole: string
  readonly purposeOfUse: string
  /** Where the requestor works, as their assertion says it; else the code of their organization. */
  readonly locality: string
}
