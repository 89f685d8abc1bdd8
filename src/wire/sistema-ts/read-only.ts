import { lookUpCitizen } from './citizen.ts'
import type { OperationNames } from './operation.ts'
import {
  listCitizenPrescriptions,
  listPrescriptionHistory,
  listPrescriptions,
  listUsedNumbers,
  viewPrescribed,
  viewPrescription,
  viewPrescriptionHistory,
} from './prescriptions.ts'
import { checkSession, createSession, revokeSession } from './second-factor.ts'

/** All there is to ask: what reads, and the second factor. Whatever is not here is not sent. */
export const everyOperation: readonly OperationNames[] = [
  listPrescriptions,
  viewPrescription,
  listPrescriptionHistory,
  viewPrescriptionHistory,
  viewPrescribed,
  listUsedNumbers,
  listCitizenPrescriptions,
  lookUpCitizen,
  createSession,
  revokeSession,
  checkSession,
]

const requests = new Map(everyOperation.map((one) => [one.request[1], one]))

/** Where the actions of the national services are; a region's own service may be called otherwise. */
const national = /^https?:\/\/[^/]*\.sanita\.finanze\.it\b/i

/**
 * Whether a message may be sent: its element is one of an operation that reads, and an action of the national services is
 * that operation's own. A prescription can be locked by nothing that passes here.
 */
export function mayBeSent({ action, body }: { readonly action: string; readonly body: string }): boolean {
  const local = /^<(?:[A-Za-z][\w.-]*:)?([A-Za-z]\w*)[\s>]/.exec(body)?.[1]
  const operation = local === undefined ? undefined : requests.get(local)
  if (operation === undefined) return false
  return action === operation.action || !national.test(action)
}
