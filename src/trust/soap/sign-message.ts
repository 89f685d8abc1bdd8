import { createHash, randomUUID } from 'node:crypto'
import type { Clock } from '../../core/ports.ts'
import { canonicalBytes } from '../../wire/c14n.ts'
import { type Outgoing, soapNames } from '../../wire/soap.ts'
import {
  type BinaryToken,
  bodyInContext,
  encodeAddress,
  encodeBody,
  encodeSignedEnvelope,
  encodeSignedInfo,
  encodeTimestamp,
  type MessagePart,
  type MessagePattern,
  partsOf,
  wssNames,
} from '../../wire/wss.ts'
import { defaultXmlLimits, NONE, readTreeInSteps } from '../../wire/xml.ts'
import { onlyChild } from '../../wire/xml-child.ts'
import { signatureMethodUri, type XmlSignatureMethod } from '../../wire/xml-signature.ts'
import type { Signer } from '../signer.ts'
import { tags } from '../x509/der.ts'

/** The addressing of a message that is signed: it always says for whom it is. */
export interface SignedOutgoing extends Outgoing {
  readonly to: string
}

/** How a message is signed. */
export interface MessageSigning {
  readonly pattern: MessagePattern
  /** For INTEGRITY_SOAP_01: whether the message id is signed too. By default it is. */
  readonly messageId?: boolean
  readonly signer: Signer
  /** Where the partner wants another than the signer's own. */
  readonly algorithm?: XmlSignatureMethod
  /** Whether the certificates of intermediate authorities go along, as an X509PKIPathv1. By default they do not. */
  readonly path?: boolean
  readonly clock: Clock
  /** From Created to Expires. */
  readonly lifetimeMs: number
  /** Called now and then while a long body is read, and awaited; throws to stop. */
  readonly pause?: () => Promise<void> | undefined
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('base64')

/**
 * Spells a SOAP 1.2 message around a serialised body and signs it as a ModI pattern asks (sistema-ts.md §B.1). The body is
 * sent as given. Rejects when the body is not well-formed, the algorithm has no name in XML signature, or the signer
 * rejects.
 */
export async function signMessage(
  outgoing: SignedOutgoing,
  body: string,
  signing: MessageSigning,
  headers = '',
): Promise<string> {
  const { clock, lifetimeMs, signer } = signing
  const algorithm = signing.algorithm ?? signer.algorithm
  const method = signatureMethodUri(algorithm)
  if (method === undefined) throw new Error(`XML signature has no name for ${algorithm}`)
  // Ids nobody else uses: one that also stood in the body would make the message ambiguous.
  const unique = randomUUID()
  const idOf = (part: MessagePart | 'X509') => `${part}-${unique}`
  const now = clock.now()
  const parts = partsOf(signing.pattern, signing.messageId)
  const spelt: Readonly<Record<MessagePart, string>> = {
    To: encodeAddress('To', idOf('To'), outgoing.to),
    MessageID: encodeAddress('MessageID', idOf('MessageID'), outgoing.messageId),
    Timestamp: encodeTimestamp(
      idOf('Timestamp'),
      new Date(now).toISOString(),
      new Date(now + lifetimeMs).toISOString(),
    ),
    Body: encodeBody(body, parts.includes('Body') ? idOf('Body') : undefined),
  }
  const references: { id: string; digest: string }[] = []
  for (const part of parts) {
    const digested = part === 'Body' ? await canonicalBody(spelt.Body, signing.pause) : spelt[part]
    references.push({ id: idOf(part), digest: sha256(digested) })
  }
  const signedInfo = encodeSignedInfo(method, references)
  const value = await signer.sign(Buffer.from(signedInfo, 'utf8'), algorithm)
  return encodeSignedEnvelope(outgoing, {
    to: spelt.To,
    messageId: spelt.MessageID,
    timestamp: spelt.Timestamp,
    tokenId: idOf('X509'),
    token: tokenOf(signer, signing.path === true),
    signedInfo,
    signatureValue: Buffer.from(value).toString('base64'),
    headers,
    body: spelt.Body,
  })
}

function tokenOf({ certificate, intermediates }: Signer, path: boolean): BinaryToken {
  if (!path) return { valueType: wssNames.x509v3, base64: certificate.raw.toString('base64') }
  // From the authority to the signer, in a DER sequence (ITU-T X.509 §7.7).
  const content = Buffer.concat([certificate, ...intermediates].reverse().map(({ raw }) => raw))
  const hex = content.length.toString(16)
  const size = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  const length = content.length < 0x80 ? size : Buffer.from([0x80 | size.length, ...size])
  const der = Buffer.concat([Buffer.from([tags.sequence]), length, content])
  return { valueType: wssNames.pkiPath, base64: der.toString('base64') }
}

/**
 * The canonical form of the Body, which is digested while the body itself is sent: a canonical form loses declarations that
 * only values use (`xsi:type`).
 */
async function canonicalBody(body: string, pause: MessageSigning['pause']): Promise<Uint8Array> {
  const tree = await readTreeInSteps(Buffer.from(bodyInContext(body), 'utf8'), defaultXmlLimits, () => pause?.())
  const node = onlyChild(tree, tree.root, soapNames.soap12, 'Body')
  if (node === NONE) throw new Error('The body is more than a body')
  return canonicalBytes(tree, node)
}
