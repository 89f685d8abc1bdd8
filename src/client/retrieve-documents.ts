import { randomUUID } from 'node:crypto'
import type { RepositoryQuestion, RepositoryReply } from '../config/adapter.ts'
import { GatewayError } from '../core/errors.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import { readFault } from '../wire/ebrim/fault.ts'
import { decodeRetrieveResponse, encodeRetrieveRequest } from '../wire/ebrim/retrieve.ts'
import { type InlineEvent, InlineSplitter } from '../wire/mtom/inline.ts'
import { MtomError } from '../wire/mtom/mtom-error.ts'
import { defaultPackageLimits, type PackageEvent, PackageReader } from '../wire/mtom/package.ts'
import { writePackage } from '../wire/mtom/write.ts'
import { includesOf } from '../wire/mtom/xop.ts'
import { encodeEnvelope } from '../wire/soap.ts'
import { defaultXmlLimits, NONE, readTreeInSteps, XmlError, type XmlTree } from '../wire/xml.ts'
import type { ArrivingAnswer } from './answer.ts'
import { Arrivals, type ArrivalsParts } from './arrivals.ts'
import { breather } from './breather.ts'
import { failedBeforeAnswer, notSoap } from './failures.ts'
import { messageIdOf, requireSameMessage } from './message-id.ts'
import type { CommunityClient } from './send.ts'
import { bodyOf, faultReply, relatesToOf, type SealedOutgoing, type SoapMessageParts } from './soap-message.ts'

export interface RetrieveDocumentsParts extends SoapMessageParts, ArrivalsParts {
  readonly client: CommunityClient
  /** A new signed assertion about our caller. */
  readonly vouch: (call: AuthorizedCall) => Promise<string>
}

/** Of the message around the documents. */
const maxMessageBytes = 4 * 1024 * 1024

/**
 * Retrieves documents from a repository (ITI-43) or a gateway (ITI-39): one signed message, its answer taken as it
 * arrives, each document into the spool, packaged as MTOM or inline whatever was asked for. Rejects with GatewayError;
 * then nothing is held.
 */
export function documentRetriever(parts: RetrieveDocumentsParts) {
  const { client, seal = encodeEnvelope, dress } = parts
  return async function retrieve(question: RepositoryQuestion): Promise<RepositoryReply> {
    const { call, url, action, references, packaging = 'mtom' } = question
    const built = async () => {
      const messageId = messageIdOf(randomUUID(), question.messageId)
      const outgoing: SealedOutgoing = {
        ...{ action, messageId, to: url, anonymousReply: true },
        assertion: await parts.vouch(call),
      }
      const xml = Buffer.from(await seal(outgoing, encodeRetrieveRequest(references)))
      const message = packaging === 'mtom' ? await packaged(xml) : { contentType: plainType, body: xml }
      const request = {
        url,
        method: 'POST',
        headers: { 'content-type': message.contentType },
        body: message.body,
        signal: call.signal,
      } as const
      const headers = { ...request.headers, ...(await dress?.(request, call)) }
      return { messageId, request: { ...request, headers, idempotent: true } }
    }
    const once = async (): Promise<RepositoryReply> => {
      const { messageId, request } = await built()
      const arrived = new Arrivals(parts, call, references.length)
      try {
        const root = await client.receive(request, (answer) => taken(answer, arrived, call.signal))
        const reply = opened(root, messageId)
        if (reply.kind === 'answer') return { ...reply, documents: await arrived.assign(reply.documents) }
        await arrived.forget()
        return reply
      } catch (error) {
        await arrived.forget()
        throw error
      }
    }
    try {
      return await once()
    } catch (error) {
      // As with questions: a connection that was closed meanwhile says nothing about the community.
      if (call.signal.aborted || !failedBeforeAnswer(error)) throw error
    }
    return await once()
  }
}

const plainType = 'application/soap+xml; charset=utf-8'

async function packaged(root: Buffer): Promise<{ readonly contentType: string; readonly body: Buffer }> {
  const { contentType, body } = writePackage({
    ...{ boundary: `MIME_${randomUUID()}`, rootId: `root-${randomUUID()}@crocevia` },
    ...{ soap: '1.2', root, parts: [] },
  })
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return { contentType, body: Buffer.concat(chunks) }
}

interface Root {
  readonly tree: XmlTree
  readonly status: number
}

async function taken({ status, headers, each }: ArrivingAnswer, arrived: Arrivals, signal: AbortSignal): Promise<Root> {
  const contentType = headers['content-type'] ?? ''
  const packaged = /^\s*multipart\/related\s*(;|$)/i.test(contentType)
  try {
    // What is no message is told by its status; a page for people may be anything.
    if (status >= 400 && /text\/html/i.test(contentType)) throw notSoap(status)
    const tree = packaged
      ? await fromPackage(contentType, each, arrived, signal)
      : await fromPlain(each, arrived, signal)
    return { tree, status }
  } catch (error) {
    if (!(error instanceof MtomError) && !(error instanceof XmlError)) throw error
    throw status >= 400 ? notSoap(status) : unreadable(error)
  }
}

async function fromPackage(
  contentType: string,
  each: ArrivingAnswer['each'],
  arrived: Arrivals,
  signal: AbortSignal,
): Promise<XmlTree> {
  const reader = new PackageReader(contentType, { ...defaultPackageLimits, maxRootBytes: maxMessageBytes })
  let root: XmlTree | undefined
  const takeRoot = async (bytes: Buffer): Promise<void> => {
    root = await treeOf(bytes, signal)
    const includes = includesOf(root, defaultPackageLimits.maxIncludes)
    arrived.expect(new Set(includes.map(({ contentId }) => contentId)))
  }
  const take = (event: PackageEvent): Promise<void> | void => {
    if (event.kind === 'data') return arrived.write(event.bytes)
    if (event.kind === 'root') return takeRoot(event.root.bytes)
    if (event.kind === 'end') return arrived.end()
    arrived.begin(event.headers.contentId)
  }
  await each((chunk) => inTurn(reader.push(chunk), take))
  await inTurn(reader.end(), take)
  if (root === undefined) throw new MtomError('no-root')
  return root
}

async function fromPlain(each: ArrivingAnswer['each'], arrived: Arrivals, signal: AbortSignal): Promise<XmlTree> {
  const splitter = new InlineSplitter({ maxMessageBytes, maxDocuments: defaultPackageLimits.maxParts })
  let message: Buffer = Buffer.alloc(0)
  const take = (event: InlineEvent): Promise<void> | void => {
    if (event.kind === 'data') return arrived.write(event.bytes)
    if (event.kind === 'end') return arrived.end()
    if (event.kind === 'document') arrived.begin(event.contentId)
    else message = event.bytes
  }
  await each((chunk) => inTurn(splitter.push(chunk), take))
  await inTurn(splitter.end(), take)
  return await treeOf(message, signal)
}

/** One after the other, waiting only where there is something to wait for. */
function inTurn<Event>(events: readonly Event[], take: (event: Event) => Promise<void> | void): Promise<void> | void {
  for (const [index, event] of events.entries()) {
    const taking = take(event)
    if (taking !== undefined) return taking.then(() => inTurn(events.slice(index + 1), take))
  }
}

function treeOf(bytes: Buffer, signal: AbortSignal): Promise<XmlTree> {
  return readTreeInSteps(bytes, { ...defaultXmlLimits, maxBytes: maxMessageBytes }, breather(signal))
}

/** The message in an answer, told apart from a fault. */
function opened({ tree, status }: Root, messageId: string) {
  const body = bodyOf(tree)
  requireSameMessage(relatesToOf(tree), messageId)
  if (body !== NONE && tree.local(body) === 'Fault') return faultReply(readFault(tree, body))
  const isAnswer = body !== NONE && /^(RetrieveDocumentSetResponse|RegistryResponse)$/.test(tree.local(body))
  if (!isAnswer && status >= 400) throw notSoap(status)
  const { issues, documents } = decodeRetrieveResponse(tree, body)
  return { kind: 'answer', issues, documents } as const
}

function unreadable(error: MtomError | XmlError): GatewayError {
  const message = 'The community handed out documents in a way that cannot be read'
  return new GatewayError('community-misbehaved', message, { cause: error, details: { reason: error.reason } })
}
