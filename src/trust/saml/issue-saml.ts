import { createHash, randomUUID } from 'node:crypto'
import type { PatientId } from '../../core/model/patient.ts'
import type { Clock } from '../../core/ports.ts'
import { type AssertionSigner, encodeSignedAssertion, type NewAssertion } from '../../wire/saml/assertion-write.ts'
import { type DocumentType, iniAttributesOf } from '../../wire/saml/ini.ts'
import { samlNames } from '../../wire/saml/names.ts'
import { authnContextKind, type SistemaTsStatement, sistemaTsAttributesOf } from '../../wire/saml/sistema-ts.ts'
import { type HL7Code, xuaAttributesOf } from '../../wire/saml/xua.ts'
import type { XmlSignatureMethod } from '../../wire/xml-signature.ts'
import type { Signer } from '../signer.ts'

/** What an assertion we sign says about the asker; the rest is ours. */
export interface Vouching {
  /** CX of who asks. */
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
  /** `urn:uuid:…`, on the messages of an index transfer; only INI's form has a place for it. */
  readonly indexTransferId?: string
}

/** How one community wants to be told who asks. */
export type IssuingProfile =
  | { readonly profile: 'ini' }
  | {
      readonly profile: 'xua'
      readonly audience: string
      /** Our own community, and our organization as XUA names one: `urn:oid:…` or a URL. */
      readonly homeCommunityId: string
      readonly organizationId: string
      /** The code systems of roles and purposes, OIDs; absent, codes are sent without one. */
      readonly roleSystem?: string
      readonly purposeSystem?: string
    }

export interface IssuingOptions {
  readonly issuer: string
  readonly lifetimeMs: number
  readonly clock: Clock
}

export interface SamlIssuer {
  /** A new signed assertion, never the same twice: a message that is sent again is signed again. */
  issue(vouching: Vouching, profile?: IssuingProfile): Promise<string>
  /** The same for an end user of Sistema TS (sistema-ts.md A.6): the level, the mode, or both, by service. */
  issueForSistemaTs(statement: SistemaTsStatement, authn: { classRef: string; declRef?: string }): Promise<string>
}

/** Issues by the signer there is at that moment. Rejects when its algorithm is none of XML signature's. */
export function samlIssuer(signer: () => Signer, { issuer, lifetimeMs, clock }: IssuingOptions): SamlIssuer {
  const issue = async (
    content: Pick<NewAssertion, 'subject' | 'attributes'> & Partial<NewAssertion>,
  ): Promise<string> => {
    const now = clock.now()
    const instant = new Date(now).toISOString()
    return await encodeSignedAssertion(
      {
        id: `_${randomUUID()}`,
        issuer,
        issueInstant: instant,
        notBefore: instant,
        notOnOrAfter: new Date(now + lifetimeMs).toISOString(),
        ...content,
        authn: { classRef: samlNames.x509, ...content.authn, instant },
      },
      signing(signer()),
    )
  }
  return {
    issue(vouching, profile = { profile: 'ini' }) {
      const { subject } = vouching
      if (profile.profile === 'ini') return issue({ subject, attributes: iniAttributesOf(vouching) })
      return issue({
        subject,
        bearer: true,
        audiences: [profile.audience],
        attributes: xuaAttributesOf({
          subjectName: subject,
          organizationId: profile.organizationId,
          homeCommunityId: profile.homeCommunityId,
          role: coded(vouching.role, profile.roleSystem),
          purposeOfUse: coded(vouching.purposeOfUse, profile.purposeSystem),
          ...(vouching.organizationName === undefined ? {} : { organization: vouching.organizationName }),
          ...(vouching.patientId === undefined ? {} : { patientId: vouching.patientId }),
        }),
      })
    },
    async issueForSistemaTs(statement, { classRef, declRef }) {
      for (const reference of declRef === undefined ? [classRef] : [classRef, declRef]) {
        if (authnContextKind(reference) === undefined)
          throw new Error('An authentication context Sistema TS does not know')
      }
      return await issue({
        subject: statement.subject,
        attributes: sistemaTsAttributesOf(statement),
        authn: { instant: '', classRef, ...(declRef === undefined ? {} : { declRef }) },
      })
    },
  }
}

function coded(code: string, system: string | undefined): HL7Code {
  return system === undefined ? { code } : { code, system }
}

/** Algorithms that both XML signature and this house's profiles know, SHA-1 not among them. */
const methods: ReadonlySet<string> = new Set<XmlSignatureMethod>(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'])

function isMethod(name: string): name is XmlSignatureMethod {
  return methods.has(name)
}

/** Certificates are spelt once per signer. */
const signings = new WeakMap<Signer, AssertionSigner>()

function signing(signer: Signer): AssertionSigner {
  const known = signings.get(signer)
  if (known !== undefined) return known
  const made = assertionSigner(signer)
  signings.set(signer, made)
  return made
}

function assertionSigner(signer: Signer): AssertionSigner {
  const { algorithm, certificate, intermediates } = signer
  if (!isMethod(algorithm)) throw new Error(`Assertions cannot be signed with ${algorithm}`)
  const base64 = (signature: Uint8Array) => Buffer.from(signature).toString('base64')
  return {
    method: algorithm,
    digest: (text) => createHash('sha256').update(text, 'utf8').digest('base64'),
    sign(text) {
      const signature = signer.sign(Buffer.from(text, 'utf8'), algorithm)
      return signature instanceof Promise ? signature.then(base64) : base64(signature)
    },
    certificates: [certificate, ...intermediates].map((one) => one.raw.toString('base64')),
  }
}
