import { documentTypes } from '../../contracts/affinity-domain/document-types.ts'
import { issuingProfile } from '../communities.ts'
import type { CommunityConfig, Federation } from '../config/federation.ts'
import { homeCommunityId } from '../core/model/identifiers.ts'
import type { Clock } from '../core/ports.ts'
import { signatureHolds } from '../trust/algorithms.ts'
import { Refusal } from '../trust/refusal.ts'
import { samlIssuer } from '../trust/saml/issue-saml.ts'
import { verifyAssertion } from '../trust/saml/verify-saml.ts'
import type { Signer } from '../trust/signer.ts'
import { readTree } from '../wire/xml.ts'
import { professional } from './assertion.ts'
import { type Finding, fail, ok } from './finding.ts'

/** Has our signer issue an assertion in every form a community wants, and our own verifier judge it. */
export async function assertionFindings(
  { communities, gateway }: Federation,
  signer: Signer,
  clock: Clock,
): Promise<readonly Finding[]> {
  const wanted = new Map(communities.map(({ vouching }) => [JSON.stringify(vouching), vouching]))
  return await Promise.all([...wanted.values()].map((vouching) => assertionFinding(vouching, gateway, signer, clock)))
}

async function assertionFinding(
  vouching: CommunityConfig['vouching'],
  gateway: Federation['gateway'],
  signer: Signer,
  clock: Clock,
): Promise<Finding> {
  const what = `assertion ${vouching.profile}`
  const { code, name } = gateway.organization
  const issuer = samlIssuer(() => signer, { issuer: code, lifetimeMs: gateway.assertionLifetimeMs, clock })
  try {
    const assertion = await issuer.issue(
      {
        subject: professional,
        role: 'AAS',
        purposeOfUse: 'TREATMENT',
        action: 'READ',
        organization: code,
        organizationName: name,
        application: gateway.application,
        documentTypes,
      },
      issuingProfile({ vouching }, gateway),
    )
    const tree = readTree(Buffer.from(assertion))
    verifyAssertion(tree, tree.root, {
      now: clock.now(),
      skewMs: gateway.clockSkewMs,
      audiences: vouching.profile === 'xua' ? [vouching.audience] : [],
      check: signatureHolds,
      issuers: [
        {
          community: homeCommunityId(gateway.home),
          profile: vouching.profile,
          issuers: [code],
          trust: { anchors: [signer.certificate] },
          sha1: false,
          replay: 'message',
          mandatory: ['document-types', 'application'],
        },
      ],
    })
    return ok(what, 'issued by our signer, and accepted by our own verifier')
  } catch (error) {
    const reason = error instanceof Refusal ? error.reason : error instanceof Error ? error.message : 'not issued'
    return fail(what, reason, 'mend what is told above of gateway.identity.signing')
  }
}
