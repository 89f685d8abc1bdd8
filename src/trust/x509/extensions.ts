import { type DerReader, tags } from './der.ts'

/** An extension of a certificate or of a revocation list (RFC 5280 §4.2), its value still to be read. */
export interface Extension {
  readonly critical: boolean
  readonly value: DerReader
}

/** Reads Extensions by object identifier; none when there is no reader. Throws Error when malformed or one comes twice. */
export function readExtensions(sequence: DerReader | undefined): Map<string, Extension> {
  const extensions = new Map<string, Extension>()
  while (sequence?.tag !== undefined) {
    const extension = sequence.read(tags.sequence)
    const identifier = extension.objectIdentifier()
    const critical = extension.tag === tags.boolean && extension.boolean()
    const value = extension.read(tags.octetString)
    extension.finish()
    if (extensions.has(identifier)) throw new Error('An extension comes twice')
    extensions.set(identifier, { critical, value })
  }
  return extensions
}

/** What a certificate's extensions are called, those that are understood here. */
export const extensionIds = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  policies: '2.5.29.32',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

/** The bits of keyUsage (RFC 5280 §4.2.1.3), first bit first. */
const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

export type KeyUsage = (typeof keyUsages)[number]

/** Subject alternative names (RFC 5280 §4.2.1.6) of the kinds that mean something here. */
export interface AlternativeNames {
  readonly dns: readonly string[]
  /** Dotted, or IPv6 in its shortest form. */
  readonly ip: readonly string[]
  readonly uri: readonly string[]
  readonly email: readonly string[]
}

/** What the understood extensions of a certificate say. */
export interface ExtensionFacts {
  readonly alternativeNames: AlternativeNames
  /** Undefined when the certificate does not limit its key. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined
  /** Object identifiers; undefined when the certificate does not limit its key so. */
  readonly extendedKeyUsage: readonly string[] | undefined
  /** Object identifiers of the certificate policies. */
  readonly policies: readonly string[]
  /** `ca` is false where the certificate says nothing. */
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength?: number }
  /** Key identifiers, in lower-case hexadecimal. */
  readonly authorityKeyId: string | undefined
  readonly subjectKeyId: string | undefined
  /** Critical extensions that are not understood: such a certificate must not be used (RFC 5280 §4.2). */
  readonly unknownCriticalExtensions: readonly string[]
}

/** Reads what a certificate's extensions say. Throws Error when one of those that are understood is malformed. */
export function extensionFacts(sequence: DerReader | undefined): ExtensionFacts {
  const extensions = readExtensions(sequence)
  const read = <T>(name: keyof typeof extensionIds, reader: (value: DerReader) => T): T | undefined => {
    const value = extensions.get(extensionIds[name])?.value
    if (value === undefined) return undefined
    const fact = reader(value)
    value.finish()
    return fact
  }
  const understood = new Set<string>(Object.values(extensionIds))
  return {
    alternativeNames: read('subjectAltName', alternativeNames) ?? { dns: [], ip: [], uri: [], email: [] },
    keyUsage: read('keyUsage', keyUsage),
    extendedKeyUsage: read('extendedKeyUsage', (value) => each(value, (item) => item.objectIdentifier())),
    policies: read('policies', (value) => each(value, (item) => item.read(tags.sequence).objectIdentifier())) ?? [],
    basicConstraints: read('basicConstraints', basicConstraints) ?? { ca: false },
    authorityKeyId: read('authorityKeyId', (value) => value.read(tags.sequence).optional(0x80)?.hex()),
    subjectKeyId: read('subjectKeyId', (value) => value.read(tags.octetString).hex()),
    unknownCriticalExtensions: [...extensions].flatMap(([identifier, { critical }]) =>
      critical && !understood.has(identifier) ? [identifier] : [],
    ),
  }
}

function each<T>(value: DerReader, read: (item: DerReader) => T): T[] {
  const items = value.read(tags.sequence)
  const all: T[] = []
  while (items.tag !== undefined) all.push(read(items))
  return all
}

function keyUsage(value: DerReader): ReadonlySet<KeyUsage> {
  const [unused, ...bytes] = value.read(tags.bitString).rest()
  if (unused === undefined || unused > 7) throw new Error('A key usage is a string of bits')
  return new Set(keyUsages.filter((_, bit) => ((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80))
}

function basicConstraints(value: DerReader): { ca: boolean; pathLength?: number } {
  const parts = value.read(tags.sequence)
  const ca = parts.tag === tags.boolean && parts.boolean()
  if (parts.tag === undefined) return { ca }
  const pathLength = parts.integer()
  parts.finish()
  if (!/^[0-7]?[0-9a-f]$/.test(pathLength)) throw new Error('A path length is a small number')
  return { ca, pathLength: Number.parseInt(pathLength, 16) }
}

/** Choices of GeneralName, by tag (RFC 5280 §4.2.1.6). */
const kinds = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const

function alternativeNames(value: DerReader): AlternativeNames {
  const names = each(value, (item) => ({ tag: item.tag, bytes: item.read().rest() }))
  const texts = (kind: number): string[] => names.flatMap(({ tag, bytes }) => (tag === kind ? [printable(bytes)] : []))
  return {
    dns: texts(kinds.dns),
    ip: names.flatMap(({ tag, bytes }) => (tag === kinds.ip ? [address(bytes)] : [])),
    uri: texts(kinds.uri),
    email: texts(kinds.email),
  }
}

function printable(bytes: Buffer): string {
  const text = bytes.toString('latin1')
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error('An alternative name is printable ASCII')
  return text
}

function address(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = bytes.toString('hex').match(/.{4}/g)
  if (bytes.length !== 16 || groups === null) throw new Error('An address has 4 or 16 octets')
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
