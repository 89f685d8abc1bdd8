import { citizenOf } from './citizens.ts'
import {
  consentExchange,
  failureOf,
  fieldsOf,
  isSame,
  Judgement,
  open,
  Refusal,
  readPerson,
  requireVouched,
  responseType,
  type Vouchers,
} from './consent-soap.ts'
import type { Identifier } from './entry.ts'
import type { Face } from './server.ts'
import { escapeXml, isNamed } from './xml.ts'

export const organDonationPath = '/FSEConsensiWeb/OrgansTissuesDonation_Service'
const action = 'urn:fse:OrgansTissuesDonationRequest'
const namespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaOrgansTissuesDonationDocument'

/** What somebody declared. */
export interface Declaration {
  readonly given: boolean
  readonly date: string
  readonly place: string
}

export interface OrganDonationFace extends Face {
  declare(patient: Identifier, declaration: Declaration): void
}

/**
 * INI before the transplant system (ini.md §1.2, row 11): SOAP 1.1, addressing with its own action (#2833), an assertion. Its
 * code says the opposite of what is documented, as it was seen (#3000, #3008). Who declared nothing is told of with nothing,
 * which no public source shows (#3026).
 */
export function organDonationFace({
  admits,
  ...vouchers
}: Vouchers & { readonly admits: (commonName: string) => boolean }): OrganDonationFace {
  const declared = new Map<string, Declaration>()
  const door = { actions: [action], addressing: 'required', ...vouchers } as const
  return {
    name: 'organ-donation',
    contentType: responseType,
    declare(patient, declaration) {
      declared.set(citizenOf(patient)?.key ?? '', declaration)
    },
    serves: (served) => served === organDonationPath,
    admits,
    respond(request, behaviour, asked) {
      return consentExchange(request, asked, failureOf('OrgansTissuesDonation', namespace), () => {
        Object.assign(asked, { action, query: 'OrgansTissuesDonation' })
        if (behaviour === 'fault') throw new Refusal('Internal Server Error', 'Server')
        const message = open(request, door, asked)
        const { claimed } = requireVouched(message, ({ purpose }) => purpose === 'CONSENT')
        if (!isNamed(message.payload, namespace, 'OrgansTissuesDonationRequest')) throw new Refusal('Internal Error')
        const [told] = fieldsOf(message.payload, namespace, ['PatientId'])
        const patient = told?.textContent?.trim() ?? ''
        const id = readPerson(patient)
        if (id === undefined || !isSame(claimed.patient, patient)) throw new Refusal('Internal Error')
        // The system behind was down for days, and this was all there was to see of it (#2940).
        if (behaviour === 'refuse') throw new Judgement('OTD', 'Internal Error')
        return answer(patient, declared.get(citizenOf(id)?.key ?? ''))
      })
    },
  }
}

function answer(patient: string, declaration: Declaration | undefined): string {
  const fields =
    declaration === undefined
      ? ''
      : `<ConsentCode>${declaration.given ? 0 : 1}</ConsentCode><ConsentDesc>${declaration.given ? 'Si' : 'No'}</ConsentDesc>` +
        `<ConsentDate>${declaration.date}</ConsentDate><ExprChannelCode>1</ExprChannelCode>` +
        `<ExprChannelDesc>COMUNE</ExprChannelDesc><ExprPlaceDesc>${escapeXml(declaration.place)}</ExprPlaceDesc>`
  return (
    `<OrgansTissuesDonationResponse xmlns="${namespace}"><Status>Success</Status>` +
    `<PatientId>${escapeXml(patient)}</PatientId>${fields}</OrgansTissuesDonationResponse>`
  )
}
