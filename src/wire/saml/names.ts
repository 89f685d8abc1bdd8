/** Namespaces and identifiers of SAML 2.0, spelt once. Those of XML signature are in `wire/xml-signature.ts`. */
export const samlNames = {
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  xs: 'http://www.w3.org/2001/XMLSchema',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  bearer: 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
  holderOfKey: 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key',
  x509: 'urn:oasis:names:tc:SAML:2.0:ac:classes:X509',
} as const

/** NameFormat of an attribute (SAML 2.0 Core §8.2). */
export const attributeFormats = {
  uri: 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
  basic: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
} as const
