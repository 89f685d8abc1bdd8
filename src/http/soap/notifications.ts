import type { AcceptNotification, ReceivedNotification } from '../../core/federation/notifications.ts'
import type { HomeOf, NotificationMessage } from '../../wire/ini/notification.ts'
import { decodeNotifyConsent, notifyConsent } from '../../wire/ini/notify-consent.ts'
import { decodeNotifyHiding, notifyHiding } from '../../wire/ini/notify-hiding.ts'
import { decodeNotifyRetrieve, notifyRetrieve } from '../../wire/ini/notify-retrieve.ts'
import { decodeNotifySubmitObjects, notifySubmitObjects } from '../../wire/ini/notify-submit-objects.ts'
import type { NotificationService } from './notification-endpoint.ts'

/** What every notification needs. */
export interface NotificationParts {
  /** Keeps a notification; whomever it concerns, another region too: it was told to us (ini.md §7.2). */
  readonly accept: AcceptNotification
  readonly homeOf: HomeOf
}

/** What INI tells us of, each by its own service (ini.md §7.2). A repetition is answered as the first time. */
export function notificationServices({ accept, homeOf }: NotificationParts) {
  const service = (message: NotificationMessage, decode: NotificationService['decode']): NotificationService => ({
    message,
    decode,
    handle: accept,
    account: (content) => accountOf(message, content),
  })
  return {
    submitObjects: service(notifySubmitObjects, (tree, body) => decodeNotifySubmitObjects(tree, body, homeOf)),
    retrieve: service(notifyRetrieve, (tree, body) => decodeNotifyRetrieve(tree, body, homeOf)),
    hiding: service(notifyHiding, decodeNotifyHiding),
    consent: service(notifyConsent, decodeNotifyConsent),
  }
}

function accountOf(
  { name }: NotificationMessage,
  content: ReceivedNotification['content'],
): ReturnType<NotificationService['account']> {
  const { patientId } = content
  if (!('repositoryUniqueId' in content)) return { patientId, request: name }
  const { home, repositoryUniqueId, uniqueId } = content
  return {
    patientId,
    request: name,
    documents: [{ ...(home === undefined ? {} : { home }), repositoryUniqueId, uniqueId }],
  }
}
