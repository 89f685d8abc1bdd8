import { createHmac, createSign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/core/errors.ts'
import type { Assertion } from '../../src/core/model/call.ts'
import { soapNames } from '../../src/wire/soap.ts'
import { XmlError } from '../../src/wire/xml.ts'
import { citizen, otherCitizen } from '../support/builders.ts'
import { authenticate, inWords, issued, type MessageParts, message, pem, signing } from '../support/saml.ts'

const good = await issued()
const id = attributeOf('ID')
const signature = /<ds:Signature .*<\/ds:Signature>/s.exec(good)?.[0] ?? ''
const bare = good.replace(signature, '')

function attributeOf(name: string): string {
  return new RegExp(` ${name}="([^"]+)"`).exec(good)?.[1] ?? ''
}

/** Replaces what must be there once. */
function swap(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, () => to)
  if (changed === text) throw new Error(`nothing to replace: ${from}`)
  return changed
}

/** The same claims about another citizen, under an id of choice; not signed. */
const evil = (evilId = '_evil') =>
  bare.replace(` ID="${id}"`, ` ID="${evilId}"`).replaceAll(citizen.value, otherCitizen.value)

const inside = (assertion: string, part: string) => swap(assertion, '</saml2:Issuer>', `</saml2:Issuer>${part}`)
const object = (content: string) =>
  swap(signature, '</ds:Signature>', `<ds:Object>${content}</ds:Object></ds:Signature>`)
const security = (content: string) => `<wsse:Security xmlns:wsse="${soapNames.wsse}">${content}</wsse:Security>`

type Attack = readonly [name: string, message: () => Buffer, reason: RegExp]

const wrapping =
  (assertion: () => string, parts: () => MessageParts = () => ({})) =>
  () =>
    message(assertion(), parts())

const attacks: readonly Attack[] = [
  ['an evil assertion before the signed one', wrapping(() => evil() + good), /several assertions/],
  ['an evil assertion behind the signed one', wrapping(() => good + evil()), /several assertions/],
  ['the signed assertion twice', wrapping(() => good + good), /several assertions/],
  [
    'two security headers',
    wrapping(
      () => '',
      () => ({ security: security(evil()) + security(good) }),
    ),
    /several security/,
  ],
  [
    'evil with the signature, the original inside its Object',
    wrapping(() => inside(evil(), object(bare))),
    /does not refer to its own/,
  ],
  [
    'evil with the signature, the whole signed original inside its Object',
    wrapping(() => inside(evil(), object(good))),
    /does not refer to its own/,
  ],
  [
    'evil under the same id, the original inside the Object',
    wrapping(() => inside(evil(id), object(bare))),
    /id is not unique/,
  ],
  [
    'evil under the same id, the original moved to an extension of it',
    wrapping(() => inside(evil(id), `${signature}<saml2:Extensions>${bare}</saml2:Extensions>`)),
    /id is not unique/,
  ],
  [
    'evil around the original in Advice',
    wrapping(() => inside(evil(), `${signature}<saml2:Advice>${good}</saml2:Advice>`)),
    /does not refer to its own/,
  ],
  [
    'the original moved to another header, evil in its place with its signature',
    wrapping(
      () => inside(evil(), signature),
      () => ({ headers: `<x:Keep xmlns:x="urn:x">${bare}</x:Keep>` }),
    ),
    /does not refer to its own/,
  ],
  [
    'the original moved to the body, evil in its place under the same id',
    wrapping(
      () => inside(evil(id), signature),
      () => ({ body: bare }),
    ),
    /id is not unique/,
  ],
  [
    'evil without a signature of its own, the original in Advice',
    wrapping(() => inside(evil(), `<saml2:Advice>${good}</saml2:Advice>`)),
    /exactly one signature/,
  ],
  [
    'the same id on another element, as ID',
    wrapping(
      () => good,
      () => ({ headers: `<x:H xmlns:x="urn:x" ID="${id}"/>` }),
    ),
    /id is not unique/,
  ],
  [
    'the same id on another element, as wsu:Id',
    wrapping(
      () => good,
      () => ({ body: `<x:B xmlns:x="urn:x" xmlns:wsu="${soapNames.wsu}" wsu:Id="${id}"/>` }),
    ),
    /id is not unique/,
  ],
  [
    'the same id on another element, as xml:id',
    wrapping(
      () => good,
      () => ({ body: `<x:B xmlns:x="urn:x" xml:id="${id}"/>` }),
    ),
    /id is not unique/,
  ],
  ['no signature', wrapping(() => bare), /exactly one signature/],
  ['two signatures', wrapping(() => inside(bare, signature + signature)), /exactly one signature/],
  ['the signature beside the assertion', wrapping(() => bare + signature), /exactly one signature/],
  [
    'two SignedInfo, the true one first',
    wrapping(() => swap(good, '</ds:SignedInfo>', `</ds:SignedInfo><ds:SignedInfo/>`)),
    /exactly one SignedInfo/,
  ],
  [
    'two SignedInfo, the true one last',
    wrapping(() => swap(good, '<ds:SignedInfo>', `<ds:SignedInfo></ds:SignedInfo><ds:SignedInfo>`)),
    /exactly one SignedInfo/,
  ],
  ['no SignedInfo', wrapping(() => swap(good, /<ds:SignedInfo>.*<\/ds:SignedInfo>/s, '')), /exactly one SignedInfo/],
  [
    'two references',
    wrapping(() => swap(good, '</ds:Reference>', `</ds:Reference><ds:Reference URI="#${id}"></ds:Reference>`)),
    /too many references/,
  ],
  ['no reference', wrapping(() => swap(good, /<ds:Reference.*<\/ds:Reference>/s, '')), /no reference/],
  [
    'a reference elsewhere',
    wrapping(() => swap(good, `URI="#${id}"`, 'URI="#_elsewhere"')),
    /does not refer to its own/,
  ],
  ['an empty reference', wrapping(() => swap(good, `URI="#${id}"`, 'URI=""')), /reference to elsewhere/],
  ['a reference without URI', wrapping(() => swap(good, ` URI="#${id}"`, '')), /reference to elsewhere/],
  [
    'a reference by xpointer',
    wrapping(() => swap(good, `URI="#${id}"`, `URI="#xpointer(id('${id}'))"`)),
    /reference to elsewhere/,
  ],
  [
    'an XPath transform more',
    wrapping(() =>
      swap(
        good,
        '</ds:Transforms>',
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/></ds:Transforms>',
      ),
    ),
    /unexpected transforms/,
  ],
  [
    'an XSLT transform in place of the last',
    wrapping(() =>
      swap(
        good,
        /<ds:Transform Algorithm="[^"]*exc-c14n#">/,
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">',
      ),
    ),
    /unexpected transforms/,
  ],
  ['no transforms', wrapping(() => swap(good, /<ds:Transforms>.*<\/ds:Transforms>/s, '')), /unexpected transforms/],
  [
    'something inside the enveloped transform',
    wrapping(() => swap(good, 'enveloped-signature">', 'enveloped-signature"><x xmlns="urn:x"/>')),
    /unexpected transforms/,
  ],
  [
    'more than prefixes inside the canonicalization',
    wrapping(() => swap(good, '</ec:InclusiveNamespaces>', '</ec:InclusiveNamespaces><x xmlns="urn:x"/>')),
    /unexpected c14n/,
  ],
  [
    'many prefixes',
    wrapping(() =>
      swap(good, 'PrefixList="xs"', `PrefixList="${Array.from({ length: 17 }, (_, n) => `p${n}`).join(' ')}"`),
    ),
    /too many inclusive/,
  ],
  [
    'inclusive canonicalization',
    wrapping(() => swap(good, 'xml-exc-c14n#"></ds:Can', 'REC-xml-c14n-20010315"></ds:Can')),
    /c14n not allowed/,
  ],
  [
    'canonicalization with comments',
    wrapping(() => swap(good, 'xml-exc-c14n#"></ds:Can', 'xml-exc-c14n#WithComments"></ds:Can')),
    /c14n not allowed/,
  ],
  ...[
    'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
    'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256',
    'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
    'http://www.w3.org/2001/04/xmldsig-more#rsa-md5',
    '',
  ].map(
    (algorithm): Attack => [
      `the signature method ${algorithm}`,
      wrapping(() => swap(good, 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', algorithm)),
      /SignatureMethod.* not allowed|key and algorithm do not fit/,
    ],
  ),
  [
    'the digest method sha1',
    wrapping(() => swap(good, 'http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2000/09/xmldsig#sha1')),
    /DigestMethod.* not allowed/,
  ],
  [
    'two digest values',
    wrapping(() => swap(good, '</ds:DigestValue>', '</ds:DigestValue><ds:DigestValue>AAAA</ds:DigestValue>')),
    /DigestValue.* malformed/,
  ],
  [
    'an element in the digest value',
    wrapping(() => swap(good, '</ds:DigestValue>', '<x xmlns="urn:x"/></ds:DigestValue>')),
    /DigestValue.* malformed/,
  ],
  [
    'no digest value',
    wrapping(() => swap(good, /<ds:DigestValue>.*<\/ds:DigestValue>/, '<ds:DigestValue></ds:DigestValue>')),
    /DigestValue.* malformed/,
  ],
  [
    'another digest value',
    wrapping(() => swap(good, /<ds:DigestValue>..../, '<ds:DigestValue>AAAA')),
    /digest differs/,
  ],
  [
    'a shorter digest value',
    wrapping(() => swap(good, /<ds:DigestValue>.*<\/ds:DigestValue>/, '<ds:DigestValue>AAAA</ds:DigestValue>')),
    /digest differs/,
  ],
  [
    'a true digest of false claims, hidden from the signature in a comment',
    wrapping(() =>
      swap(good, '<ds:DigestValue>', '<ds:DigestValue><!--AAAA-->').replaceAll(citizen.value, otherCitizen.value),
    ),
    /DigestValue malformed/,
  ],
  [
    'another signature value',
    wrapping(() => swap(good, /<ds:SignatureValue>..../, '<ds:SignatureValue>AAAA')),
    /signature does not hold/,
  ],
  [
    'an empty signature value',
    wrapping(() => swap(good, /<ds:SignatureValue>.*<\/ds:SignatureValue>/, '<ds:SignatureValue/>')),
    /SignatureValue.* malformed/,
  ],
  ['another citizen', wrapping(() => good.replaceAll(citizen.value, otherCitizen.value)), /digest differs/],
  ['another role', wrapping(() => swap(good, '>AAS<', '>INI<')), /digest differs/],
  ['a longer life', wrapping(() => swap(good, /NotOnOrAfter="20/, 'NotOnOrAfter="21')), /digest differs/],
  [
    'another issuer that is known to this presenter no more',
    wrapping(() => swap(good, '<saml2:Issuer>050', '<saml2:Issuer>120')),
    /issuer is not known/,
  ],
  [
    'an attribute more',
    wrapping(() => swap(good, '</saml2:AttributeStatement>', '<saml2:Attribute Name="x"/></saml2:AttributeStatement>')),
    /digest differs/,
  ],
  ['white space within', wrapping(() => swap(good, '<saml2:Subject>', ' <saml2:Subject>')), /digest differs/],
  ['a processing instruction', wrapping(() => swap(good, '<saml2:Subject>', '<?x y?><saml2:Subject>')), /./],
  [
    'an assertion of SAML 1.1',
    wrapping(() => good.replaceAll('urn:oasis:names:tc:SAML:2.0:assertion', 'urn:oasis:names:tc:SAML:1.0:assertion')),
    /^missing$/,
  ],
  [
    'a KeyInfo without certificate',
    wrapping(() => swap(good, /<ds:X509Data>.*<\/ds:X509Data>/, '<ds:KeyName>050</ds:KeyName>')),
    /no usable signing certificate/,
  ],
  ['no KeyInfo', wrapping(() => swap(good, /<ds:KeyInfo>.*<\/ds:KeyInfo>/, '')), /no usable signing certificate/],
  [
    'two KeyInfo',
    wrapping(() => swap(good, '</ds:KeyInfo>', '</ds:KeyInfo><ds:KeyInfo/>')),
    /no usable signing certificate/,
  ],
  [
    'a certificate that is none',
    wrapping(() =>
      swap(good, /<ds:X509Certificate>.*<\/ds:X509Certificate>/, '<ds:X509Certificate>AAAA</ds:X509Certificate>'),
    ),
    /no usable signing certificate/,
  ],
  [
    'the certificate of another region',
    wrapping(() => swap(good, /(?<=<ds:X509Certificate>)[^<]*/, base64(pem('region-120/signing.crt.pem')))),
    /belongs to somebody else/,
  ],
  [
    'a bare key in place of the certificate',
    wrapping(() =>
      swap(
        good,
        /<ds:X509Data>.*<\/ds:X509Data>/,
        '<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>',
      ),
    ),
    /no usable signing certificate/,
  ],
  [
    'a signature by the public key taken for a shared secret',
    wrapping(() =>
      resigned((text) => createHmac('sha256', pem('region-050/signing.crt.pem')).update(text).digest('base64')),
    ),
    /signature does not hold/,
  ],
  ['an ecdsa signature under the name of rsa', wrapping(() => resignedByCurve()), /key and algorithm do not fit/],
]

function base64(certificate: string): string {
  return certificate.replace(/-----[^-]+-----|\s/g, '')
}

function resigned(sign: (text: string) => string): string {
  const info = /<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(good)?.[0] ?? ''
  const text = swap(info, '<ds:SignedInfo>', '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">')
  return swap(good, /(?<=<ds:SignatureValue>)[^<]*/, sign(text))
}

function resignedByCurve(): string {
  const { certificate, key } = signing('region-050', 'signing-ec')
  const signed = resigned((text) => createSign('SHA256').update(text).sign(key, 'base64'))
  return swap(signed, /(?<=<ds:X509Certificate>)[^<]*/, base64(certificate))
}

async function attempt(bytes: Buffer): Promise<Assertion | string> {
  try {
    return await authenticate(bytes)
  } catch (error) {
    if (error instanceof XmlError) return `not XML: ${error.reason}`
    if (!(error instanceof GatewayError)) throw error
    if (error.code === 'assertion-missing') return 'missing'
    expect(error.code).toBe('assertion-invalid')
    expect(error.message).toBe('The assertion is not accepted')
    return inWords(error.details.reason)
  }
}

/** The message an attack starts from, before and after it: what is refused is the attack. */
async function control(): Promise<void> {
  expect(await attempt(message(good))).toMatchObject({ patientId: citizen, role: 'AAS', issuer: '050' })
}

describe('an accepted assertion is refused when it is attacked with', () => {
  it.each(attacks)('%s', async (_name, attack, reason) => {
    await control()
    const result = await attempt(attack())
    expect(result).toEqual(expect.any(String))
    expect(result).toMatch(reason)
    await control()
  })
})

describe('what the signature does not cover is not read', () => {
  it.each([
    ['an evil assertion inside the Object of the signature', () => inside(bare, object(evil()))],
    [
      'an evil signed part inside the Object',
      () => inside(bare, object(/<saml2:AttributeStatement>.*<\/saml2:AttributeStatement>/s.exec(evil())?.[0] ?? '')),
    ],
    ['line breaks in the base64', () => swap(good, '<ds:SignatureValue>', '<ds:SignatureValue>\n  ')],
  ])('%s', async (_name, attack) => {
    await control()
    expect(await attempt(message(attack()))).toEqual(await attempt(message(good)))
  })

  it('a comment in the name takes nothing away from it', async () => {
    const cut = swap(good, /(?<=<saml2:NameID>)CLNC/, 'CLNC<!-- -->')
    expect(await attempt(message(cut))).toEqual(await attempt(message(good)))
    const attribute = swap(good, />CLNCXX75C03F839M(?=[^>]*<\/saml2:AttributeValue>)/, '>CLNCXX<!--x-->75C03F839M')
    expect(await attempt(message(attribute))).toEqual(await attempt(message(good)))
  })

  it('an assertion elsewhere in the message is no assertion', async () => {
    expect(await attempt(message('', { body: good }))).toBe('missing')
    expect(await attempt(message('', { headers: good }))).toBe('missing')
    expect(await attempt(message('', { security: '' }))).toBe('missing')
  })
})
