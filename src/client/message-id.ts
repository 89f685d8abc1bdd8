import type { MessageIdForm } from '../config/adapter.ts'
import { GatewayError } from '../core/errors.ts'

/** A message id as a peer wants it spelt (ini.md §1.4). */
export function messageIdOf(uuid: string, form: MessageIdForm = 'urn:uuid'): string {
  return form === 'bare' ? uuid : form === 'uuid' ? `uuid:${uuid}` : `urn:uuid:${uuid}`
}

/**
 * Throws `community-misbehaved` when an answer says that it answers another message. INI answers whatever spelling it was
 * sent, other peers their own (ini.md §1.4).
 */
export function requireSameMessage(relatesTo: string | undefined, messageId: string): void {
  if (relatesTo === undefined || uuidOf(relatesTo) === uuidOf(messageId)) return
  throw new GatewayError('community-misbehaved', 'The community answered another message', {
    details: { reason: 'relates-to-differs' },
  })
}

function uuidOf(messageId: string): string {
  return messageId.replace(/^(urn:)?uuid:/i, '').toLowerCase()
}
