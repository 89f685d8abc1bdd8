export interface Code {
  readonly code: string
  readonly display: string
  readonly scheme: string
}

/** An identifier with the authority that gave it. */
export interface Identifier {
  readonly value: string
  readonly authority: string
}

/** `RSSMRA…^^^&2.16.840.1.113883.2.9.4.3.2&ISO`, as metadata and assertions name a person. */
export function cx({ value, authority }: Identifier): string {
  return `${value}^^^&${authority}&ISO`
}

/** The reverse; `undefined` for anything of another form. */
export function readCx(text: string): Identifier | undefined {
  const parts = /^([^^&]+)\^\^\^&([0-9.]+)&ISO$/.exec(text)
  return parts?.[1] !== undefined && parts[2] !== undefined ? { value: parts[1], authority: parts[2] } : undefined
}

export interface Author {
  readonly person: Identifier
  /** Some registries give the name beside the codice fiscale, some do not. */
  readonly name?: { readonly family: string; readonly given: string }
  readonly institution?: { readonly name: string; readonly system: string; readonly code: string }
  readonly role: string
  readonly specialty?: string
  readonly mail?: string
}

/** What is true of a document wherever it is told. Times are `YYYYMMDDhhmmss`, UTC; service times may be empty. */
export interface DocumentFacts {
  readonly uniqueId: string
  readonly repositoryUniqueId: string
  /** Code of the organization that keeps it. */
  readonly keeper: string
  readonly patient: Identifier
  readonly title: string
  readonly comments?: string
  readonly mimeType: string
  /** SHA-1, lower-case hexadecimal. */
  readonly hash: string
  readonly size: number
  readonly creationTime: string
  readonly serviceStartTime: string
  readonly serviceStopTime: string
  readonly classCode: Code
  readonly typeCode: Code
  readonly formatCode: Code
  readonly facilityType: Code
  readonly practiceSetting: Code
  readonly confidentiality: Code
  readonly events: readonly Code[]
  readonly author: Author
  readonly legalAuthenticator?: string
  readonly sourcePatientInfo: readonly string[]
  /** CXi values of referenceIdList. */
  readonly references: readonly string[]
  /** `SSN^Regime SSN`. */
  readonly administrativeRequest?: string
  readonly descriptions: readonly string[]
  /** Slots nobody here has a field for, by name, as they were submitted; absent: those every document of the seed has. */
  readonly otherSlots?: Readonly<Record<string, readonly string[]>>
}

export type Status = 'Approved' | 'Deprecated'

/** A document as one registry tells of it. */
export interface Entry extends DocumentFacts {
  readonly entryUuid: string
  readonly logicalId: string
  readonly version: string
  readonly status: Status
  /** Absent where a registry speaks within its own domain. */
  readonly home?: string
  /**
   * How a FHIR face tells of it where its entryUUID is not that of its resource: by the resource's id and the entryUUIDs the
   * resource had, the latest first. A former version is history there, which no search finds.
   */
  readonly fhir?: { readonly id: string; readonly formerIds: readonly string[] } | 'history'
}

export interface SubmissionSet {
  readonly entryUuid: string
  readonly uniqueId: string
  readonly sourceId: string
  readonly patient: Identifier
  readonly submissionTime: string
  readonly contentType: Code
  readonly author?: Author
  readonly status: Status
  readonly title: string
  readonly home?: string
}

export interface Folder {
  readonly entryUuid: string
  readonly uniqueId: string
  readonly patient: Identifier
  readonly lastUpdateTime: string
  readonly codes: readonly Code[]
  readonly status: Status
  readonly title: string
  readonly home?: string
}

export interface Association {
  readonly entryUuid: string
  readonly type: string
  readonly source: string
  readonly target: string
  readonly submissionSetStatus?: 'Original'
  readonly previousVersion?: string
  readonly home?: string
}

/** All that one registry knows. */
export interface Holdings {
  readonly entries: readonly Entry[]
  readonly submissionSets: readonly SubmissionSet[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
}

export const associationType = {
  hasMember: 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
  replaces: 'urn:ihe:iti:2007:AssociationType:RPLC',
} as const

/** Obscured by the citizen: for the citizen, who acts for them, and the author only (ini.md §4.5). */
export function isObscured(entry: Pick<DocumentFacts, 'events'>): boolean {
  return entry.events.some((event) => event.code === 'P99')
}
