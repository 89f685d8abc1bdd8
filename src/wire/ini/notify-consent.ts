import { GatewayError } from '../../core/errors.ts'
import type { Consent, ConsentNotification } from '../../core/model/change.ts'
import { formatCx } from '../hl7/cx.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeAttribute } from '../xml-write.ts'
import { element, encodeRequest, Fields, notificationMessage, readPatientId, requireRequest } from './notification.ts'

/** How the notification of changed consents is called (ini.md §7.2). */
export const notifyConsent = notificationMessage('NotifyConsent')

/** Spells the notification of changed consents; what is not known is empty. Throws RangeError on what XML cannot carry. */
export function encodeNotifyConsent(message: Omit<ConsentNotification, 'type'>): string {
  return encodeRequest(notifyConsent, [
    element('OrganizationID', message.organization ?? ''),
    element('OperatorLocality', message.operatorLocality ?? ''),
    element('PatientId', formatCx(message.patientId)),
    element('OperatorId', message.operator ?? ''),
    element('OperatorRole', message.operatorRole ?? ''),
    element('RequestorId', message.requestor ?? ''),
    element('DisclosuresId', message.disclosure ?? ''),
    `<ConsentList>${message.consents.map(encodeConsent).join('')}</ConsentList>`,
  ])
}

function encodeConsent({ name, given, date, note }: Consent): string {
  const dated = date === undefined ? '' : ` date="${escapeAttribute(date)}"`
  return (
    `<Consent${dated} name="${escapeAttribute(name)}">` +
    `${element('value', String(given))}${element('note', note ?? '')}</Consent>`
  )
}

/**
 * Reads the notification of changed consents. Whose they are must be told, and of each its name and whether it is given;
 * the rest may be missing or empty. Throws `request-malformed`, `parameter-missing`, `parameter-count` (also for a consent
 * that is told twice) and `parameter-invalid`, with sentences that repeat nothing.
 */
export function decodeNotifyConsent(tree: XmlTree, body: Node): ConsentNotification {
  requireRequest(notifyConsent, tree, body)
  const fields = new Fields(tree, body, notifyConsent)
  const texts = {
    organization: fields.optional('OrganizationID'),
    operator: fields.optional('OperatorId'),
    operatorRole: fields.optional('OperatorRole'),
    operatorLocality: fields.optional('OperatorLocality'),
    requestor: fields.optional('RequestorId'),
    disclosure: fields.optional('DisclosuresId'),
  }
  return {
    type: 'consents-changed',
    patientId: readPatientId(fields.required('PatientId')),
    ...known(texts),
    consents: readConsents(tree, fields.node('ConsentList')),
  }
}

function readConsents(tree: XmlTree, list: Node): readonly Consent[] {
  const nodes = list === NONE ? [] : tree.children(list, notifyConsent.namespace, 'Consent')
  if (nodes.length === 0) throw new GatewayError('parameter-missing', 'ConsentList has no Consent')
  const consents = nodes.map((node) => readConsent(tree, node))
  if (new Set(consents.map(({ name }) => name)).size < consents.length) {
    throw new GatewayError('parameter-count', 'A Consent may stand only once')
  }
  return consents
}

function readConsent(tree: XmlTree, node: Node): Consent {
  const fields = new Fields(tree, node, notifyConsent)
  const name = tree.attribute(node, 'name')?.trim() ?? ''
  if (name === '') throw new GatewayError('parameter-missing', 'A Consent has no name')
  const texts = { date: tree.attribute(node, 'date')?.trim() || undefined, note: fields.optional('note') }
  return { name, given: readBoolean(fields.required('value')), ...known(texts) }
}

/** XML Schema Part 2 §3.2.2. */
function readBoolean(text: string): boolean {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new GatewayError('parameter-invalid', 'The value of a Consent must be true or false')
}

/** What is there of several texts. */
function known<Name extends string>(texts: Readonly<Record<Name, string | undefined>>): Partial<Record<Name, string>> {
  const there = Object.entries<string | undefined>(texts).filter(([, text]) => text !== undefined)
  return Object.fromEntries(there) as Partial<Record<Name, string>>
}
