import { randomUUID, X509Certificate } from 'node:crypto'
import { type Signer, signatureOf } from './assertion.ts'
import { wsa, wsse, wsu } from './faults.ts'

const x509v3 = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3'
const base64 = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary'
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'

/** What the patterns of ModI for SOAP speak of (sistema-ts.md B.1). */
export type ModiPart = 'To' | 'Timestamp' | 'MessageID' | 'Body'

export interface MessageSigning {
  /** What is signed. */
  readonly parts: readonly ModiPart[]
  /** Of the timestamp, milliseconds since the epoch; default now and a minute later. */
  readonly created?: number
  readonly expires?: number
}

/**
 * Signs a message with one `wsse:Security` header as ModI asks: a BinarySecurityToken, a Timestamp and a signature go into
 * that header before what is there. The message must bind the prefixes `env`, `wsa` and `wsse` as `soapRequest` does.
 */
export function signedMessage(message: string, signer: Signer, signing: MessageSigning): string {
  const { parts, created = Date.now(), expires = created + 60_000 } = signing
  const own = randomUUID()
  const time = (milliseconds: number): string => new Date(milliseconds).toISOString()
  const security =
    `<wsse:BinarySecurityToken xmlns:wsu="${wsu}" wsu:Id="X509-${own}" EncodingType="${base64}" ValueType="${x509v3}">` +
    `${new X509Certificate(signer.certificate).raw.toString('base64')}</wsse:BinarySecurityToken>` +
    `<wsu:Timestamp xmlns:wsu="${wsu}" wsu:Id="Timestamp-${own}"><wsu:Created>${time(created)}</wsu:Created>` +
    `<wsu:Expires>${time(expires)}</wsu:Expires></wsu:Timestamp>`
  const marked = (['To', 'MessageID', 'Body'] as const).reduce((text, part) => {
    const opening = new RegExp(`<(wsa|env):${part}>`).exec(text)?.[0]
    if (opening === undefined) throw new Error(`The message has no plain ${part}`)
    return text.replace(opening, `${opening.slice(0, -1)} xmlns:wsu="${wsu}" wsu:Id="${part}-${own}">`)
  }, message)
  const header = `<wsse:Security xmlns:wsse="${wsse}">`
  if (!marked.includes(header)) throw new Error('The message has no plain security header')
  const signature = signatureOf(signer)
  signature.getKeyInfoContent = () =>
    `<wsse:SecurityTokenReference xmlns:wsse="${wsse}"><wsse:Reference URI="#X509-${own}" ValueType="${x509v3}"/>` +
    '</wsse:SecurityTokenReference>'
  for (const part of parts) {
    signature.addReference({
      xpath: `//*[@*[local-name(.)='Id']='${part}-${own}']`,
      transforms: [exclusive],
      digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    })
  }
  signature.computeSignature(marked.replace(header, `${header}${security}`), {
    prefix: 'ds',
    location: { reference: `//*[local-name(.)='Timestamp']`, action: 'after' },
  })
  return signature.getSignedXml()
}

/** Where the parts stand in a message, for whoever verifies one. */
export const partPlaces: Readonly<Record<ModiPart, { readonly namespace: string; readonly local: string }>> = {
  To: { namespace: wsa, local: 'To' },
  MessageID: { namespace: wsa, local: 'MessageID' },
  Timestamp: { namespace: wsu, local: 'Timestamp' },
  Body: { namespace: 'http://www.w3.org/2003/05/soap-envelope', local: 'Body' },
}
