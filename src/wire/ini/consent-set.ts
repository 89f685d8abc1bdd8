import type { ConsentSet, ConsentsSet } from '../../core/model/consents.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import { homeCommunityId } from '../../core/model/identifiers.ts'
import type { Node, XmlTree } from '../xml.ts'
import { encodeConsentList, readConsentList } from './consent-list.ts'
import { type ConsentPatientForm, consentQuery, spellPerson, textIn } from './consent-query.ts'
import {
  element,
  encodeRequest,
  errorElement,
  Fields,
  type HomeOf,
  type NotificationOutcome,
  readPatientId,
  requireRequest,
  statusElement,
} from './notification.ts'

/** How consents are set (ini.md §1.2, row 10; §7.2). */
export const registerConsentSet = {
  name: 'RegisterConsentSet',
  action: 'urn:fse:RegisterConsentSet',
  namespace: consentQuery.namespace,
} as const

/** Spells a set, in the order of the schema. Throws RangeError on what XML cannot carry. */
export function encodeConsentSet(set: ConsentSet, form: ConsentPatientForm): string {
  return encodeRequest(registerConsentSet, [
    element('OperatorID', spellPerson(set.operator, form)),
    element('OperatorRole', set.operatorRole),
    element('Requestor', spellPerson(set.requestor, form)),
    element('PatientId', spellPerson(set.patientId, form)),
    encodeConsentList(set.consents),
    element('IDDisclosure', set.disclosure),
  ])
}

/**
 * Reads a set, its persons in either form. Throws `request-malformed`, `parameter-missing`, `parameter-count` and
 * `parameter-invalid`, with sentences that repeat nothing.
 */
export function decodeConsentSet(tree: XmlTree, body: Node): ConsentSet {
  requireRequest(registerConsentSet, tree, body)
  const fields = new Fields(tree, body, registerConsentSet)
  return {
    operator: readPatientId(fields.required('OperatorID')),
    operatorRole: fields.required('OperatorRole'),
    requestor: readPatientId(fields.required('Requestor')),
    patientId: readPatientId(fields.required('PatientId')),
    consents: readConsentList(tree, fields.node('ConsentList'), registerConsentSet.namespace),
    disclosure: fields.required('IDDisclosure'),
  }
}

/** Spells the answer to a set; the region of assistance is empty where it is not known. Throws RangeError. */
export function encodeConsentSetResponse({ status, error }: NotificationOutcome, region = ''): string {
  const { name, namespace } = registerConsentSet
  return (
    `<${name}Response xmlns="${namespace}">${statusElement(status)}${element('RDA', region)}` +
    `${errorElement(error)}</${name}Response>`
  )
}

/** Reads an answer that was taken: a region told by its code or its home; what is neither says nothing. */
export function decodeConsentSetResponse(tree: XmlTree, body: Node, homeOf: HomeOf): ConsentsSet {
  const text = textIn(tree, body, 'RDA')
  const assistedBy = text === '' ? undefined : (homeOf(text) ?? homeIn(text))
  return assistedBy === undefined ? {} : { assistedBy }
}

function homeIn(text: string): HomeCommunityId | undefined {
  try {
    return homeCommunityId(text)
  } catch {
    return undefined
  }
}
