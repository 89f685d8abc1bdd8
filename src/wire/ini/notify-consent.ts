import type { ConsentNotification } from '../../core/model/change.ts'
import { formatCx } from '../hl7/cx.ts'
import type { Node, XmlTree } from '../xml.ts'
import { encodeConsentList, known, readConsentList } from './consent-list.ts'
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
    encodeConsentList(message.consents),
  ])
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
    consents: readConsentList(tree, fields.node('ConsentList'), notifyConsent.namespace),
  }
}
