import { samlIssuer, type Vouching } from '../../src/trust/saml/issue-saml.ts'
import type { Signer } from '../../src/trust/signer.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { encodeEnvelope } from '../../src/wire/soap.ts'
import { citizen, homes } from '../support/builders.ts'
import { clock, pem, signerOf, signing, vouching } from '../support/saml.ts'
import { audience } from './assertion-shapes.ts'

/** Every kind of signer, by name. */
export const signers: readonly (readonly [name: string, signer: Signer])[] = [
  ['RSA and SHA-256', signerOf(signing('region-050'))],
  ['RSA and SHA-384', { ...signerOf(signing('region-050')), algorithm: 'RS384' }],
  ['RSA and SHA-512', { ...signerOf(signing('region-050')), algorithm: 'RS512' }],
  ['P-256', signerOf(signing('region-050', 'signing-ec'))],
  ['P-384', signerOf(signing('region-050', 'signing-p384'))],
  [
    'an authority in between',
    { ...signerOf(signing('region-120', 'signing-chain')), intermediates: certificatesOf(pem('region-120/chain.pem')) },
  ],
]

/** What must be escaped, and what is more than one byte. */
const awkward: Vouching = { ...vouching, organizationName: 'Regione «Vèneto» & <figli>\t\r\n"𝄞" ]]>' }

function issuer(signer: Signer) {
  return samlIssuer(() => signer, { issuer: '050', lifetimeMs: 300_000, clock })
}

/** Every kind of assertion we issue, by the profile it is for. */
export const issuings: readonly (readonly [profile: string, issue: (signer: Signer) => Promise<string>])[] = [
  ['INI', (signer) => issuer(signer).issue(awkward)],
  [
    'XUA',
    (signer) =>
      issuer(signer).issue(awkward, {
        profile: 'xua',
        audience,
        homeCommunityId: homes.veneto,
        organizationId: 'urn:oid:2.16.840.1.113883.2.9.2.50',
        roleSystem: '1.2.3',
        purposeSystem: '1.2.4',
      }),
  ],
  [
    'Sistema TS',
    (signer) =>
      issuer(signer).issueForSistemaTs(
        { subject: citizen.value, authenticatedAt: '2026-06-16T15:30:00', organization: '050', locality: '050201' },
        {
          classRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:iso-iec-29115-LoA3',
          declRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:CNS',
        },
      ),
  ],
]

/** Each profile by each signer. */
export const allIssued = issuings.flatMap(([profile, issue]) =>
  signers.map(([name, signer]) => [profile, name, () => issue(signer)] as const),
)

/** The message an assertion travels in. */
export function messageWith(assertion: string): string {
  const action = 'urn:ihe:iti:2007:RegistryStoredQuery'
  return encodeEnvelope(
    { action, messageId: 'urn:uuid:1', to: 'https://a.example/?a&b', anonymousReply: true, assertion },
    `<q:Request xmlns:q="urn:q" xmlns="${homes.veneto}" ID="other">testo</q:Request>`,
  )
}

/** Claims of all profiles, with the first character of their values. */
export function claimsIn(document: string): readonly string[] {
  return ['<saml2:NameID>', 'xsi:type="xs:string">', ' NotOnOrAfter="', 'ac:classes:'].map(
    (before) => `${before}${document.split(before)[1]?.[0] ?? ''}`,
  )
}
