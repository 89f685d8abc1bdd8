import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeNotificationResponse,
  encodeNotificationResponse,
  type NotificationMessage,
  type NotificationOutcome,
  notificationMessage,
  readHome,
} from '../../../../src/wire/ini/notification.ts'
import { NONE, readTree } from '../../../../src/wire/xml.ts'
import { homes } from '../../../support/builders.ts'
import { outcomes } from './arbitraries.ts'

const names = ['NotifySubmitObjects', 'NotifyRetrieve', 'NotifyHiding', 'NotifyConsent'] as const
const retrieve = notificationMessage('NotifyRetrieve')

function decode(xml: string, message: NotificationMessage = retrieve): NotificationOutcome {
  const tree = readTree(Buffer.from(xml))
  return decodeNotificationResponse(message, tree, tree.root)
}

describe('a notification', () => {
  it('is called as the contract calls it', () => {
    expect(notificationMessage('NotifySubmitObjects')).toEqual({
      name: 'NotifySubmitObjects',
      action: 'urn:fse:NotifySubmitObjects',
      namespace: 'http://www.fascicolosanitario.gov.it/schema/typeSchemaNotifySubmitObjects',
    })
  })

  it('names a home by code, by identifier, or wrongly', () => {
    const homeOf = (code: string) => (code === '050' ? homes.veneto : undefined)
    for (const text of ['050', homes.veneto, '2.16.840.1.113883.2.9.2.50']) {
      expect(readHome(text, homeOf)).toBe(homes.veneto)
    }
    expect(() => readHome('051', homeOf)).toThrow(expect.objectContaining({ code: 'parameter-invalid' }))
  })
})

describe('the answer to a notification', () => {
  it.each(names)('of the name %s is read as it was written', (name) => {
    const message = notificationMessage(name)
    fc.assert(
      fc.property(outcomes, (one) => {
        expect(decode(encodeNotificationResponse(message, one), message)).toEqual(one)
      }),
    )
  })

  it('is read by local names, with or without an error, its status with or without a prefix', () => {
    expect(decode('<NotifyRetrieveResponse><Status> Success </Status></NotifyRetrieveResponse>')).toEqual({
      status: 'success',
    })
    const prefixed = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure'
    expect(
      decode(
        `<n:NotifyRetrieveResponse xmlns:n="urn:x"><n:Status>${prefixed}</n:Status>` +
          '<n:Error errorCode="CRF1" codeContext="It is not possible to communicate with the RDA."/></n:NotifyRetrieveResponse>',
      ),
    ).toEqual({
      status: 'failure',
      error: { code: 'CRF1', context: 'It is not possible to communicate with the RDA.' },
    })
  })

  it.each([
    '<NotifyRetrieveResponse/>',
    '<NotifyRetrieveResponse><Status>Perhaps</Status></NotifyRetrieveResponse>',
    '<NotifyConsentResponse><Status>Success</Status></NotifyConsentResponse>',
  ])('is not taken for one when it is %s', (xml) => {
    expect(() => decode(xml)).toThrow(expect.objectContaining({ code: 'community-misbehaved' }))
  })

  it('is not taken for one when there is nothing', () => {
    const tree = readTree(Buffer.from('<x/>'))
    expect(() => decodeNotificationResponse(retrieve, tree, NONE)).toThrow(
      expect.objectContaining({ code: 'community-misbehaved' }),
    )
  })
})
