import { describe, expect, it } from 'vitest'
import { notificationForwarder } from '../../../../adapters/tuscany/notifications.ts'
import { tuscanyOptions } from '../../../../adapters/tuscany/options.ts'
import { organizationHome } from '../../../../contracts/affinity-domain/organizations.ts'
import type { AdapterTools } from '../../../../src/config/adapter.ts'
import type { Notification } from '../../../../src/core/model/change.ts'
import {
  encodeNotificationResponse,
  type NotificationOutcome,
  notificationMessage,
} from '../../../../src/wire/ini/notification.ts'
import { decodeNotifyConsent } from '../../../../src/wire/ini/notify-consent.ts'
import { decodeNotifyRetrieve } from '../../../../src/wire/ini/notify-retrieve.ts'
import { decodeNotifySubmitObjects } from '../../../../src/wire/ini/notify-submit-objects.ts'
import { encodeEnvelope11, openEnvelope11 } from '../../../../src/wire/soap11.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { citizen, clinician, homes, loinc } from '../../../support/builders.ts'

type Request = Parameters<AdapterTools['send']>[0]

const url = 'https://record.test/notifications'
const { signal } = new AbortController()
const document = { patientId: citizen, home: homes.veneto, repositoryUniqueId: '1.2.3', uniqueId: '1.2.3^4' }

const submitted: Notification = { type: 'documents-submitted', ...document }
const retrieved: Notification = {
  type: 'document-retrieved',
  ...document,
  typeCode: { code: '11502-2', scheme: loinc },
  requestor: clinician,
  requestorRole: 'AAS',
  purposeOfUse: 'TREATMENT',
  locality: '050',
}
const consents: Notification = {
  type: 'consents-changed',
  patientId: citizen,
  consents: [
    { name: 'C2', given: true },
    { name: 'C3', given: false },
  ],
}

const names = {
  'documents-submitted': 'NotifySubmitObjects',
  'document-retrieved': 'NotifyRetrieve',
  'consents-changed': 'NotifyConsent',
} as const

const readers = {
  'documents-submitted': decodeNotifySubmitObjects,
  'document-retrieved': decodeNotifyRetrieve,
  'consents-changed': decodeNotifyConsent,
} as const

/** A record that answers as it is told, and keeps what it was sent. */
function record(outcome: NotificationOutcome = { status: 'success' }, name?: (typeof names)['consents-changed']) {
  const sent: Request[] = []
  const send: AdapterTools['send'] = async (request) => {
    sent.push(request)
    const { action = '', messageId = '' } = openEnvelope11(readTree(Buffer.from(String(request.body))))
    const message = notificationMessage(name ?? (action.slice('urn:fse:'.length) as 'NotifyConsent'))
    const answered = { action: `${action}Response`, messageId: 'urn:uuid:1', relatesTo: messageId }
    const body = encodeEnvelope11(answered, encodeNotificationResponse(message, outcome))
    return { status: 200, headers: {}, body: Buffer.from(body) }
  }
  return { sent, recipient: notificationForwarder(url, { send }) }
}

describe('the record', () => {
  it.each([submitted, retrieved, consents])('is told by the same message that $type', async (notification) => {
    const { sent, recipient } = record()
    await recipient.tell(notification, signal)
    const [request] = sent
    const action = `urn:fse:${names[notification.type]}`
    expect(request).toMatchObject({
      url,
      method: 'POST',
      headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${action}"` },
      signal,
    })
    const tree = readTree(Buffer.from(String(request?.body)))
    const { body, ...told } = openEnvelope11(tree)
    expect(told.action).toBe(action)
    expect(readers[notification.type](tree, body, organizationHome)).toEqual(notification)
  })

  it('is told again under another name', async () => {
    const { sent, recipient } = record()
    await recipient.tell(submitted, signal)
    await recipient.tell(submitted, signal)
    expect(new Set(sent.map(({ body }) => /<wsa:MessageID>(.*)<\/wsa:MessageID>/.exec(String(body))?.[1])).size).toBe(2)
  })

  it.each([
    ['PFA14', 'community-rejected'],
    ['CRF1', 'community-unavailable'],
  ])('that answers %s fails with %s, and its own words', async (code, failure) => {
    const { recipient } = record({ status: 'failure', error: { code, context: 'why' } })
    await expect(recipient.tell(submitted, signal)).rejects.toMatchObject({
      code: failure,
      issues: [{ severity: 'error', code, text: 'why' }],
    })
  })

  it('is not believed when it answers another message', async () => {
    const { recipient } = record({ status: 'success' }, 'NotifyConsent')
    await expect(recipient.tell(submitted, signal)).rejects.toMatchObject({ code: 'community-misbehaved' })
  })

  it('is not sent what XML cannot carry', async () => {
    const { sent, recipient } = record()
    await expect(recipient.tell({ ...submitted, uniqueId: '\u0000' }, signal)).rejects.toMatchObject({
      code: 'metadata-invalid',
    })
    expect(sent).toEqual([])
  })
})

describe('the option', () => {
  const registry = 'https://record.test/registry'

  it('is absent by default, and an address that is secure', () => {
    expect(tuscanyOptions.parse({ registry })).not.toHaveProperty('notifications')
    expect(tuscanyOptions.parse({ registry, notifications: url }).notifications).toBe(url)
    expect(() => tuscanyOptions.parse({ registry, notifications: url.replace('https', 'http') })).toThrow()
  })
})
