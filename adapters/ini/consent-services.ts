import type { AdapterTools } from '../../src/config/adapter.ts'
import type { Community } from '../../src/core/ports.ts'
import type { ConsentTools } from './consent-exchange.ts'
import { iniConsentRegister, iniConsents } from './consents.ts'
import { iniDisclosures } from './disclosures.ts'
import { addressOf } from './operations.ts'
import type { IniOptions } from './options.ts'
import { iniOrganDonation } from './organ-donation.ts'

/** The consent services that the options turn on. */
export function consentServices(
  options: IniOptions,
  tools: ConsentTools & Pick<AdapterTools, 'homeOf'>,
): Pick<Community, 'consents' | 'consentRegister' | 'disclosures' | 'organDonation'> {
  const { base, consentsPath, disclosures, paths } = options
  const url = new URL(paths.consentQuery ?? consentsPath, base).href
  const setUrl = new URL(paths.consentRegister ?? consentsPath, base).href
  const access = { ...options, url, setUrl }
  return {
    ...(options.consents ? { consents: iniConsents(access, tools) } : {}),
    ...(options.consentRegister ? { consentRegister: iniConsentRegister(access, tools) } : {}),
    ...(disclosures === undefined ? {} : { disclosures: iniDisclosures(disclosures, tools, options) }),
    ...(options.organDonation
      ? { organDonation: iniOrganDonation(addressOf('organDonation', options), tools, options) }
      : {}),
  }
}
