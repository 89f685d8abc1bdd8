import { randomUUID } from 'node:crypto'
import type { RepositoryQuestion, RepositoryReply } from '../config/adapter.ts'
import { GatewayError } from '../core/errors.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { RetrievedDocument } from '../core/model/retrieval.ts'
import type { DocumentSink, HeldDocument, Spool } from '../core/ports.ts'
import { readFault } from '../wire/ebrim/fault.ts'
import { decodeRetrieveResponse, encodeRetrieveRequest, type ToldDocument } from '../wire/ebrim/retrieve.ts'
import { InlineSplitter } from '../wire/mtom/inline.ts'
import { MtomError } from '../wire/mtom/mtom-error.ts'
import { defaultPackageLimits, PackageReader } from '../wire/mtom/package.ts'
import { writePackage } from '../wire/mtom/write.ts'
import { encodeEnvelope } from '../wire/soap.ts'
import { defaultXmlLimits, NONE, type Node, readTree, XmlError, type XmlTree } from '../wire/xml.ts'
import type { ArrivingAnswer } from './answer.ts'
import type { AskRegistryParts, SealedOutgoing } from './ask-registry.ts'
import { messageIdOf, requireSameMessage } from './message-id.ts'
import type { CommunityClient } from './send.ts'

export interface RetrieveDocumentsParts extends Pick<AskRegistryParts, 'seal' | 'dress'> {
  readonly client: CommunityClient
  readonly spool: Spool
  /** The largest document taken. */
  readonly maxDocumentBytes: number
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
    const arrived = new Arrivals(parts, call, references.length)
    try {
      const root = await client.receive({ ...request, headers, idempotent: true }, (answer) => taken(answer, arrived))
      const reply = opened(root.bytes, root.status, messageId)
      if (reply.kind === 'fault') await arrived.forget()
      return reply.kind === 'fault' ? reply : { kind: 'answer', ...(await arrived.assign(reply)) }
    } catch (error) {
      await arrived.forget()
      throw asCommunityFailure(error)
    }
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

/** Documents as they arrive, by the Content-ID under which the message will speak of them. */
class Arrivals {
  readonly #parts: RetrieveDocumentsParts
  readonly #call: AuthorizedCall
  readonly #most: number
  readonly #held = new Map<string, HeldDocument>()
  #under: { readonly contentId: string; readonly sink: DocumentSink } | undefined

  constructor(parts: RetrieveDocumentsParts, call: AuthorizedCall, most: number) {
    this.#parts = parts
    this.#call = call
    this.#most = most
  }

  /** A document begins; one without an id nobody can speak of, and it goes by. */
  begin(contentId: string | undefined): void {
    if (this.#held.size >= this.#most) throw misbehaved('too-many-documents')
    if (contentId === undefined) return
    const { spool, maxDocumentBytes } = this.#parts
    this.#under = { contentId, sink: spool.begin({ maxBytes: maxDocumentBytes, signal: this.#call.signal }) }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#under?.sink.write(bytes)
  }

  async end(): Promise<void> {
    if (this.#under === undefined) return
    const { contentId, sink } = this.#under
    const held = await sink.end()
    this.#under = undefined
    this.#held.set(contentId, held)
  }

  async forget(): Promise<void> {
    await this.#under?.sink.abort()
    this.#under = undefined
    await Promise.all([...this.#held.values()].map((held) => held[Symbol.asyncDispose]()))
    this.#held.clear()
  }

  /** Gives each document the message tells of its bytes; what it does not tell of is forgotten. */
  async assign({ documents, ...told }: { documents: readonly ToldDocument[]; issues: RepositoryAnswer['issues'] }) {
    const assigned: RetrievedDocument[] = []
    for (const { content, home: _home, ...document } of documents) {
      const held = await this.#contentOf(content)
      if (held === undefined) throw misbehaved('document-not-in-package')
      this.#call.held?.use(held)
      assigned.push({ ...document, content: held })
    }
    await this.forget()
    return { ...told, documents: assigned }
  }

  async #contentOf(content: ToldDocument['content']): Promise<HeldDocument | undefined> {
    if ('contentId' in content) {
      const held = this.#held.get(content.contentId)
      this.#held.delete(content.contentId)
      return held
    }
    const { spool, maxDocumentBytes } = this.#parts
    const sink = spool.begin({ maxBytes: maxDocumentBytes, signal: this.#call.signal })
    await sink.write(content.bytes)
    return await sink.end()
  }
}

type RepositoryAnswer = Extract<RepositoryReply, { kind: 'answer' }>

interface Root {
  readonly bytes: Buffer
  readonly status: number
}

async function taken({ status, headers, body }: ArrivingAnswer, arrived: Arrivals): Promise<Root> {
  const contentType = headers['content-type'] ?? ''
  const packaged = /^\s*multipart\/related\s*(;|$)/i.test(contentType)
  const bytes = packaged ? await fromPackage(contentType, body, arrived) : await fromPlain(body, arrived)
  return { bytes, status }
}

async function fromPackage(contentType: string, body: AsyncIterable<Buffer>, arrived: Arrivals): Promise<Buffer> {
  const reader = new PackageReader(contentType, { ...defaultPackageLimits, maxRootBytes: maxMessageBytes })
  let root: Buffer | undefined
  const take = async (events: ReturnType<PackageReader['push']>): Promise<void> => {
    for (const event of events) {
      if (event.kind === 'root') root = event.root.bytes
      else if (event.kind === 'part') arrived.begin(event.headers.contentId)
      else if (event.kind === 'data') await arrived.write(event.bytes)
      else await arrived.end()
    }
  }
  for await (const chunk of body) await take(reader.push(chunk))
  await take(reader.end())
  if (root === undefined) throw new MtomError('no-root')
  return root
}

async function fromPlain(body: AsyncIterable<Buffer>, arrived: Arrivals): Promise<Buffer> {
  const splitter = new InlineSplitter({ maxMessageBytes, maxDocuments: defaultPackageLimits.maxParts })
  let message = Buffer.alloc(0)
  const take = async (events: ReturnType<InlineSplitter['push']>): Promise<void> => {
    for (const event of events) {
      if (event.kind === 'document') arrived.begin(event.contentId)
      else if (event.kind === 'data') await arrived.write(event.bytes)
      else if (event.kind === 'end') await arrived.end()
      else message = Buffer.from(event.bytes)
    }
  }
  for await (const chunk of body) await take(splitter.push(chunk))
  await take(splitter.end())
  return message
}

/** The message in an answer, told apart from a fault. */
function opened(bytes: Buffer, status: number, messageId: string) {
  const tree = readTree(bytes, { ...defaultXmlLimits, maxBytes: maxMessageBytes })
  const body = bodyOf(tree)
  requireSameMessage(relatesToOf(tree), messageId)
  if (body !== NONE && tree.local(body) === 'Fault') {
    const { code, reason, detail, subcode } = readFault(tree, body)
    const issue = {
      severity: 'error',
      code: detail.errorCode ?? subcode ?? code,
      text: detail.description ?? reason,
    } as const
    return { kind: 'fault', issue, sender: code === 'Sender' || code === 'Client' } as const
  }
  if (body === NONE && status >= 400) {
    throw new GatewayError('community-unavailable', 'The community failed', { details: { status } })
  }
  const { issues, documents } = decodeRetrieveResponse(tree, body)
  return { kind: 'answer', issues, documents } as const
}

/** By local names, whatever version of SOAP; a bare response stands for its own body. */
function bodyOf(tree: XmlTree): Node {
  if (tree.local(tree.root) !== 'Envelope') return tree.root
  const body = tree.children(tree.root).find((node) => tree.local(node) === 'Body')
  return body === undefined ? NONE : tree.first(body)
}

function relatesToOf(tree: XmlTree): string | undefined {
  const header = tree.children(tree.root).find((node) => tree.local(node) === 'Header')
  if (header === undefined) return undefined
  const found = tree.children(header).find((node) => tree.local(node) === 'RelatesTo')
  return found === undefined ? undefined : tree.text(found).trim()
}

function misbehaved(reason: string): GatewayError {
  return new GatewayError('community-misbehaved', 'The community handed out documents in a way that cannot be read', {
    details: { reason },
  })
}

function asCommunityFailure(error: unknown): unknown {
  if (!(error instanceof MtomError) && !(error instanceof XmlError)) return error
  const message = 'The community handed out documents in a way that cannot be read'
  return new GatewayError('community-misbehaved', message, { cause: error, details: { reason: error.reason } })
}
