import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { TrustAnchors } from '../x509/chain.ts'

/** The shape an assertion must have; names are those of `crocevia verify saml --profile`. */
export type SamlProfile = 'ini' | 'xua' | 'sistema-ts'

/** The types of documents the claim is for, and the application the user sits at: mandatory, and yet not always sent. */
export type MandatoryStatement = 'document-types' | 'application'

/** Whose assertions are believed, by which keys, and in what form. One per community, or per group of our own consumers. */
export interface TrustedIssuer {
  readonly community: HomeCommunityId
  readonly profile: SamlProfile
  /** The Issuer values this party uses: organization codes (`090`). Absent, any: for the command line only. */
  readonly issuers?: readonly string[]
  readonly trust: TrustAnchors
  /** Common names a signing certificate under one of the authorities must have; binds a key to this party. */
  readonly signers?: readonly RegExp[]
  /** Certificate policies a signing certificate must carry, one at least (`1.3.76.29.1.11`; ini.md §5.4). */
  readonly policies?: readonly string[]
  /** RSA with SHA-1 and SHA-1 digests: only for communities that have nothing better (ini.md §2.2). */
  readonly sha1: boolean
  /** `message`: any number of messages, each of them new, by one presenter. `once`: a single message. */
  readonly replay: 'message' | 'once'
  /** How long after its making an assertion is still taken, whatever it says itself. Absent, as long as it says. */
  readonly maxAgeMs?: number
  /** What an assertion in INI's form must state beyond what it always must (ini.md §2.3). */
  readonly mandatory: readonly MandatoryStatement[]
  /** Codes of other systems in the affinity domain's words, for XUA. */
  readonly roles?: ReadonlyMap<string, string>
  readonly purposes?: ReadonlyMap<string, string>
}
