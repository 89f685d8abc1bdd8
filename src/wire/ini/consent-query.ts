import { GatewayError } from '../../core/errors.ts'
import type { Consent } from '../../core/model/change.ts'
import type { ConsentState } from '../../core/model/consents.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { known, readXmlBoolean } from './consent-list.ts'
import { element, encodeRequest } from './notification.ts'

/** How the state of a person's consents is asked for (ini.md §1.2, row 9; §7.2). */
export const consentQuery = {
  name: 'ConsentQuery',
  action: 'urn:fse:ConsentQuery',
  namespace: 'http://www.fascicolosanitario.gov.it/schema/typeSchemaCommunicationConsent',
} as const

/** How a person is spelt: `ID^^^&OID&ISO`, or the bare value, which INI was seen to write as well (ini.md §7.2). */
export type ConsentPatientForm = 'cx' | 'value'

/** Spells a person. */
export function spellPerson(id: PatientId, form: ConsentPatientForm): string {
  return form === 'cx' ? formatCx(id) : id.value
}

/** Spells the question. Throws RangeError on what XML cannot carry. */
export function encodeConsentQuery(patientId: PatientId, form: ConsentPatientForm): string {
  return encodeRequest(consentQuery, [element('PatientId', spellPerson(patientId, form))])
}

/**
 * Reads an answer that was taken, by local names: the consents, the notice they were given on, and the one in force. Throws
 * `community-misbehaved` when the answer is about somebody else than `asked`, or tells a consent without a name or in other
 * words than true and false.
 */
export function decodeConsentQueryResponse(tree: XmlTree, body: Node, asked: PatientId): ConsentState {
  requireAsked(textIn(tree, body, 'PatientId'), asked)
  const list = child(tree, body, 'ConsentList')
  const consents = list === NONE ? [] : tree.children(list).filter((node) => tree.local(node) === 'Consent')
  return {
    consents: consents.map((node) => readConsent(tree, node)),
    ...known({
      disclosure: textIn(tree, body, 'DisclosuresIdPast') || undefined,
      currentDisclosure: textIn(tree, body, 'DisclosuresIdCurrent') || undefined,
    }),
  }
}

/** Throws `community-misbehaved` when the text names somebody else; one that names nobody is passed over. */
export function requireAsked(text: string, asked: PatientId): void {
  if (text !== '' && !isAsked(text, asked)) throw unreadable('wrong-patient')
}

function isAsked(text: string, { value, authority }: PatientId): boolean {
  if (!text.includes('^')) return text === value
  const id = parseCx(text)
  return id?.value === value && id.authority === authority
}

function readConsent(tree: XmlTree, node: Node): Consent {
  const name = tree.attribute(node, 'name')?.trim() ?? ''
  if (name === '') throw unreadable('consent-without-name')
  const given = readXmlBoolean(textIn(tree, node, 'value'))
  if (given === undefined) throw unreadable('consent-without-value')
  const texts = {
    date: tree.attribute(node, 'date')?.trim() || undefined,
    note: textIn(tree, node, 'note') || undefined,
  }
  return { name, given, ...known(texts) }
}

/** The text of the child of that local name, trimmed; empty when there is none. */
export function textIn(tree: XmlTree, parent: Node, local: string): string {
  const node = child(tree, parent, local)
  return node === NONE ? '' : tree.text(node).trim()
}

/** The first child of that local name, or NONE. */
export function child(tree: XmlTree, parent: Node, local: string): Node {
  return tree.children(parent).find((node) => tree.local(node) === local) ?? NONE
}

/** That an answer of the consent services is none we can go by. */
export function unreadable(reason: string): GatewayError {
  return new GatewayError('community-misbehaved', 'The consents were told in a way that cannot be read', {
    details: { reason },
  })
}
