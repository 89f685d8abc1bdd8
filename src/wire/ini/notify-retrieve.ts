import type { RetrieveNotification } from '../../core/model/change.ts'
import type { CodeQuery } from '../../core/model/code.ts'
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

/** How the notification of a retrieval is called (ini.md §7.2). */
export const notifyRetrieve = notificationMessage('NotifyRetrieve')

/**
 * Spells the notification of a retrieval, in the order of the schema. The home is optional, by the schema the region of
 * assistance's; what INI was seen to send has none. Throws RangeError on what XML cannot carry.
 */
export function encodeNotifyRetrieve(message: Omit<RetrieveNotification, 'type'>): string {
  const { typeCode } = message
  return encodeRequest(notifyRetrieve, [
    optionalElement('HomeCommunityId', message.home),
    element('RepositoryUniqueId', message.repositoryUniqueId),
    element('DocumentUniqueId', message.uniqueId),
    // Required by the schema, and empty when INI does not know it either.
    element('TypeCode', typeCode === undefined ? '' : typeText(typeCode)),
    element('RequestorId', message.requestor),
    element('RequestorRole', message.requestorRole),
    element('Pou', message.purposeOfUse),
    element('RequestorLocality', message.locality ?? ''),
    element('PatientId', formatCx(message.patientId)),
  ])
}

/**
 * Reads the notification of a retrieval, with what INI was seen to send: a type code in the notation of a query, doubled or
 * empty, a home told by an organization's code, a bare codice fiscale (ini.md §7.2). Throws `request-malformed`,
 * `parameter-missing`, `parameter-count` and `parameter-invalid`, with sentences that repeat nothing.
 */
export function decodeNotifyRetrieve(tree: XmlTree, body: Node, homeOf: HomeOf): RetrieveNotification {
  requireRequest(notifyRetrieve, tree, body)
  const fields = new Fields(tree, body, notifyRetrieve)
  const home = fields.optional('HomeCommunityId')
  const typeCode = readTypeCode(fields.present('TypeCode'))
  const locality = fields.optional('RequestorLocality')
  return {
    type: 'document-retrieved',
    patientId: readPatientId(fields.required('PatientId')),
    ...(home === undefined ? {} : { home: readHome(home, homeOf) }),
    repositoryUniqueId: fields.required('RepositoryUniqueId'),
    uniqueId: fields.required('DocumentUniqueId'),
    ...(typeCode === undefined ? {} : { typeCode }),
    requestor: fields.required('RequestorId'),
    requestorRole: fields.required('RequestorRole'),
    purposeOfUse: fields.required('Pou'),
    ...(locality === undefined ? {} : { locality }),
  }
}

function typeText({ code, scheme }: CodeQuery): string {
  return scheme === undefined ? code : `${code}^^${scheme}`
}

/** `code^^scheme`, or `('code^^scheme')`, which INI was seen to take for a code and give its scheme once more. */
function readTypeCode(text: string): CodeQuery | undefined {
  const [, quoted] = /^\('([^']*)'\)(?:\^\^.*)?$/.exec(text) ?? []
  const [code = '', , scheme = ''] = (quoted ?? text).split('^')
  if (code === '') return undefined
  return { code, ...(scheme === '' ? {} : { scheme }) }
}
