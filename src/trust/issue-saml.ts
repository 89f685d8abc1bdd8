import { createHash, createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import type { PatientId } from '../core/model/patient.ts'
import type { Clock } from '../core/ports.ts'
import { type AssertionSigner, type DocumentType, encodeSignedAssertion } from '../wire/saml.ts'

/** Our signing identity, in PEM. */
export interface SigningIdentity {
  readonly certificate: string
  readonly key: string
}

/** What an assertion we sign says about the asker; the rest is ours. */
export interface Vouching {
  readonly subject: string
  readonly role: string
  readonly purposeOfUse: string
  readonly action: string
  readonly organization: string
  readonly organizationName?: string
  readonly locality?: string
  readonly inCare?: boolean
  readonly patientId?: PatientId
  readonly documentTypes?: readonly DocumentType[]
  readonly application?: { readonly id: string; readonly vendor: string; readonly version: string }
}

export interface SamlIssuer {
  /** A new signed assertion, never the same twice: a message that is sent again is signed again. */
  issue(vouching: Vouching): string
}

/** Loads the key once. Throws when key and certificate do not belong together or the key is not RSA. */
export function samlIssuer(
  identity: SigningIdentity,
  options: { issuer: string; lifetimeMs: number; clock: Clock },
): SamlIssuer {
  const signer = rsaSigner(identity)
  return {
    issue(vouching) {
      const now = options.clock.now()
      const instant = new Date(now).toISOString()
      return encodeSignedAssertion(
        {
          ...vouching,
          id: `_${randomUUID()}`,
          issuer: options.issuer,
          issueInstant: instant,
          notBefore: instant,
          notOnOrAfter: new Date(now + options.lifetimeMs).toISOString(),
        },
        signer,
      )
    },
  }
}

function rsaSigner({ certificate, key }: SigningIdentity): AssertionSigner {
  const privateKey = createPrivateKey(key)
  const x509 = new X509Certificate(certificate)
  if (privateKey.asymmetricKeyType !== 'rsa') throw new Error('The signing key must be RSA')
  if (!x509.checkPrivateKey(privateKey)) throw new Error('The signing key does not belong to the signing certificate')
  return {
    digest: (text) => createHash('sha256').update(text, 'utf8').digest('base64'),
    sign: (text) => sign('RSA-SHA256', Buffer.from(text, 'utf8'), privateKey).toString('base64'),
    certificate: x509.raw.toString('base64'),
  }
}
