import {
  digestMethods,
  dsigNames,
  type HashName,
  signatureMethodUri,
  type XmlSignatureMethod,
} from '../../src/wire/xml-signature.ts'

/** Of every assertion that others sign here. */
export const assertionId = '_0f8b6a5e-6c1d-4a37-8f0e-52d9c7a1b3e4'

/** Algorithms of a signature under their short names. */
export interface Algorithms {
  readonly method: XmlSignatureMethod
  readonly hash: HashName
}

/** The same as XML signature names them. Throws when it does not. */
export function urisOf({ method, hash }: Algorithms): { readonly signature: string; readonly digest: string } {
  const digest = [...digestMethods].find(([, known]) => known === hash)?.[0]
  const signature = signatureMethodUri(method)
  if (digest === undefined || signature === undefined) throw new Error('no such algorithm')
  return { signature, digest }
}

/** An indented enveloped signature for xmlsec1 to fill in. Without a prefix it declares a default namespace. */
export function signatureTemplate(algorithms: Algorithms, prefixes: readonly string[], prefix = 'ds'): string {
  const { signature, digest } = urisOf(algorithms)
  const { ds, enveloped, exclusiveC14n } = dsigNames
  const list =
    prefixes.length === 0
      ? ''
      : `<ec:InclusiveNamespaces xmlns:ec="${exclusiveC14n}" PrefixList="${prefixes.join(' ')}"/>`
  const template = `<ds:Signature xmlns:ds="${ds}">
    <ds:SignedInfo>
      <ds:CanonicalizationMethod Algorithm="${exclusiveC14n}"/>
      <ds:SignatureMethod Algorithm="${signature}"/>
      <ds:Reference URI="#${assertionId}">
        <ds:Transforms>
          <ds:Transform Algorithm="${enveloped}"/>
          <ds:Transform Algorithm="${exclusiveC14n}">${list}</ds:Transform>
        </ds:Transforms>
        <ds:DigestMethod Algorithm="${digest}"/>
        <ds:DigestValue/>
      </ds:Reference>
    </ds:SignedInfo>
    <ds:SignatureValue/>
    <ds:KeyInfo>
      <ds:X509Data>
        <ds:X509Certificate/>
      </ds:X509Data>
    </ds:KeyInfo>
  </ds:Signature>`
  return prefix === '' ? template.replace('xmlns:ds', 'xmlns').replaceAll('ds:', '') : template
}

/** Changes the last byte of a claim, where it first stands. Throws when it does not. */
export function alter(document: string, claim: string): string {
  const last = document.indexOf(claim) + claim.length - 1
  if (last < claim.length - 1) throw new Error(`no such claim: ${claim}`)
  const changed = String.fromCharCode(document.charCodeAt(last) ^ 1)
  return `${document.slice(0, last)}${changed}${document.slice(last + 1)}`
}
