import type { AdapterTools } from '../../src/config/adapter.ts'
import type { RetrieveNotice } from '../../src/core/model/notice.ts'
import { notificationRequest, requireTaken } from '../../src/wire/ini/notification-exchange.ts'
import { encodeNotifyRetrieve, notifyRetrieve } from '../../src/wire/ini/notify-retrieve.ts'
import type { IniOptions } from './options.ts'

/**
 * Tells INI, which tells the region of assistance, that a document was retrieved: SOAP 1.1 without an assertion
 * (ini.md §7.2). Every call is a message of its own; telling twice does no harm. Rejects with GatewayError:
 * `community-rejected` is final, `community-unavailable` and `-busy` may pass, and whether a notice got through is unknown
 * after `community-timeout` and `-misbehaved`. The errors name nobody.
 */
export function retrieveNotifier(
  url: string,
  tools: Pick<AdapterTools, 'send'>,
  { notifyHome = 'absent' }: Partial<Pick<IniOptions, 'notifyHome'>> = {},
): (notice: RetrieveNotice, signal: AbortSignal) => Promise<void> {
  return async ({ home, assistedBy, ...message }, signal) => {
    const told = { absent: undefined, document: home, assistance: assistedBy }[notifyHome]
    const uuid = crypto.randomUUID()
    const encode = () => encodeNotifyRetrieve({ ...message, ...(told === undefined ? {} : { home: told }) })
    const answer = await tools.send({ ...notificationRequest(notifyRetrieve, { url, uuid, encode }), signal })
    requireTaken(answer, notifyRetrieve, uuid)
  }
}
