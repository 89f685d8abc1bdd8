import type { AdapterTools } from '../../src/config/adapter.ts'
import type { Notification } from '../../src/core/model/change.ts'
import type { NotificationRecipient } from '../../src/core/ports.ts'
import type { NotificationMessage } from '../../src/wire/ini/notification.ts'
import { notificationRequest, requireTaken } from '../../src/wire/ini/notification-exchange.ts'
import { encodeNotifyConsent, notifyConsent } from '../../src/wire/ini/notify-consent.ts'
import { encodeNotifyRetrieve, notifyRetrieve } from '../../src/wire/ini/notify-retrieve.ts'
import { encodeNotifySubmitObjects, notifySubmitObjects } from '../../src/wire/ini/notify-submit-objects.ts'

/**
 * Passes on what INI notified us of: the same message in SOAP 1.1, spelt by the book and under a name of its own. Rejects
 * with GatewayError, `community-rejected` for what trying again would not alter; the errors name nobody.
 */
export function notificationForwarder(url: string, tools: Pick<AdapterTools, 'send'>): NotificationRecipient {
  return {
    async tell(notification, signal) {
      const uuid = crypto.randomUUID()
      const { message, encode } = spellingOf(notification)
      const answer = await tools.send({ ...notificationRequest(message, { url, uuid, encode }), signal })
      requireTaken(answer, message, uuid)
    },
  }
}

function spellingOf(notification: Notification): { readonly message: NotificationMessage; encode(): string } {
  switch (notification.type) {
    case 'documents-submitted':
      return { message: notifySubmitObjects, encode: () => encodeNotifySubmitObjects(notification) }
    case 'document-retrieved':
      return { message: notifyRetrieve, encode: () => encodeNotifyRetrieve(notification) }
    case 'consents-changed':
      return { message: notifyConsent, encode: () => encodeNotifyConsent(notification) }
  }
}
