import { randomUUID } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { RetrievedDocument } from '../core/model/retrieval.ts'
import type { DocumentSink, HeldDocument, Spool } from '../core/ports.ts'
import type { ToldDocument } from '../wire/ebrim/retrieve.ts'

export interface ArrivalsParts {
  readonly spool: Spool
  /** The largest document taken. */
  readonly maxDocumentBytes: number
}

/**
 * The documents of one answer as they arrive, by the Content-ID under which the message speaks of them. Whoever made it
 * ends it with `assign` or `forget`; until then nobody else knows what is held.
 */
export class Arrivals {
  readonly #parts: ArrivalsParts
  readonly #call: AuthorizedCall
  readonly #most: number
  readonly #held = new Map<string, HeldDocument>()
  /** Which parts the message speaks of, once it has come. */
  #told: ReadonlySet<string> | undefined
  #under: { readonly contentId: string; readonly sink: DocumentSink } | undefined

  /** `most` is how many documents were asked for. */
  constructor(parts: ArrivalsParts, call: AuthorizedCall, most: number) {
    this.#parts = parts
    this.#call = call
    this.#most = most
  }

  /** The message has come: of what follows, only what it speaks of is kept. */
  expect(contentIds: ReadonlySet<string>): void {
    this.#told = contentIds
  }

  /** A document begins; one without an id, or one the message does not speak of, goes by. */
  begin(contentId: string | undefined): void {
    if (contentId === undefined || this.#told?.has(contentId) === false) return
    if (this.#held.size >= this.#most) throw misbehaved('too-many-documents')
    this.#open(contentId)
  }

  /** Awaited before the next. */
  write(bytes: Uint8Array): Promise<void> | void {
    return this.#under?.sink.write(bytes)
  }

  async end(): Promise<void> {
    if (this.#under === undefined) return
    const { contentId, sink } = this.#under
    const held = await sink.end()
    this.#under = undefined
    this.#held.set(contentId, held)
  }

  /** Lets everything go. What the spool fails with then is its own affair: nothing is waited for any more. */
  async forget(): Promise<void> {
    const held = [...this.#held.values()]
    const under = this.#under
    this.#held.clear()
    this.#under = undefined
    await Promise.allSettled([under?.sink.abort(), ...held.map((one) => one[Symbol.asyncDispose]())])
  }

  /**
   * Gives each document the message tells of its bytes, all of them to the exchange; what it does not tell of is forgotten,
   * and a document whose bytes did not come is left out. Rejects with `community-misbehaved` when two are said to be the
   * same bytes, and with `caller-gone` when the exchange has ended meanwhile.
   */
  async assign(documents: readonly ToldDocument[]): Promise<readonly RetrievedDocument[]> {
    if (documents.length > this.#most) throw misbehaved('too-many-documents')
    const ids: string[] = []
    for (const { content } of documents) {
      ids.push('contentId' in content ? content.contentId : await this.#spooled(content.bytes))
    }
    const exchange = this.#call.held
    // Nobody is left to give them up.
    if (exchange?.disposed === true)
      throw new GatewayError('caller-gone', 'The exchange ended before the documents came')
    const contents = ids.map((id) => this.#held.get(id))
    if (new Set(ids).size < ids.length) throw misbehaved('document-told-twice')
    const assigned = documents.flatMap(({ content: _content, home: _home, ...document }, index) => {
      const content = contents[index]
      return content === undefined ? [] : [{ ...document, content }]
    })
    for (const { content } of assigned) exchange?.use(content)
    for (const id of ids) this.#held.delete(id)
    await this.forget()
    return assigned
  }

  #open(contentId: string): void {
    const { spool, maxDocumentBytes } = this.#parts
    this.#under = { contentId, sink: spool.begin({ maxBytes: maxDocumentBytes, signal: this.#call.signal }) }
  }

  /** A document that came inside the message. */
  async #spooled(bytes: Uint8Array): Promise<string> {
    const contentId = randomUUID()
    this.#open(contentId)
    await this.write(bytes)
    await this.end()
    return contentId
  }
}

function misbehaved(reason: string): GatewayError {
  return new GatewayError('community-misbehaved', 'The community handed out documents in a way that cannot be read', {
    details: { reason },
  })
}
