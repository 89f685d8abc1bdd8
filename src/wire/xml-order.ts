import { LENGTH, LOCAL, NAME, OFFSET } from './xml-names.ts'
import { ATTRIBUTE, ATTRIBUTE_NAME, ATTRIBUTE_NAMESPACE, type XmlRecords } from './xml-records.ts'

/** The order of two attributes in a canonical form: by namespace name, then by local name. */
export function compareAttributes(records: XmlRecords, one: number, other: number): number {
  const { attributes, names } = records
  const namespace = attributes[one * ATTRIBUTE + ATTRIBUTE_NAMESPACE]!
  const otherNamespace = attributes[other * ATTRIBUTE + ATTRIBUTE_NAMESPACE]!
  if (namespace !== otherNamespace) {
    return byCodePoint(names.namespaces.string(namespace), names.namespaces.string(otherNamespace))
  }
  const name = (attributes[one * ATTRIBUTE + ATTRIBUTE_NAME]! >> 1) << NAME
  const otherName = (attributes[other * ATTRIBUTE + ATTRIBUTE_NAME]! >> 1) << NAME
  return compareNames(records, names.table[name | LOCAL]!, names.table[otherName | LOCAL]!)
}

/** The order of two names by code point, as which their UTF-8 sorts. */
export function compareNames(records: XmlRecords, one: number, other: number): number {
  const { source, names } = records
  const from = names.table[(one << NAME) | OFFSET]!
  const otherFrom = names.table[(other << NAME) | OFFSET]!
  const length = names.table[(one << NAME) | LENGTH]!
  const otherLength = names.table[(other << NAME) | LENGTH]!
  for (let at = 0; at < length && at < otherLength; at++) {
    const difference = source[from + at]! - source[otherFrom + at]!
    if (difference !== 0) return difference
  }
  return length - otherLength
}

/** The order of code points, which is that of UTF-8 bytes but not of UTF-16 units. */
function byCodePoint(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const a = one.charCodeAt(at)
    const b = other.charCodeAt(at)
    if (a !== b) return rank(a) - rank(b)
  }
  return one.length - other.length
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
