import type { OwnClaims, RegistryQuestion, RegistryReply } from '../config/adapter.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { PatientId } from '../core/model/patient.ts'
import { namesPatient } from '../core/model/stored-query.ts'
import { decodeQueryResponse } from '../wire/ebrim/query-response.ts'
import { encodeStoredQuery } from '../wire/ebrim/stored-query.ts'
import { defaultXmlLimits } from '../wire/xml.ts'
import { breather } from './breather.ts'
import { notSoap } from './failures.ts'
import { homed } from './homed.ts'
import { requireSameMessage } from './message-id.ts'
import type { CommunityClient } from './send.ts'
import { faultReply, messageBuilder, requireXml, type SoapMessageParts } from './soap-message.ts'

export interface AskRegistryParts extends SoapMessageParts {
  readonly client: CommunityClient
  readonly maxResponseBytes: number
  /** A new signed assertion about our caller, for this question. */
  readonly vouch: (
    request: OwnClaims & {
      readonly call: AuthorizedCall
      readonly patientId?: PatientId
      readonly query: RegistryQuestion['query']
    },
  ) => Promise<string>
  /** Told of objects left out of an answer. */
  readonly onDropped?: (call: AuthorizedCall, entries: number) => void
}

/**
 * Puts a stored query to a registry: one signed SOAP 1.2 message over mutual TLS, built anew if it must be sent again, and
 * the reply taken apart with the event loop given back every few milliseconds. Rejects with GatewayError.
 */
export function registryAsker({ client, maxResponseBytes, vouch, onDropped, ...parts }: AskRegistryParts) {
  const build = messageBuilder(parts)
  return async function ask(question: RegistryQuestion): Promise<RegistryReply> {
    const { call, query, url, action, codeLists, returnType, role, purposeOfUse, indexTransferId } = question
    const body = encodeStoredQuery(query, {
      ...(codeLists === undefined ? {} : { codeLists }),
      ...(returnType === undefined ? {} : { returnType }),
    })
    const patientId = namesPatient(query) ? query.patientId : question.patientId
    const claims = {
      ...(patientId === undefined ? {} : { patientId }),
      ...(role === undefined ? {} : { role }),
      ...(purposeOfUse === undefined ? {} : { purposeOfUse }),
      ...(indexTransferId === undefined ? {} : { indexTransferId }),
    }
    let messageId = ''
    const response = await client.sendFresh(async () => {
      const assertion = await vouch({ call, query, ...claims })
      const built = await build({ url, action, call, assertion, body, messageId: question.messageId })
      messageId = built.messageId
      return { ...built.request, idempotent: true }
    })
    requireXml(response)
    let dropped = 0
    const decoded = await decodeQueryResponse(response.body, {
      limits: { ...defaultXmlLimits, maxBytes: maxResponseBytes },
      pause: breather(call.signal),
      onOddEntry: () => {
        dropped++
      },
    })
    requireSameMessage(decoded.header.relatesTo, messageId)
    if (decoded.fault !== undefined) return faultReply(decoded.fault)
    if (response.status >= 400 && decoded.answer.issues.length === 0) throw notSoap(response.status)
    const answer = homed(decoded.answer, query.home, question.homes)
    dropped += decoded.answer.entries.length - answer.entries.length
    if (dropped > 0) onDropped?.(call, dropped)
    return { kind: 'answer', status: decoded.status, answer }
  }
}
