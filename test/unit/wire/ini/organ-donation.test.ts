import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OrganDonation } from '../../../../src/core/model/consents.ts'
import {
  decodeOrganDonationQuery,
  decodeOrganDonationResponse,
  encodeOrganDonationQuery,
  encodeOrganDonationResponse,
  organsTissuesDonation,
} from '../../../../src/wire/ini/organ-donation.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { citizen, otherCitizen } from '../../../support/builders.ts'
import { organDonations } from './arbitraries.ts'

function decode(xml: string): OrganDonation | undefined {
  const tree = readTree(Buffer.from(xml))
  return decodeOrganDonationResponse(tree, tree.root, citizen)
}

const answer = (fields: string) =>
  `<n:OrgansTissuesDonationResponse xmlns:n="${organsTissuesDonation.namespace}"><n:Status>Success</n:Status>${fields}` +
  '</n:OrgansTissuesDonationResponse>'

describe('what somebody declared about giving organs', () => {
  it('is asked for and told as it was written', () => {
    fc.assert(
      fc.property(organDonations, fc.constantFrom('cx' as const, 'value' as const), (declared, form) => {
        const tree = readTree(Buffer.from(encodeOrganDonationQuery(citizen, form)))
        expect(decodeOrganDonationQuery(tree, tree.root)).toEqual(citizen)
        const xml = encodeOrganDonationResponse({ status: 'success' }, citizen.value, declared)
        expect(decode(xml)).toEqual(declared)
      }),
    )
  })

  it('may be nothing', () => {
    expect(decode(encodeOrganDonationResponse({ status: 'success' }, citizen.value))).toBeUndefined()
  })

  it.each([
    ['Si', '0', true],
    ['Si', '1', true],
    ['sì', '1', true],
    ['No', '1', false],
    ['NO', '0', false],
  ])('is what the words say, “%s”, whatever the code beside them, %s', (words, code, given) => {
    const xml = answer(`<n:ConsentCode>${code}</n:ConsentCode><n:ConsentDesc>${words}</n:ConsentDesc>`)
    expect(decode(xml)).toEqual({ given })
  })

  it.each([
    ['a code alone', '<n:ConsentCode>1</n:ConsentCode>'],
    ['other words', '<n:ConsentCode>1</n:ConsentCode><n:ConsentDesc>Forse</n:ConsentDesc>'],
    ['another patient', `<n:PatientId>${otherCitizen.value}</n:PatientId><n:ConsentDesc>Si</n:ConsentDesc>`],
  ])('is not made up from %s', (_what, fields) => {
    expect(() => decode(answer(fields))).toThrow(expect.objectContaining({ code: 'community-misbehaved' }))
  })
})
