import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { canonicalize } from '../../src/wire/c14n.ts'
import { samlNames } from '../../src/wire/saml/names.ts'
import { readTree } from '../../src/wire/xml.ts'
import { onlyChild } from '../../src/wire/xml-child.ts'
import { dsigNames } from '../../src/wire/xml-signature.ts'
import { pem, signing } from '../support/saml.ts'
import {
  askSignxml,
  describeWith,
  type SignxmlAnswer,
  type SignxmlJob,
  signxml,
  signxmlPlaceholder,
} from '../support/xml-signers.ts'
import { type AssertionShape, ini, read, sistemaTs, xua, xuaHolderOfKey } from './assertion-shapes.ts'
import { allIssued, claimsIn, messageWith } from './issued-assertions.ts'
import { type Algorithms, alter, urisOf } from './signature-template.ts'

const presenter = pem('region-050/tls.crt.pem')
const how = { presenter: new X509Certificate(presenter).raw }
const shapes: readonly AssertionShape[] = [ini, xua, xuaHolderOfKey(presenter), sistemaTs]

/** signxml refuses to sign with SHA-1. */
const kinds: readonly (readonly [Algorithms, pair: string])[] = [
  [{ method: 'RS256', hash: 'sha256' }, 'signing'],
  [{ method: 'RS384', hash: 'sha384' }, 'signing'],
  [{ method: 'RS512', hash: 'sha512' }, 'signing'],
  [{ method: 'ES256', hash: 'sha256' }, 'signing-ec'],
  [{ method: 'ES384', hash: 'sha512' }, 'signing-p384'],
]

function signJob(shape: AssertionShape, [algorithms, pair]: (typeof kinds)[number]): SignxmlJob {
  const { certificate, key } = signing('region-050', pair)
  const document = shape.unsigned(signxmlPlaceholder)
  // signxml passes over `#default` in the list it signs with; xmlsec1, asked about the result, sees it as we do.
  const prefixes = shape.prefixes.filter((prefix) => prefix !== '#default')
  return { do: 'sign', document, key, certificate, ...urisOf(algorithms), prefixes }
}

function signedIn(answer: SignxmlAnswer | undefined): string {
  if (answer === undefined || 'refused' in answer) throw new Error(`not signed: ${answer?.refused}`)
  return answer.signed
}

describeWith(signxml, 'an assertion signed by signxml', () => {
  it.each(shapes.map((shape) => [shape.name, shape] as const))(
    '(%s) is accepted, whatever the algorithms, and refused once a byte of a claim is changed',
    (_name, shape) => {
      const answers = askSignxml(kinds.map((kind) => signJob(shape, kind)))
      expect(answers).toHaveLength(kinds.length)
      for (const answer of answers) {
        const document = signedIn(answer)
        expect(read(shape, document, how)).toMatchObject(shape.understood)
        for (const claim of shape.claims) {
          expect(() => read(shape, alter(document, claim), how)).toThrow(
            expect.objectContaining({ kind: 'signature', reason: 'digest-differs' }),
          )
        }
      }
    },
  )
})

describeWith(signxml, 'an assertion we issue', () => {
  const verifyJob = (document: string, authorities = 'signing-ca.pem'): SignxmlJob => ({
    do: 'verify',
    document,
    authorities: pem(authorities),
    location: document.startsWith('<saml2:Assertion ') ? './' : `.//{${samlNames.saml}}Assertion/`,
  })

  /** The element without its signature, in canonical form. */
  function covered(assertion: string): string {
    const tree = readTree(Buffer.from(assertion))
    const omit = onlyChild(tree, tree.root, dsigNames.ds, 'Signature')
    return canonicalize(tree, tree.root, { omit, inclusivePrefixes: ['xs'] })
  }

  it('is accepted by signxml alone and in a message, for every profile and by every signer, as what we digested', async () => {
    const assertions = await Promise.all(allIssued.map(([, , issue]) => issue()))
    const expected = assertions.map((assertion) => ({ signed: covered(assertion) }))
    expect(askSignxml(assertions.map((assertion) => verifyJob(assertion)))).toEqual(expected)
    expect(askSignxml(assertions.map((assertion) => verifyJob(messageWith(assertion))))).toEqual(expected)
  })

  it('is refused by signxml once it is changed', async () => {
    const assertions = await Promise.all(allIssued.map(([, , issue]) => issue()))
    const changed = assertions
      .flatMap((assertion) => [assertion, messageWith(assertion)])
      .flatMap((document) => claimsIn(document).map((claim) => alter(document, claim)))
    const refusals = askSignxml(changed.map((document) => verifyJob(document)))
    expect(refusals).toHaveLength(changed.length)
    expect(refusals.filter((answer) => !('refused' in answer && answer.refused.startsWith('InvalidDigest: ')))).toEqual(
      [],
    )
  })

  it('is refused by signxml under authorities that do not vouch for its signer', async () => {
    const [[, , issue] = []] = allIssued
    expect(askSignxml([verifyJob((await issue?.()) ?? '', 'ca.pem')])).toEqual([
      { refused: expect.stringMatching(/^InvalidCertificate: /) },
    ])
  })
})
