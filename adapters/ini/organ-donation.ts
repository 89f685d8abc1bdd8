import type { OrganDonationSource } from '../../src/core/ports.ts'
import {
  decodeOrganDonationResponse,
  encodeOrganDonationQuery,
  organsTissuesDonation,
} from '../../src/wire/ini/organ-donation.ts'
import { askConsentService, type ConsentManner, type ConsentTools } from './consent-exchange.ts'
import type { IniOptions } from './options.ts'

/**
 * What the transplant system knows behind INI (ini.md §1.2, row 11). This service asks for addressing, whose action was the
 * cause of failures (#2833).
 */
export function iniOrganDonation(
  url: string,
  tools: ConsentTools,
  options: ConsentManner & Pick<IniOptions, 'organDonationPatient'>,
): OrganDonationSource {
  return {
    declared: (patientId, call) =>
      askConsentService(
        {
          url,
          message: organsTissuesDonation,
          encode: () => encodeOrganDonationQuery(patientId, options.organDonationPatient),
          call,
          about: patientId,
          isAddressed: true,
          failure: 'INI did not tell what a patient declared about giving organs',
          read: ({ tree, body }) => decodeOrganDonationResponse(tree, body, patientId),
        },
        tools,
        options,
      ),
  }
}
