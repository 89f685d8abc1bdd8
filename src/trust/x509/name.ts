import { type DerReader, tags } from './der.ts'

/** A distinguished name. */
export interface DistinguishedName {
  /** Equal for names that are the same (RFC 5280 §7.1): case, spacing and kind of string do not matter. Empty for none. */
  readonly comparable: string
  /** Its common names, in order. */
  readonly commonNames: readonly string[]
}

const commonName = '2.5.4.3'

/** Reads a Name (RFC 5280 §4.1.2.4). Throws Error when it is malformed. */
export function readName(reader: DerReader): DistinguishedName {
  const commonNames: string[] = []
  const relative: string[] = []
  const name = reader.read(tags.sequence)
  while (name.tag !== undefined) {
    const attributes: string[] = []
    const set = name.read(tags.set)
    while (set.tag !== undefined) {
      const attribute = set.read(tags.sequence)
      const type = attribute.objectIdentifier()
      const value = attribute.text()
      attribute.finish()
      if (type === commonName) commonNames.push(value)
      attributes.push(`${type}=${JSON.stringify(folded(value))}`)
    }
    relative.push(attributes.sort().join('+'))
  }
  return { comparable: relative.join(','), commonNames }
}

function folded(value: string): string {
  return value.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()
}
