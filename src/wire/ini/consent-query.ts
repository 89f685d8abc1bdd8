import { GatewayError } from '../../core/errors.ts'
import type { Consent } from '../../core/model/change.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeText } from '../xml-write.ts'

/** How the state of a person's consents is asked for (ini.md §1.2, row 9; §7.2). */
export const consentQuery = {
  name: 'ConsentQuery',
  action: 'urn:fse:ConsentQuery',
  namespace: 'http://www.fascicolosanitario.gov.it/schema/typeSchemaCommunicationConsent',
} as const

/** How a patient is spelt: `ID^^^&OID&ISO`, or the bare value, which INI was seen to write as well (ini.md §7.2). */
export type ConsentPatientForm = 'cx' | 'value'

/** Spells the question. Throws RangeError on what XML cannot carry. */
export function encodeConsentQuery(patientId: PatientId, form: ConsentPatientForm): string {
  const text = form === 'cx' ? formatCx(patientId) : patientId.value
  const { name, namespace } = consentQuery
  return `<${name}Request xmlns="${namespace}"><PatientId>${escapeText(text)}</PatientId></${name}Request>`
}

/**
 * Reads the consents of an answer that was taken, by local names. Throws `community-misbehaved` when the answer is about
 * somebody else than `asked`, or tells a consent without a name or in other words than true and false.
 */
export function decodeConsentQueryResponse(tree: XmlTree, body: Node, asked: PatientId): readonly Consent[] {
  const patient = textOf(tree, child(tree, body, 'PatientId'))
  if (patient !== '' && !isAsked(patient, asked)) throw unreadable('wrong-patient')
  const list = child(tree, body, 'ConsentList')
  const consents = list === NONE ? [] : tree.children(list).filter((node) => tree.local(node) === 'Consent')
  return consents.map((node) => readConsent(tree, node))
}

function isAsked(text: string, { value, authority }: PatientId): boolean {
  if (!text.includes('^')) return text === value
  const id = parseCx(text)
  return id?.value === value && id.authority === authority
}

function readConsent(tree: XmlTree, node: Node): Consent {
  const name = tree.attribute(node, 'name')?.trim() ?? ''
  if (name === '') throw unreadable('consent-without-name')
  const date = tree.attribute(node, 'date')?.trim() ?? ''
  const note = textOf(tree, child(tree, node, 'note'))
  return {
    name,
    given: readBoolean(textOf(tree, child(tree, node, 'value'))),
    ...(date === '' ? {} : { date }),
    ...(note === '' ? {} : { note }),
  }
}

/** XML Schema Part 2 §3.2.2. */
function readBoolean(text: string): boolean {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw unreadable('consent-without-value')
}

function child(tree: XmlTree, parent: Node, local: string): Node {
  return tree.children(parent).find((node) => tree.local(node) === local) ?? NONE
}

function textOf(tree: XmlTree, node: Node): string {
  return node === NONE ? '' : tree.text(node).trim()
}

function unreadable(reason: string): GatewayError {
  return new GatewayError('community-misbehaved', 'The consents were told in a way that cannot be read', {
    details: { reason },
  })
}
