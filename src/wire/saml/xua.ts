import type { PatientId } from '../../core/model/patient.ts'
import { formatCx } from '../hl7/cx.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { canonicalAttribute } from '../xml-write.ts'
import type { NewAttribute } from './assertion-write.ts'
import { samlNames } from './names.ts'

/** Attribute names of IHE XUA (ITI TF-2: 3.40.4.1.2; ihe.md §1.13). */
export const xuaAttributes = {
  subjectName: 'urn:oasis:names:tc:xspa:1.0:subject:subject-id',
  organization: 'urn:oasis:names:tc:xspa:1.0:subject:organization',
  organizationId: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  homeCommunityId: 'urn:ihe:iti:xca:2010:homeCommunityId',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  purposeOfUse: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  resourceId: 'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
} as const

const hl7 = 'urn:hl7-org:v3'

/** A coded value of HL7 V3. */
export interface HL7Code {
  readonly code: string
  readonly system?: string
  readonly display?: string
}

/**
 * Reads `<Role xmlns="urn:hl7-org:v3" code="…" codeSystem="…"/>` in an AttributeValue, also wrapped in one more element as
 * older samples do (ihe.md §1.13), or a plain text as a code of no system; undefined when there is no code.
 */
export function readHL7Code(tree: XmlTree, value: Node): HL7Code | undefined {
  let node = value
  for (let depth = 0; depth < 3; depth++) {
    const code = tree.namespace(node) === hl7 ? tree.attribute(node, 'code') : undefined
    if (code !== undefined && code !== '') {
      const system = tree.attribute(node, 'codeSystem')
      const display = tree.attribute(node, 'displayName')
      return { code, ...(system === undefined ? {} : { system }), ...(display === undefined ? {} : { display }) }
    }
    const children = tree.children(node)
    const [child = NONE] = children
    if (child === NONE) {
      const text = tree.text(node).trim()
      return text === '' || node !== value ? undefined : { code: text }
    }
    if (children.length !== 1) return undefined
    node = child
  }
  return undefined
}

/** What an XUA assertion states beyond its subject. */
export interface XuaStatement {
  /** The person's name or identifier, as text. */
  readonly subjectName: string
  readonly organization?: string
  /** `urn:oid:…` or a URL. */
  readonly organizationId: string
  readonly homeCommunityId?: string
  readonly role: HL7Code
  readonly purposeOfUse: HL7Code
  readonly patientId?: PatientId
}

export function xuaAttributesOf(statement: XuaStatement): readonly NewAttribute[] {
  const { homeCommunityId, organization, patientId } = statement
  const names = xuaAttributes
  const text = (name: string, value: string | undefined): NewAttribute[] =>
    value === undefined ? [] : [{ name, format: 'uri', values: [{ type: 'xs:string', text: value }] }]
  const coded = (name: string, element: string, value: HL7Code): NewAttribute => ({
    name,
    format: 'uri',
    values: [{ canonical: hl7Code(element, value) }],
  })
  return [
    ...text(names.subjectName, statement.subjectName),
    ...text(names.organization, organization),
    ...text(names.organizationId, statement.organizationId),
    ...text(names.homeCommunityId, homeCommunityId),
    coded(names.role, 'Role', statement.role),
    coded(names.purposeOfUse, 'PurposeOfUse', statement.purposeOfUse),
    ...text(names.resourceId, patientId && formatCx(patientId)),
  ]
}

/** In exclusive canonical form: declarations first, then the attributes without a namespace, then `xsi:type`. */
function hl7Code(element: string, { code, system, display }: HL7Code): string {
  const attribute = (name: string, value: string | undefined) =>
    value === undefined ? '' : ` ${name}="${canonicalAttribute(value)}"`
  return (
    `<${element} xmlns="${hl7}" xmlns:xsi="${samlNames.xsi}"${attribute('code', code)}${attribute('codeSystem', system)}` +
    `${attribute('displayName', display)} xsi:type="CE"></${element}>`
  )
}
