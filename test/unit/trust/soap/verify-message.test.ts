import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SignedXml } from 'xml-crypto'
import { rememberingCheck, signatureHolds, signWith } from '../../../../src/trust/algorithms.ts'
import { signMessage } from '../../../../src/trust/soap/sign-message.ts'
import { type MessageRules, type VerifiedMessage, verifyMessage } from '../../../../src/trust/soap/verify-message.ts'
import { certificatesOf } from '../../../../src/trust/x509/certificate.ts'
import { type Envelope, openEnvelope, soapNames } from '../../../../src/wire/soap.ts'
import { readBinaryToken, readTimestamp, readTokenReference, wssNames } from '../../../../src/wire/wss.ts'
import { type Node, readTree } from '../../../../src/wire/xml.ts'

const pki = new URL('../../../../certs-dev/out/', import.meta.url)
const pem = (path: string) => readFileSync(new URL(path, pki), 'utf8')
const own = new X509Certificate(pem('region-050/signing.crt.pem'))
const [authority = own] = certificatesOf(pem('signing-ca.pem'))
const clock = { now: () => Date.now() }
const to = 'https://erogatore.example/soap/eco/v1'
const messageId = 'urn:uuid:46da4ec1-f962-4f24-8524-48bb74b505d7'

const rules: MessageRules = {
  pattern: 'ID_AUTH_SOAP_02',
  trust: { anchors: [authority] },
  demands: { names: [/^S1#050#/u] },
  sha1: false,
  clock,
  clockSkewMs: 5_000,
  maxAgeMs: 300_000,
  to,
  check: signatureHolds,
}

function verify(message: string, more: Partial<MessageRules> = {}): VerifiedMessage {
  return verifyMessage(
    openEnvelope(readTree(Buffer.from(message)), () => true),
    { ...rules, ...more },
  )
}

function reasonOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error instanceof Error && 'reason' in error ? error.reason : error
  }
  return 'accepted'
}

const key = createPrivateKey(pem('region-050/signing.key.pem'))
const signed = await signMessage({ action: 'urn:a', messageId, to }, '<a xmlns="urn:a"/>', {
  pattern: 'ID_AUTH_SOAP_02',
  signer: {
    certificate: own,
    intermediates: [],
    algorithm: 'RS256',
    sign: (data) => signWith('RS256', data, key),
  },
  clock,
  lifetimeMs: 60_000,
})

interface LibraryOptions {
  readonly soap?: string
  readonly parts?: readonly string[]
  readonly signatureAlgorithm?: string
  readonly digestAlgorithm?: string
  readonly prefixes?: string[]
  /** Further content of the security header. */
  readonly more?: string
}

/** A message as the examples of ModI write it: indented, addressing in the default namespace, signed by xml-crypto. */
function byLibrary(options: LibraryOptions = {}): string {
  const { soap = soapNames.soap12, parts = ['To', 'Timestamp', 'MessageID'], more = '' } = options
  const [created, expires] = [0, 60_000].map((after) => new Date(Date.now() + after).toISOString())
  const xml = `<?xml version="1.0"?>
<soap:Envelope xmlns:soap="${soap}">
  <soap:Header>
    <wsse:Security xmlns:wsse="${soapNames.wsse}" xmlns:wsu="${soapNames.wsu}" soap:mustUnderstand="1">
      <wsse:BinarySecurityToken EncodingType="${wssNames.base64}" ValueType="${wssNames.x509v3}" wsu:Id="X509-1">
        ${own.raw.toString('base64').replace(/.{64}/g, '$&\n        ')}
      </wsse:BinarySecurityToken>
      <wsu:Timestamp><wsu:Created>${created}</wsu:Created>
        <wsu:Expires>${expires}</wsu:Expires></wsu:Timestamp>${more}
    </wsse:Security>
    <MessageID xmlns="${soapNames.wsa}">
      ${messageId}
    </MessageID>
    <To xmlns="${soapNames.wsa}">${to}</To>
  </soap:Header>
  <soap:Body><ns2:sayHi xmlns:ns2="urn:prova"><arg0>OK</arg0></ns2:sayHi></soap:Body>
</soap:Envelope>`
  const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
  const prefixes = options.prefixes === undefined ? {} : { inclusiveNamespacesPrefixList: options.prefixes }
  const signer = new SignedXml({
    privateKey: pem('region-050/signing.key.pem'),
    publicCert: pem('region-050/signing.crt.pem'),
    idMode: 'wssecurity',
    signatureAlgorithm: options.signatureAlgorithm ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: exclusive,
    getKeyInfoContent: () =>
      `<wsse:SecurityTokenReference><wsse:Reference URI="#X509-1" ValueType="${wssNames.x509v3}"/></wsse:SecurityTokenReference>`,
    ...prefixes,
  })
  for (const part of parts) {
    signer.addReference({
      xpath: `//*[local-name(.)='${part}']`,
      transforms: [exclusive],
      digestAlgorithm: options.digestAlgorithm ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
      ...prefixes,
    })
  }
  const reference = "//*[local-name(.)='Security']"
  signer.computeSignature(xml, { prefix: 'ds', location: { reference, action: 'append' } })
  return signer.getSignedXml()
}

describe('an accepted message', () => {
  it('tells who signed it, what is covered, when it ends and what must not come again', () => {
    const told = verify(signed)
    expect(told).toMatchObject({
      signer: 'S1#050#050REGIONEVENETO-DEV',
      covered: ['To', 'Timestamp', 'MessageID'],
      messageId,
      uses: [{ key: expect.stringMatching(/^[0-9a-f]{64}$/), until: told.expires + rules.clockSkewMs }],
    })
    expect(told.certificate.fingerprint256).toBe(own.fingerprint256)
    expect(told.expires - told.created).toBe(60_000)
  })

  it('may be seen again where the pattern does not filter replays', () => {
    expect(verify(signed, { pattern: 'ID_AUTH_SOAP_01' })).toMatchObject({ messageId, uses: [] })
  })

  it('is used under its id and key, not under how it was written', () => {
    const library = verify(byLibrary())
    expect(library.uses[0]?.key).toBe(verify(signed).uses[0]?.key)
  })

  it('is accepted for any of our addresses, or for any at all', () => {
    expect(verify(signed, { to: ['https://altro.example', to] }).signer).toMatch(/^S1#050/)
    const { to: _, ...anyAddress } = rules
    const envelope = openEnvelope(readTree(Buffer.from(signed)), () => true)
    expect(verifyMessage(envelope, anyAddress).signer).toMatch(/^S1#050/)
  })

  it('costs one signature check however often it is presented', () => {
    let checks = 0
    const check = rememberingCheck((...facts) => {
      checks++
      return signatureHolds(...facts)
    })
    for (let round = 0; round < 3; round++) verify(signed, { check })
    expect(checks).toBe(1)
  })
})

describe('a message that xml-crypto signed', () => {
  it.each([
    ['ID_AUTH_SOAP_01', ['To', 'Timestamp']],
    ['ID_AUTH_SOAP_02', ['To', 'Timestamp', 'MessageID']],
    ['INTEGRITY_SOAP_01', ['Timestamp', 'To', 'Body', 'MessageID']],
  ] as const)('is accepted for %s when %j are covered', (pattern, parts) => {
    expect(verify(byLibrary({ parts }), { pattern }).covered).toEqual(parts)
  })

  it('is accepted with inclusive prefixes, as the examples of ModI have them', () => {
    const message = byLibrary({ prefixes: ['soap', 'wsse'] })
    expect(message).toContain('PrefixList="soap wsse"')
    expect(verify(message).messageId).toBe(messageId)
  })

  it('is accepted with RSA and SHA-512', () => {
    const [signatureAlgorithm, digestAlgorithm] = [
      'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
      'http://www.w3.org/2001/04/xmlenc#sha512',
    ]
    expect(verify(byLibrary({ signatureAlgorithm, digestAlgorithm })).covered).toHaveLength(3)
  })

  it('is accepted with SHA-1 only where the partner may use it', () => {
    const message = byLibrary({ signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })
    expect(reasonOf(() => verify(message))).toBe('SignatureMethod-not-allowed')
    expect(verify(message, { sha1: true }).covered).toHaveLength(3)
  })

  it('is not confused by an assertion that has a signature of its own, and may cover it', () => {
    const more = `<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a"><ds:Signature
      xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature></saml2:Assertion>`
    expect(verify(byLibrary({ more })).covered).toHaveLength(3)
    const covering = verify(byLibrary({ more, parts: ['To', 'Timestamp', 'MessageID', 'Assertion'] }))
    expect(covering.covered).toContain('{urn:oasis:names:tc:SAML:2.0:assertion}Assertion')
  })

  it('may come in SOAP 1.1', () => {
    const tree = readTree(Buffer.from(byLibrary({ soap: soapNames.soap11, parts: ['To', 'Timestamp', 'Body'] })))
    const [header = 0, body = 0] = tree.children(tree.root)
    const envelope: Envelope = { tree, headers: tree.children(header), body: tree.first(body) }
    const told = verifyMessage(envelope, { ...rules, pattern: 'INTEGRITY_SOAP_01', messageId: false })
    expect(told.covered).toEqual(['To', 'Timestamp', 'Body'])
  })
})

describe('a security header for somebody else', () => {
  const other = (role: string) =>
    signed.replace('<wsse:Security ', `<wsse:Security env:role="${role}"></wsse:Security><wsse:Security `)

  it('is passed over', () => {
    expect(verify(other('urn:un-altro')).covered).toHaveLength(3)
  })

  it('is not passed over under a role we play', () => {
    expect(reasonOf(() => verify(other(`${soapNames.soap12}/role/next`)))).toBe('several-security-headers')
    expect(reasonOf(() => verify(other('')))).toBe('several-security-headers')
  })
})

describe('the certificate of the signer', () => {
  const sha1 = createHash('sha1').update(own.raw).digest('base64')
  const identifier = own.raw.subarray(own.raw.indexOf('0603551d0e', 'hex') + 9).subarray(0, 20)
  const referred = (inner: string) =>
    signed.replace(/(<wsse:SecurityTokenReference>).*(<\/wsse:SecurityTokenReference>)/, `$1${inner}$2`)
  const keyIdentifier = (type: string, value: string) =>
    referred(`<wsse:KeyIdentifier EncodingType="${wssNames.base64}" ValueType="${type}">${value}</wsse:KeyIdentifier>`)
  const x509 = (inner: string) => referred(`<ds:X509Data>${inner}</ds:X509Data>`)
  const serial = (number: bigint) =>
    x509(
      `<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName>` +
        `<ds:X509SerialNumber>${number}</ds:X509SerialNumber></ds:X509IssuerSerial>`,
    )
  const byNumber = serial(BigInt(`0x${own.serialNumber}`))

  it.each([
    ['its thumbprint', keyIdentifier(wssNames.thumbprint, sha1)],
    ['its subject key identifier', keyIdentifier(wssNames.subjectKeyIdentifier, identifier.toString('base64'))],
    ['the older name', keyIdentifier(wssNames.olderSubjectKeyIdentifier, identifier.toString('base64'))],
    ['its serial number', byNumber],
  ])('may be named by %s when it is known, by the configuration and not by the message', (_, message) => {
    expect(verify(message, { certificates: [own] }).signer).toMatch(/^S1#050/)
    expect(verify(message, { trust: { anchors: [own] } }).signer).toMatch(/^S1#050/)
    expect(reasonOf(() => verify(message))).toBe('no-usable-certificate')
  })

  it('is judged however it was named', () => {
    const expired = new X509Certificate(pem('bad/expired/signing.crt.pem'))
    const named = keyIdentifier(wssNames.thumbprint, createHash('sha1').update(expired.raw).digest('base64'))
    expect(reasonOf(() => verify(named, { certificates: [expired] }))).toBe('certificate-expired')
  })

  it('must have the policy that is demanded', () => {
    expect(verify(signed, { demands: { policies: ['1.3.76.29.1.11'] } }).signer).toMatch(/^S1#050/)
    expect(reasonOf(() => verify(signed, { demands: { policies: ['1.2.3'] } }))).toMatch(/policy/)
  })

  it('may stand in the reference itself', () => {
    const message = x509(`<ds:X509Certificate>\n${own.raw.toString('base64')}\n</ds:X509Certificate>`)
    expect(verify(message).signer).toMatch(/^S1#050/)
  })

  const tlv = (content: Buffer) => {
    const length = Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff])
    return Buffer.concat([length, content])
  }
  const path = (...certificates: readonly Buffer[]) =>
    signed
      .replaceAll(wssNames.x509v3, wssNames.pkiPath)
      .replace(own.raw.toString('base64'), tlv(Buffer.concat([...certificates])).toString('base64'))

  const behind = Buffer.concat([tlv(own.raw), Buffer.from([0])]).toString('base64')

  it('may be the last of a path', () => {
    expect(verify(path(authority.raw, own.raw)).signer).toMatch(/^S1#050/)
    expect(verify(path(own.raw)).signer).toMatch(/^S1#050/)
  })

  it.each([
    ['the other way round', path(own.raw, authority.raw), /^certificate-/],
    ['empty', path(), /no-usable/],
    ['cut short', path(own.raw.subarray(0, 300)), /no-usable/],
    ['followed by something', path(own.raw, Buffer.from([4, 1, 1])), /no-usable/],
    [
      'not all there is',
      signed.replaceAll(wssNames.x509v3, wssNames.pkiPath).replace(own.raw.toString('base64'), behind),
      /no-usable/,
    ],
    ['too long', path(...Array.from({ length: 7 }, () => own.raw)), /no-usable/],
  ])('is not found in a path that is %s', (_, message, reason) => {
    expect(reasonOf(() => verify(message))).toMatch(reason)
  })

  const unusable = 'no-usable-reference-to-a-certificate'
  it.each([
    ['nothing', referred(''), unusable],
    ['two references', referred('<wsse:Reference URI="#a"/><wsse:Reference URI="#b"/>'), unusable],
    ['an address', referred('<wsse:Reference URI="https://x.example/cert"/>'), unusable],
    ['an identifier of another kind', keyIdentifier('urn:x', 'AAAA'), unusable],
    ['a certificate without a reference', signed.replace(/<wsse:SecurityT.*(?=<\/ds:KeyInfo>)/, ''), unusable],
    ['a key', signed.replace(/<wsse:SecurityT.*(?=<\/ds:KeyInfo>)/, '<ds:KeyValue/>'), unusable],
    ['no KeyInfo', signed.replace(/<ds:KeyInfo>.*<\/ds:KeyInfo>/, ''), unusable],
    ['a number that is none', x509('<ds:X509IssuerSerial/>'), unusable],
    ['an unknown number', serial(7n), 'no-usable-certificate'],
    ['a token that is not there', signed.replace('Reference URI="#X509-', 'Reference URI="#Y509-'), /no-such-token/],
    ['a token of another type', signed.replace(wssNames.x509v3, 'urn:x'), 'token-is-not-a-certificate'],
    ['a type the token is not of', signed.replace(/ValueType="[^"]+"\/>/, 'ValueType="urn:x"/>'), /token-is-not/],
    ['a token in hexadecimal', signed.replace(wssNames.base64, 'urn:hex'), 'token-is-not-a-certificate'],
    ['a token that is no certificate', signed.replace(/>MII[^<]+/, '>MIIAAAAA'), 'no-usable-certificate'],
  ])('is not found when the signature names %s', (_, message, reason) => {
    expect(message).not.toBe(signed)
    expect(reasonOf(() => verify(message, { certificates: [own] }))).toMatch(reason)
    expect(verify(signed).signer).toMatch(/^S1#050/)
  })
})

const corpus = join(import.meta.dirname, '../../../../../shared/corpus/sistema-ts/modi-pdnd/lg-modi')
const absent = !existsSync(corpus)
const skipped = absent ? ' (skipped: ../shared/corpus is absent)' : ''

describe(`the examples of the ModI guidelines${skipped}`, () => {
  const declarations = [
    `xmlns:soap="${soapNames.soap11}" xmlns:wsse="${soapNames.wsse}" xmlns:wsu="${soapNames.wsu}"`,
    'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#"',
  ].join(' ')

  function read(name: string) {
    const text = readFileSync(join(corpus, `${name}_example_request.xml`), 'utf8')
    // One of them uses prefixes that it does not declare.
    const tree = readTree(Buffer.from(text.replace('<soap:Envelope>', `<soap:Envelope ${declarations}>`)))
    const [header = 0, body = 0] = tree.children(tree.root)
    const envelope: Envelope = { tree, headers: tree.children(header), body: tree.first(body) }
    const security = tree.child(header, soapNames.wsse, 'Security')
    const find = (from: Node, local: string): Node =>
      tree.children(from).find((child) => tree.local(child) === local) ?? -1
    const keyInfo = find(find(security, 'Signature'), 'KeyInfo')
    return {
      tree,
      envelope,
      find: (local: string) => find(security, local),
      reference: readTokenReference(tree, keyInfo),
    }
  }

  it.skipIf(absent)('are read: timestamp, token, and how the signature refers to it', () => {
    const first = read('ID_AUTH_SOAP_01')
    expect(readTimestamp(first.tree, first.find('Timestamp'))).toEqual({
      created: '2019-04-15T14:53:34.649Z',
      expires: '2019-04-15T14:58:34.649Z',
    })
    const id = 'X509-39011475-65d5-446e-ba38-be84220fd720'
    expect(first.reference).toEqual({ kind: 'token', id, valueType: wssNames.x509v3 })
    const second = read('ID_AUTH_SOAP_02')
    const token = readBinaryToken(second.tree, second.find('BinarySecurityToken'))
    expect(token?.valueType).toBe(wssNames.x509v3)
    expect(new X509Certificate(Buffer.from(token?.base64 ?? '', 'base64')).subject).toBe('CN=modiSecProf')
    expect(second.reference).toEqual({ kind: 'token', id: 'X509-bf881daf-371a-4d18-9502-d9f92af9a949' })
    expect(read('INTEGRITY_SOAP_01').reference).toMatchObject({ kind: 'token', valueType: wssNames.x509v3 })
  })

  it.skipIf(absent)('are refused for what is wrong with them', () => {
    const refusal = (name: string, pattern: MessageRules['pattern']) =>
      reasonOf(() => verifyMessage(read(name).envelope, { ...rules, pattern }))
    // A signature abridged in print; a certificate of 2019; no address.
    expect(refusal('ID_AUTH_SOAP_01', 'ID_AUTH_SOAP_01')).toBe('SignatureValue-malformed')
    expect(refusal('ID_AUTH_SOAP_02', 'ID_AUTH_SOAP_02')).toMatch(/^certificate-/)
    expect(refusal('INTEGRITY_SOAP_01', 'INTEGRITY_SOAP_01')).toBe('no-To')
  })
})
