import type { PatientId } from '../../core/model/patient.ts'
import { formatCx } from '../hl7/cx.ts'
import type { Node, XmlTree } from '../xml.ts'
import type { NewAttribute } from './assertion-write.ts'

/** Attribute names of the Italian attribute assertion (ini.md §2.3). */
export const iniAttributes = {
  patientConsent: 'urn:oasis:names:tc:xspa:1.0:resource:patient:consent',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  subjectId: 'urn:oasis:names:tc:xacml:1.0:subject:subject-id',
  hl7Type: 'urn:oasis:names:tc:xspa:1.0:resource:hl7:type',
  locality: 'urn:oasis:names:tc:xspa:1.0:environment:locality',
  purposeOfUse: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  organizationId: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  organization: 'urn:oasis:names:tc:xspa:1.0:subject:organization',
  resourceId: 'urn:oasis:names:tc:xacml:1.0:resource:resource-id',
  actionId: 'urn:oasis:names:tc:xacml:1.0:action:action-id',
  applicationId: 'SubjectApplicationId',
  applicationVendor: 'SubjectApplicationVendor',
  applicationVersion: 'SubjectApplicationVersion',
  indexTransferId: 'IndexTransferId',
} as const

export interface DocumentType {
  readonly code: string
  readonly scheme: string
}

/** Reads `('code^^scheme','code^^scheme')` (ini.md §2.3); undefined when malformed. */
export function parseDocumentTypes(text: string): readonly DocumentType[] | undefined {
  const inner = /^\((.*)\)$/.exec(text.trim())?.[1] ?? text.trim()
  const types: DocumentType[] = []
  for (const item of inner.split(',')) {
    const match = /^\s*'?([^'^]+)\^\^([^'^]+)'?\s*$/.exec(item)
    if (match === null) return undefined
    types.push({ code: match[1] ?? '', scheme: match[2] ?? '' })
  }
  return types
}

export function formatDocumentTypes(types: readonly DocumentType[]): string {
  return `(${types.map(({ code, scheme }) => `'${code}^^${scheme}'`).join(',')})`
}

/** What an Italian attribute assertion states beyond its subject. */
export interface IniStatement {
  /** CX of who asks. */
  readonly subject: string
  readonly role: string
  readonly purposeOfUse: string
  readonly action: string
  readonly organization: string
  readonly organizationName?: string
  readonly locality?: string
  readonly inCare?: boolean
  readonly patientId?: PatientId
  readonly documentTypes?: readonly DocumentType[]
  readonly application?: { readonly id: string; readonly vendor: string; readonly version: string }
  /** `urn:uuid:…`, on the messages of an index transfer: nobody in particular is the subject of those (#2273). */
  readonly indexTransferId?: string
}

/**
 * The attributes in the order INI's own gateway writes them; what is not stated is left out, and so is who asks for an index
 * transfer (subject-id is mandatory except there, ini.md §2.3).
 */
export function iniAttributesOf(statement: IniStatement): readonly NewAttribute[] {
  const { application, documentTypes, inCare, patientId } = statement
  const names = iniAttributes
  const written: readonly (readonly [string, string | undefined])[] = [
    [names.patientConsent, inCare === undefined ? undefined : String(inCare)],
    [names.role, statement.role],
    [names.subjectId, statement.indexTransferId === undefined ? statement.subject : undefined],
    [names.hl7Type, documentTypes && formatDocumentTypes(documentTypes)],
    [names.locality, statement.locality],
    [names.purposeOfUse, statement.purposeOfUse],
    [names.organizationId, statement.organization],
    [names.organization, statement.organizationName],
    [names.resourceId, patientId && formatCx(patientId)],
    [names.actionId, statement.action],
    [names.applicationId, application?.id],
    [names.applicationVendor, application?.vendor],
    [names.applicationVersion, application?.version],
    [names.indexTransferId, statement.indexTransferId],
  ]
  return written.flatMap(([name, text]) => {
    if (text === undefined) return []
    return [{ name, format: name.startsWith('urn:') ? 'uri' : 'basic', values: [{ type: 'xs:string', text }] } as const]
  })
}

/** Namespace and names of INI's identification assertion (ini.md §2.5). */
const identificationNamespace = 'http://www.fascicolosanitario.gov.it/identificazione'
export const identificationAttributes = { codes: 'CF_List', regions: 'RDA_List' } as const

/** What INI says of a person: every codice fiscale, and every region that assisted them, as written. */
export interface Identification {
  readonly codes: readonly { readonly value: string; readonly current: boolean }[]
  readonly regions: readonly { readonly code: string; readonly current: boolean }[]
}

/**
 * Reads the two lists of an identification assertion; undefined when a value is not of its form. `xsi:type` is not looked
 * at: one region's code misspells its namespace (ini.md §2.5).
 */
export function readIdentification(
  tree: XmlTree,
  attributes: ReadonlyMap<string, readonly Node[]>,
): Identification | undefined {
  const listed = (name: string, local: string, currently: string) =>
    (attributes.get(name) ?? []).map((value) => {
      const children = tree.children(value)
      const [node] = children
      if (node === undefined || children.length !== 1 || !tree.is(node, identificationNamespace, local))
        return undefined
      const text = tree.text(node).trim()
      const current = tree.attribute(node, currently)?.trim()
      return text === '' ? undefined : { text, current: current === 'true' || current === '1' }
    })
  const codes = listed(identificationAttributes.codes, 'CF', 'CurrentStatus')
  const regions = listed(identificationAttributes.regions, 'RDA', 'Current')
  if (codes.length === 0) return undefined
  const read: { codes: Identification['codes'][number][]; regions: Identification['regions'][number][] } = {
    codes: [],
    regions: [],
  }
  for (const one of codes) {
    if (one === undefined) return undefined
    read.codes.push({ value: one.text, current: one.current })
  }
  for (const one of regions) {
    if (one === undefined) return undefined
    read.regions.push({ code: one.text, current: one.current })
  }
  return read
}
