import { GatewayError } from '../../core/errors.ts'
import type { Gender, PersonName } from '../../core/model/demographics.ts'
import { type HomeCommunityId, homeCommunityId, homeOid, isOid } from '../../core/model/identifiers.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { isTimestamp, type Timestamp } from '../../core/model/timestamp.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeAttribute, escapeText } from '../xml-write.ts'

/** The namespace of HL7 V3 messages. */
export const hl7v3 = 'urn:hl7-org:v3'

/** Under which HL7 registers interactions and trigger events. */
export const hl7Interactions = '2.16.840.1.113883.1.6'

/** An instance identifier (II): a UUID or OID, or an OID and what it qualifies. */
export interface InstanceId {
  readonly root: string
  readonly extension?: string
}

/** Who sends or receives a message: a device, and the community it acts for where that is told. */
export interface MessageParty {
  readonly device: InstanceId
  readonly home?: HomeCommunityId
}

/** Follows child elements by name; NONE as soon as one is missing. */
export function at(tree: XmlTree, node: Node, ...path: readonly string[]): Node {
  let found = node
  for (const local of path) found = found === NONE ? NONE : tree.child(found, hl7v3, local)
  return found
}

/** An attribute trimmed, since codes with blanks around occur (ihe.md §1.11); undefined for none and for an empty one. */
export function attributeOf(tree: XmlTree, node: Node, local: string): string | undefined {
  const value = node === NONE ? '' : (tree.attribute(node, local)?.trim() ?? '')
  return value === '' ? undefined : value
}

export function readInstanceId(tree: XmlTree, node: Node): InstanceId | undefined {
  const root = attributeOf(tree, node, 'root')
  const extension = attributeOf(tree, node, 'extension')
  return root === undefined ? undefined : { root, ...(extension === undefined ? {} : { extension }) }
}

/** Without an id it says that there is none to tell. */
export function writeInstanceId(name: string, id: InstanceId | undefined): string {
  if (id === undefined) return `<${name} nullFlavor="NI"/>`
  const extension = id.extension === undefined ? '' : ` extension="${escapeAttribute(id.extension)}"`
  return `<${name} root="${escapeAttribute(id.root)}"${extension}/>`
}

/** A person's identifier as it stands there, unchecked; undefined for an II that is not both an OID and a value. */
export function readPersonId(tree: XmlTree, node: Node): PatientId | undefined {
  const root = attributeOf(tree, node, 'root')
  const value = tree.attribute(node, 'extension')
  return root !== undefined && isOid(root) && value !== undefined && value !== ''
    ? { value, authority: root }
    : undefined
}

export function writePersonId(name: string, { value, authority }: PatientId): string {
  return writeInstanceId(name, { root: authority, extension: value })
}

/** Undefined when no device is identified; a community that is no OID is not told. */
export function readParty(tree: XmlTree, node: Node): MessageParty | undefined {
  const device = readInstanceId(tree, at(tree, node, 'device', 'id'))
  if (device === undefined) return undefined
  const home = readHome(tree, at(tree, node, 'device', 'asAgent', 'representedOrganization', 'id'))
  return { device, ...(home === undefined ? {} : { home }) }
}

/** A community is a bare OID without extension here (ITI TF-2: 3.55.4.2.2.2); some write `urn:oid:` all the same. */
export function readHome(tree: XmlTree, node: Node): HomeCommunityId | undefined {
  const root = attributeOf(tree, node, 'root')?.replace(/^urn:oid:/, '')
  return root !== undefined && isOid(root) ? homeCommunityId(root) : undefined
}

export function writeHome(name: string, home: HomeCommunityId): string {
  return writeInstanceId(name, { root: homeOid(home) })
}

export function writeParty(name: 'receiver' | 'sender', party: MessageParty | undefined): string {
  const agent =
    party?.home === undefined
      ? ''
      : '<asAgent classCode="AGNT"><representedOrganization classCode="ORG" determinerCode="INSTANCE">' +
        `${writeHome('id', party.home)}</representedOrganization></asAgent>`
  return (
    `<${name} typeCode="${name === 'receiver' ? 'RCV' : 'SND'}"><device classCode="DEV" determinerCode="INSTANCE">` +
    `${writeInstanceId('id', party?.device)}${agent}</device></${name}>`
  )
}

/**
 * A name by its parts; undefined for a null one. Throws `parameter-invalid` for a name that is one text: nobody can say
 * which of its words is the surname.
 */
export function readName(tree: XmlTree, node: Node): PersonName | undefined {
  const texts = (local: string) =>
    tree
      .children(node, hl7v3, local)
      .map((part) => tree.text(part).trim())
      .filter((text) => text !== '')
  const family = texts('family').join(' ')
  const given = texts('given')
  if (family !== '' || given.length > 0) return { ...(family === '' ? {} : { family }), given }
  if (tree.hasText(node)) throw new GatewayError('parameter-invalid', 'A name must be told by its parts')
  return undefined
}

export function writeName(name: string, { family, given }: PersonName): string {
  const parts = [
    ...(family === undefined ? [] : [`<family>${escapeText(family)}</family>`]),
    ...given.map((text) => `<given>${escapeText(text)}</given>`),
  ]
  return `<${name}>${parts.join('')}</${name}>`
}

/** HL7 V3 AdministrativeGender; `U` and `O` are HL7 V2's and occur all the same. */
const genders: ReadonlyMap<string, Gender> = new Map([
  ['F', 'female'],
  ['M', 'male'],
  ['UN', 'other'],
  ['O', 'other'],
  ['U', 'unknown'],
])

/** Throws `parameter-invalid` for a code nobody knows. */
export function readGender(tree: XmlTree, node: Node): Gender | undefined {
  const code = attributeOf(tree, node, 'code')
  if (code === undefined) return undefined
  const gender = genders.get(code)
  if (gender === undefined) throw new GatewayError('parameter-invalid', 'A gender is none of HL7’s codes')
  return gender
}

export function writeGender(name: string, gender: Gender): string {
  const code = [...genders].find(([, one]) => one === gender && gender !== 'unknown')?.[0]
  return code === undefined
    ? `<${name} nullFlavor="UNK"/>`
    : `<${name} code="${code}" codeSystem="2.16.840.1.113883.5.1"/>`
}

/**
 * The day of a TS or IVL_TS, as coarse as told, in whatever zone: a birthday is one where it is told. Undefined for a
 * null one. Throws `parameter-invalid` for what is no day, and for an interval longer than that.
 */
export function readDay(tree: XmlTree, node: Node): Timestamp | undefined {
  const told = [node, at(tree, node, 'low'), at(tree, node, 'center'), at(tree, node, 'high')]
    .map((one) => attributeOf(tree, one, 'value'))
    .filter((value) => value !== undefined)
  const [day, ...others] = new Set(told.map((value) => value.slice(0, 8)))
  if (day === undefined) return undefined
  if (others.length > 0 || !isTimestamp(day)) {
    throw new GatewayError('parameter-invalid', 'A birth must be told by one day, month or year')
  }
  return day
}
