import type { OrganDonation } from '../../core/model/consents.ts'
import type { PatientId } from '../../core/model/patient.ts'
import type { Node, XmlTree } from '../xml.ts'
import { known } from './consent-list.ts'
import { type ConsentPatientForm, requireAsked, spellPerson, textIn, unreadable } from './consent-query.ts'
import {
  element,
  encodeRequest,
  errorElement,
  Fields,
  type NotificationOutcome,
  optionalElement,
  readPatientId,
  requireRequest,
  statusElement,
} from './notification.ts'

/**
 * How it is asked what somebody declared about giving organs and tissues (ini.md §1.2, row 11). The action is INI's own word
 * (#2833); the schema is handed out by mail only, and what stands here is what answers showed (#2895, #3000, #3008).
 */
export const organsTissuesDonation = {
  name: 'OrgansTissuesDonation',
  action: 'urn:fse:OrgansTissuesDonationRequest',
  namespace: 'http://www.fascicolosanitario.gov.it/schema/typeSchemaOrgansTissuesDonationDocument',
} as const

/** Spells the question. Throws RangeError on what XML cannot carry. */
export function encodeOrganDonationQuery(patientId: PatientId, form: ConsentPatientForm): string {
  return encodeRequest(organsTissuesDonation, [element('PatientId', spellPerson(patientId, form))])
}

/** Reads the question. Throws `request-malformed`, `parameter-missing`, `parameter-count` and `parameter-invalid`. */
export function decodeOrganDonationQuery(tree: XmlTree, body: Node): PatientId {
  requireRequest(organsTissuesDonation, tree, body)
  return readPatientId(new Fields(tree, body, organsTissuesDonation).required('PatientId'))
}

/** Spells an answer, its code as documented: 0 is opposition, 1 is consent (#3008). Throws RangeError. */
export function encodeOrganDonationResponse(
  { status, error }: NotificationOutcome,
  patient: string,
  declared?: OrganDonation,
): string {
  const { name, namespace } = organsTissuesDonation
  const fields =
    declared === undefined
      ? []
      : [
          element('ConsentCode', declared.given ? '1' : '0'),
          element('ConsentDesc', declared.given ? 'Si' : 'No'),
          optionalElement('ConsentDate', declared.date),
          optionalElement('ExprChannelCode', declared.channel?.code),
          optionalElement('ExprChannelDesc', declared.channel?.name),
          optionalElement('ExprPlaceDesc', declared.place),
        ]
  return (
    `<${name}Response xmlns="${namespace}">${statusElement(status)}${element('PatientId', patient)}${fields.join('')}` +
    `${error === undefined ? '' : errorElement(error)}</${name}Response>`
  )
}

/**
 * Reads an answer that was taken, by local names; `undefined` when it tells of no declaration. Only its words are gone by,
 * since its code was seen to say the opposite of what is documented (#3000, #3008). Throws `community-misbehaved` for
 * somebody else than `asked`, and for a declaration whose words are neither yes nor no.
 */
export function decodeOrganDonationResponse(tree: XmlTree, body: Node, asked: PatientId): OrganDonation | undefined {
  requireAsked(textIn(tree, body, 'PatientId'), asked)
  const told = (local: string) => textIn(tree, body, local) || undefined
  const words = told('ConsentDesc')
  if (words === undefined && told('ConsentCode') === undefined && told('ConsentDate') === undefined) return undefined
  const given = meaningOf(words ?? '')
  if (given === undefined) throw unreadable('declaration-without-words')
  const channel = known({ code: told('ExprChannelCode'), name: told('ExprChannelDesc') })
  return {
    given,
    ...(Object.keys(channel).length === 0 ? {} : { channel }),
    ...known({ date: told('ConsentDate'), place: told('ExprPlaceDesc') }),
  }
}

function meaningOf(words: string): boolean | undefined {
  if (/^s[iì]$/iu.test(words)) return true
  return /^no$/i.test(words) ? false : undefined
}
