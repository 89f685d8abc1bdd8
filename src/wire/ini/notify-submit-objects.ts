import type { SubmitNotification } from '../../core/model/change.ts'
import { formatCx } from '../hl7/cx.ts'
import type { Node, XmlTree } from '../xml.ts'
import {
  element,
  encodeRequest,
  Fields,
  type HomeOf,
  notificationMessage,
  optionalElement,
  readHome,
  readPatientId,
  requireRequest,
} from './notification.ts'

/** How the notification of an operation on metadata is called (ini.md §7.2). */
export const notifySubmitObjects = notificationMessage('NotifySubmitObjects')

/** Spells the notification of an operation on metadata. Throws RangeError on what XML cannot carry. */
export function encodeNotifySubmitObjects(message: Omit<SubmitNotification, 'type'>): string {
  return encodeRequest(notifySubmitObjects, [
    optionalElement('HomeCommunityId', message.home),
    element('RepositoryUniqueId', message.repositoryUniqueId),
    element('DocumentUniqueId', message.uniqueId),
    element('PatientId', formatCx(message.patientId)),
  ])
}

/**
 * Reads the notification of an operation on metadata; a home may be told by an organization's code, a patient by a bare
 * codice fiscale (ini.md §7.2). Throws `request-malformed`, `parameter-missing`, `parameter-count` and
 * `parameter-invalid`, with sentences that repeat nothing.
 */
export function decodeNotifySubmitObjects(tree: XmlTree, body: Node, homeOf: HomeOf): SubmitNotification {
  requireRequest(notifySubmitObjects, tree, body)
  const fields = new Fields(tree, body, notifySubmitObjects)
  const home = fields.optional('HomeCommunityId')
  return {
    type: 'documents-submitted',
    patientId: readPatientId(fields.required('PatientId')),
    ...(home === undefined ? {} : { home: readHome(home, homeOf) }),
    repositoryUniqueId: fields.required('RepositoryUniqueId'),
    uniqueId: fields.required('DocumentUniqueId'),
  }
}
