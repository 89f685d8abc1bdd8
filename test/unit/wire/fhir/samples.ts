import { readFileSync } from 'node:fs'

type Json = Record<string, unknown>

/** A synthetic message, as bytes. */
export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../../../fixtures/fhir/${name}.json`, import.meta.url))
}

/** A DocumentReference with as little as can be understood, and what else it is given. */
export function document(more: Json = {}): Json {
  return {
    resourceType: 'DocumentReference',
    id: '41',
    masterIdentifier: { system: 'urn:oid:2.16.840.1.113883.2.9.2.90.4.4', value: 'SYN.1' },
    identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21' }],
    status: 'current',
    subject: { identifier: { system: 'urn:oid:2.16.840.1.113883.2.9.4.3.2', value: 'PRVCRC70A01D612G' } },
    content: [
      { attachment: { contentType: 'application/pdf', url: 'https://record.example/fhir/Binary/41', size: 9 } },
    ],
    ...more,
  }
}

/** The same with an attachment that has more to it. */
export function documentWith(attachment: Json, more: Json = {}): Json {
  return document({
    content: [{ attachment: { url: 'https://record.example/fhir/Binary/41', size: 9, ...attachment } }],
    ...more,
  })
}
