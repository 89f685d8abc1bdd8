import type { RegistrySubmission, SubmissionReply } from '../config/adapter.ts'
import { GatewayError } from '../core/errors.ts'
import { readFault } from '../wire/ebrim/fault.ts'
import { decodeRegistryResponse } from '../wire/ebrim/registry-response.ts'
import { defaultXmlLimits, NONE, readTreeInSteps, XmlError, type XmlTree } from '../wire/xml.ts'
import type { OutboundResponse } from './answer.ts'
import { breather } from './breather.ts'
import { notSoap } from './failures.ts'
import { requireSameMessage } from './message-id.ts'
import type { CommunityClient } from './send.ts'
import { bodyOf, faultReply, messageBuilder, relatesToOf, requireXml, type SoapMessageParts } from './soap-message.ts'

export interface SubmitMetadataParts extends SoapMessageParts {
  readonly client: CommunityClient
  /** A new signed assertion about our caller, for this very act. */
  readonly vouch: (
    submission: Pick<RegistrySubmission, 'call' | 'does' | 'role' | 'purposeOfUse' | 'indexTransferId' | 'patientId'>,
  ) => Promise<string>
}

/** Of an answer, which says yes or has a line per object. */
const maxAnswerBytes = 4 * 1024 * 1024

/**
 * Tells a registry of a change (ITI-42, ITI-57, ITI-62): one signed SOAP 1.2 message over mutual TLS, sent once. Whether it
 * got through is unknown when no answer came; to send it again is for who knows what that would do. Rejects with GatewayError
 * when there is no readable answer.
 */
export function metadataSubmitter({ client, vouch, ...parts }: SubmitMetadataParts) {
  const build = messageBuilder(parts)
  return async function submit(submission: RegistrySubmission): Promise<SubmissionReply> {
    const assertion = await vouch(submission)
    const { messageId, request } = await build({ ...submission, messageId: submission.messageId, assertion })
    const response = await client.send({ ...request, idempotent: false })
    requireXml(response)
    const tree = await treeOf(response, submission.call.signal)
    const body = bodyOf(tree)
    requireSameMessage(relatesToOf(tree), messageId)
    if (body !== NONE && tree.local(body) === 'Fault') return faultReply(readFault(tree, body))
    const isAnswer = body !== NONE && tree.local(body) === 'RegistryResponse'
    if (!isAnswer && response.status >= 400) throw notSoap(response.status)
    const { status, issues } = decodeRegistryResponse(tree, body)
    return { kind: 'answer', status, issues }
  }
}

async function treeOf({ body, status }: OutboundResponse, signal: AbortSignal): Promise<XmlTree> {
  try {
    return await readTreeInSteps(body, { ...defaultXmlLimits, maxBytes: maxAnswerBytes }, breather(signal))
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    if (status >= 400) throw notSoap(status)
    throw new GatewayError('community-misbehaved', 'The community answered with XML that cannot be read', {
      cause: error,
      details: { reason: error.reason },
    })
  }
}
