import { Buffer } from 'node:buffer'
import { isContentId } from './content-id.ts'
import { isBoundary, parseMediaType, type SoapVersion, xopType } from './content-type.ts'
import { MtomError } from './mtom-error.ts'

/** An attachment to be written. */
export interface OutgoingPart {
  /** Without angle brackets. */
  readonly contentId: string
  readonly contentType: string
  /** In bytes, where it is known of a stream. Content that turns out otherwise is an MtomError `length`. */
  readonly length?: number
  readonly chunks: AsyncIterable<Uint8Array> | Uint8Array
}

/** A package to be written. */
export interface OutgoingPackage {
  /** As `isBoundary` has it. It should be beyond guessing: streamed content is not searched for it. */
  readonly boundary: string
  /** Of the root part, without angle brackets. */
  readonly rootId: string
  readonly soap: SoapVersion
  /** The SOAP action, where the receiver wants it in the Content-Type (RFC 3902 §2). */
  readonly action?: string
  /** The root part, UTF-8. */
  readonly root: Uint8Array
  readonly parts: readonly OutgoingPart[]
}

/** A package ready to be sent: its headers are final, its body can be read once. */
export interface WrittenPackage {
  readonly contentType: string
  /** Of the body in bytes; undefined while the length of a part is. */
  readonly contentLength: number | undefined
  /** At the pace of whoever iterates. Content passes through as it is, `binary`. Throws MtomError `length`, and what the parts throw. */
  readonly body: AsyncIterable<Uint8Array>
}

const soapTypes: Readonly<Record<SoapVersion, string>> = { '1.1': 'text/xml', '1.2': 'application/soap+xml' }

/**
 * Spells an MTOM package (XOP 1.0 §4, RFC 2387), with CRLF. Throws MtomError at once: `boundary`, `content-id`,
 * `content-type` or `duplicate-content-id` for what cannot be spelt, `boundary-collision` when the boundary occurs in a
 * header, in the root or in an attachment in memory.
 */
export function writePackage(outgoing: OutgoingPackage): WrittenPackage {
  const { boundary, rootId, soap, root, parts } = outgoing
  if (!isBoundary(boundary)) throw new MtomError('boundary')
  refuseIds([rootId, ...parts.map(({ contentId }) => contentId)])
  const soapType = soapTypes[soap]
  const heads = [
    headOf(boundary, rootId, `${xopType}; charset=UTF-8; type="${soapType}"`),
    ...parts.map(({ contentId, contentType }) => headOf(boundary, contentId, contentType)),
  ]
  const contents = [root, ...parts.map(({ chunks }) => chunks)]
  for (const content of contents) {
    if (content instanceof Uint8Array && asBuffer(content).includes(`--${boundary}`)) {
      throw new MtomError('boundary-collision')
    }
  }
  return {
    contentType: contentTypeOf(outgoing, soapType),
    contentLength: lengthOf(outgoing, heads),
    body: bodyOf(outgoing, heads),
  }
}

function refuseIds(ids: readonly string[]): void {
  if (!ids.every(isContentId)) throw new MtomError('content-id')
  if (new Set(ids).size !== ids.length) throw new MtomError('duplicate-content-id')
}

function headOf(boundary: string, contentId: string, contentType: string): string {
  parseMediaType(contentType)
  const headers = `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`
  if (headers.includes(boundary)) throw new MtomError('boundary-collision')
  return `--${boundary}\r\n${headers}`
}

function contentTypeOf({ boundary, rootId, action }: OutgoingPackage, soapType: string): string {
  const spelt =
    `multipart/related; type="${xopType}"; start="<${quotable(rootId)}>"; start-info="${soapType}"; ` +
    `boundary="${boundary}"${action === undefined ? '' : `; action="${quotable(action)}"`}`
  parseMediaType(spelt)
  return spelt
}

function quotable(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}

function lengthOf({ boundary, root, parts }: OutgoingPackage, heads: readonly string[]): number | undefined {
  let length = closing(boundary).length
  for (const head of heads) length += Buffer.byteLength(head, 'latin1') + lineEnd.length
  length += root.length
  for (const part of parts) {
    const known = part.chunks instanceof Uint8Array ? part.chunks.length : part.length
    if (known === undefined) return undefined
    length += known
  }
  return length
}

const lineEnd = '\r\n'

function closing(boundary: string): string {
  return `--${boundary}--${lineEnd}`
}

async function* bodyOf(
  { boundary, root, parts }: OutgoingPackage,
  heads: readonly string[],
): AsyncGenerator<Uint8Array> {
  const [rootHead = '', ...partHeads] = heads
  yield Buffer.from(rootHead, 'latin1')
  yield root
  for (const [index, part] of parts.entries()) {
    yield Buffer.from(`${lineEnd}${partHeads[index] ?? ''}`, 'latin1')
    yield* contentOf(part)
  }
  yield Buffer.from(`${lineEnd}${closing(boundary)}`, 'latin1')
}

async function* contentOf({ chunks, length }: OutgoingPart): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const chunk of chunks instanceof Uint8Array ? [chunks] : chunks) {
    sent += chunk.length
    if (length !== undefined && sent > length) throw new MtomError('length')
    if (chunk.length > 0) yield chunk
  }
  if (length !== undefined && sent !== length) throw new MtomError('length')
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
