import type { HideChange } from '../../core/model/change.ts'
import { formatCx } from '../hl7/cx.ts'
import type { Node, XmlTree } from '../xml.ts'
import {
  element,
  encodeRequest,
  Fields,
  notificationMessage,
  optionalElement,
  readPatientId,
  requireRequest,
} from './notification.ts'

/** How the notification of a hiding is called (ini.md §7.2). */
export const notifyHiding = notificationMessage('NotifyHiding')

/** Spells the notification of a hiding, its date as it was told. Throws RangeError on what XML cannot carry. */
export function encodeNotifyHiding(change: Omit<HideChange, 'type'>): string {
  return encodeRequest(notifyHiding, [
    element('PatientId', formatCx(change.patientId)),
    optionalElement('HidingDate', change.since),
    element('DocumentId', change.uniqueId),
    optionalElement('SourceDocumentId', change.sourceUniqueId),
  ])
}

/** `YYYYMMDDHHMMSS+ZZZZ` as documented, or ISO 8601 as sent (ini.md §7.2), with less of either. */
const dates = [
  /^\d{8}(?:\d{2}){0,3}(?:[+-]\d{4})?$/,
  /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}:?\d{2})?$/,
]

/**
 * Reads the notification of a hiding. Only whose document is to be hidden, and which, must be told and be sound: a date
 * that cannot be read is left out, and so is a document that is named as its own source (ini.md §7.2), since neither is a
 * reason to go on showing it. Throws `request-malformed`, `parameter-missing`, `parameter-count` and `parameter-invalid`,
 * with sentences that repeat nothing.
 */
export function decodeNotifyHiding(tree: XmlTree, body: Node): HideChange {
  requireRequest(notifyHiding, tree, body)
  const fields = new Fields(tree, body, notifyHiding)
  const uniqueId = fields.required('DocumentId')
  const source = fields.optional('SourceDocumentId')
  const date = fields.optional('HidingDate')
  return {
    type: 'hide',
    patientId: readPatientId(fields.required('PatientId')),
    uniqueId,
    ...(source === undefined || source === uniqueId ? {} : { sourceUniqueId: source }),
    ...(date === undefined || !dates.some((form) => form.test(date)) ? {} : { since: date }),
  }
}
