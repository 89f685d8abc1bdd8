/** Namespaces and algorithm identifiers of XML signature (XML Signature 1.1 §6, RFC 6931), spelt once. */
export const dsigNames = {
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  exclusiveC14n: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  enveloped: 'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
} as const

export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512'

export const digestMethods: ReadonlyMap<string, HashName> = new Map([
  ['http://www.w3.org/2000/09/xmldsig#sha1', 'sha1'],
  ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#sha384', 'sha384'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
])

/** Signature methods under their JOSE names; `RS1`, RSA with SHA-1, has none there. HMAC and DSA are not among them. */
export type XmlSignatureMethod = 'RS1' | 'RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'ES512'

export const signatureMethods: ReadonlyMap<string, XmlSignatureMethod> = new Map([
  ['http://www.w3.org/2000/09/xmldsig#rsa-sha1', 'RS1'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'RS256'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha384', 'RS384'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'RS512'],
  ['http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256', 'ES256'],
  ['http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384', 'ES384'],
  ['http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512', 'ES512'],
])

/** The identifier of a signature method. */
export function signatureMethodUri(name: string): string | undefined {
  for (const [uri, known] of signatureMethods) if (known === name) return uri
  return undefined
}
