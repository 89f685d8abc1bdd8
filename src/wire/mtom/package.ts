import { Buffer } from 'node:buffer'
import { defaultXmlLimits, readTree, XmlError, type XmlLimits, type XmlTree } from '../xml.ts'
import {
  type PackageType,
  packageTypeOf,
  parseMediaType,
  type SoapVersion,
  soapVersionOf,
  xopType,
} from './content-type.ts'
import { MtomError } from './mtom-error.ts'
import { defaultMultipartLimits, type MultipartEvent, type MultipartLimits, MultipartSplitter } from './multipart.ts'
import type { PartHeaders } from './part-headers.ts'
import { type Include, includesOf, unreferenced } from './xop.ts'

/** What one package may cost. */
export interface PackageLimits extends MultipartLimits {
  /** Of the root part, which is held in memory. */
  readonly maxRootBytes: number
  readonly maxIncludes: number
}

export const defaultPackageLimits: PackageLimits = {
  ...defaultMultipartLimits,
  maxRootBytes: 64 * 1024 * 1024,
  maxIncludes: 256,
}

/** The root part of a package: the SOAP message. */
export interface RootPart {
  readonly headers: PartHeaders
  readonly soap: SoapVersion
  readonly bytes: Buffer
}

/**
 * What a package turns out to hold: its root, once, as soon as it is complete, and for each attachment `part`, any
 * number of `data`, `end`. Attachments may stand before the root.
 */
export type PackageEvent = MultipartEvent | { readonly kind: 'root'; readonly root: RootPart }

/**
 * Reads a package (XOP 1.0 §4, RFC 2387) that is pushed in chunks of any size. The root is the part that `start` names,
 * or else the first; it is kept until complete, attachments are not. Every method throws MtomError, and after that the
 * reader is of no more use. What was given out is to be believed only once `end` has returned.
 */
export class PackageReader {
  readonly type: PackageType
  readonly #limits: PackageLimits
  readonly #splitter: MultipartSplitter
  readonly #contentIds = new Set<string>()
  #parts = 0
  #rootDone = false
  /** Of the root under way. */
  #root: { readonly headers: PartHeaders; readonly soap: SoapVersion; readonly pieces: Buffer[] } | undefined
  #rootBytes = 0

  constructor(contentType: string, limits: PackageLimits = defaultPackageLimits) {
    this.type = packageTypeOf(contentType)
    this.#limits = limits
    this.#splitter = new MultipartSplitter(this.type.boundary, limits)
  }

  push(bytes: Uint8Array): PackageEvent[] {
    return this.#splitter.push(bytes).flatMap((event) => this.#take(event))
  }

  end(): PackageEvent[] {
    const events = this.#splitter.end().flatMap((event) => this.#take(event))
    if (!this.#rootDone) throw new MtomError('no-root')
    return events
  }

  #take(event: MultipartEvent): PackageEvent | [] {
    if (event.kind === 'part') return this.#begin(event)
    const root = this.#root
    if (root === undefined) return event
    if (event.kind === 'end') {
      this.#root = undefined
      this.#rootDone = true
      const { headers, soap, pieces } = root
      return { kind: 'root', root: { headers, soap, bytes: joined(pieces) } }
    }
    this.#rootBytes += event.bytes.length
    if (this.#rootBytes > this.#limits.maxRootBytes) throw new MtomError('root-too-large')
    // Copies: what was pushed is its owner's again when `push` returns.
    root.pieces.push(Buffer.from(event.bytes))
    return []
  }

  #begin(event: MultipartEvent & { readonly kind: 'part' }): PackageEvent | [] {
    const { headers } = event
    const { contentId } = headers
    if (contentId !== undefined) {
      if (this.#contentIds.has(contentId)) throw new MtomError('duplicate-content-id')
      this.#contentIds.add(contentId)
    }
    const { start } = this.type
    const first = this.#parts++ === 0
    if (start === undefined ? !first : contentId !== start) return event
    this.#root = { headers, soap: soapOf(headers, this.type), pieces: [] }
    return []
  }
}

/**
 * A root part says of itself that it is XOP and of what (XOP 1.0 §4.1); `start-info`, where there is one, says the same
 * (SOAP MTOM §4.1).
 */
function soapOf(headers: PartHeaders, type: PackageType): SoapVersion {
  const media = parseMediaType(headers.contentType)
  const inner = media.parameters.get('type')
  if (media.type !== xopType || inner === undefined) throw new MtomError('root-type')
  const charset = (media.parameters.get('charset') ?? 'utf-8').toLowerCase()
  // ASCII is UTF-8 as well; what is not UTF-8 in spite of its label is refused when the XML is read.
  if (!['utf-8', 'utf8', 'us-ascii'].includes(charset)) throw new MtomError('charset')
  const soap = soapVersionOf(inner)
  if (type.startInfo !== undefined && soapVersionOf(type.startInfo) !== soap) throw new MtomError('soap-type')
  return soap
}

/**
 * Reads a package from a stream at the pace of whoever iterates; leaving the loop ends the stream. Throws MtomError, and
 * what the stream throws.
 */
export async function* packageEvents(
  contentType: string,
  chunks: AsyncIterable<Uint8Array>,
  limits: PackageLimits = defaultPackageLimits,
): AsyncGenerator<PackageEvent, void, undefined> {
  const reader = new PackageReader(contentType, limits)
  for await (const chunk of chunks) yield* reader.push(chunk)
  yield* reader.end()
}

/** A part that is not the root, in memory. */
export interface Attachment {
  readonly headers: PartHeaders
  /** Decoded. */
  readonly bytes: Buffer
}

/** A package in memory, understood. */
export interface MtomPackage {
  readonly type: PackageType
  readonly root: RootPart
  readonly tree: XmlTree
  /** In the order of the message. */
  readonly attachments: readonly Attachment[]
  /** In document order; each refers to one of the attachments. */
  readonly includes: readonly Include[]
  /** Attachments that no Include refers to. They are no error, and nothing to act upon. */
  readonly unreferenced: readonly Attachment[]
}

/**
 * Reads a whole package in memory: multipart, XML, and what refers to what. Attachments may lie in `bytes`. Throws
 * MtomError; `root-xml` has the XmlError as its cause.
 */
export function readPackage(
  contentType: string,
  bytes: Uint8Array,
  limits: PackageLimits = defaultPackageLimits,
  xmlLimits: XmlLimits = defaultXmlLimits,
): MtomPackage {
  const reader = new PackageReader(contentType, limits)
  let root: RootPart | undefined
  const opened: { readonly headers: PartHeaders; readonly pieces: Buffer[] }[] = []
  for (const event of [...reader.push(bytes), ...reader.end()]) {
    if (event.kind === 'root') root = event.root
    else if (event.kind === 'part') opened.push({ headers: event.headers, pieces: [] })
    else if (event.kind === 'data') opened.at(-1)?.pieces.push(event.bytes)
  }
  if (root === undefined) throw new MtomError('no-root')
  const attachments = opened.map(({ headers, pieces }) => ({ headers, bytes: joined(pieces) }))
  const tree = rootTree(root, xmlLimits)
  const includes = includesOf(tree, limits.maxIncludes)
  const idle = unreferenced(includes, attachments)
  return { type: reader.type, root, tree, attachments, includes, unreferenced: idle }
}

function rootTree(root: RootPart, limits: XmlLimits): XmlTree {
  try {
    return readTree(root.bytes, limits)
  } catch (error) {
    if (error instanceof XmlError) throw new MtomError('root-xml', undefined, error)
    throw error
  }
}

/** Content that came in one piece stays where it is. */
function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces)
}
