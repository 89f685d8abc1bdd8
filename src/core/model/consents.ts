import type { Consent } from './change.ts'
import type { HomeCommunityId } from './identifiers.ts'
import type { PatientId } from './patient.ts'

/** Consents of the affinity domain, and what they are to (ini.md §4.10; `C5` to `C8` since AD 2.6.4, #3040). */
export const consentMeanings = {
  C1: 'feeding the record; implicit since 2020',
  C2: 'consultation of the record',
  C3: 'what was made before',
  C4: 'opposition to what was made before',
  C5: 'consultation of the data of the EDS for care',
  C6: 'consultation of the data of the EDS for prevention',
  C7: 'consultation of pseudonymised data of the EDS for prevention',
  C8: 'consultation of the data of the EDS for prophylaxis',
} as const

export type ConsentName = keyof typeof consentMeanings

export const consentNames = Object.keys(consentMeanings) as readonly ConsentName[]

/** What a person has consented to, and on which information notice. */
export interface ConsentState {
  readonly consents: readonly Consent[]
  /** The notice that the consents were given on. */
  readonly disclosure?: string
  /** The notice that is in force. */
  readonly currentDisclosure?: string
}

/** All consents of a person, to be set at once (Framework, table 33: #2120). */
export interface ConsentSet {
  readonly patientId: PatientId
  /** Who sets them, and in which role. */
  readonly operator: PatientId
  readonly operatorRole: string
  /** Who asked for it: the person, or a parent, guardian or delegate. */
  readonly requestor: PatientId
  readonly consents: readonly Consent[]
  /** The information notice that was seen. */
  readonly disclosure: string
}

/** What came of setting consents. */
export interface ConsentsSet {
  /** The person's region of assistance, where it was told. */
  readonly assistedBy?: HomeCommunityId
}

/** One document of an information notice. */
export interface DisclosureDocument {
  readonly content: Uint8Array
  readonly mediaType: string
  /** In the words of the domain: no public source tells the codes. */
  readonly type: string
}

/** The information notice of a region; it has two documents at least, by its schema. */
export interface Disclosure {
  readonly id: string
  readonly documents: readonly DisclosureDocument[]
}

/** What a person has declared about giving organs and tissues. */
export interface OrganDonation {
  /** Whether they consent, or are opposed. */
  readonly given: boolean
  /** `YYYY-MM-DD`. */
  readonly date?: string
  /** Where it was declared: the kind of office, and which. */
  readonly channel?: { readonly code?: string; readonly name?: string }
  readonly place?: string
}
