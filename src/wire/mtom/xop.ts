import type { Buffer } from 'node:buffer'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeAttribute } from '../xml-write.ts'
import { decodeBase64 } from './base64.ts'
import { cidUrl, contentIdOfUrl } from './content-id.ts'
import { MtomError } from './mtom-error.ts'
import type { PartHeaders } from './part-headers.ts'

const xopNamespace = 'http://www.w3.org/2004/08/xop/include'

/** A reference from the root part to an attachment. Nodes belong to the tree of the root part. */
export interface Include {
  readonly contentId: string
  /** The element whose content the attachment is. */
  readonly holder: Node
}

/**
 * Every `xop:Include` of a tree, in document order, wherever it stands: which elements may have binary content is for
 * the reader of the message to say. Nothing is ever fetched: an Include refers to a part of the package or is refused.
 * Several may refer to the same part (XOP 1.0 does not forbid it); `most` bounds them all. Throws MtomError; `offset`
 * counts from the start of the root part.
 */
export function includesOf(tree: XmlTree, most: number): Include[] {
  const found: Include[] = []
  for (let node = tree.root; node < tree.records.count; node++) {
    if (!tree.is(node, xopNamespace, 'Include')) continue
    if (found.length === most) throw new MtomError('too-many-includes', tree.start(node))
    found.push(readInclude(tree, node))
  }
  return found
}

/**
 * The parts that no Include refers to. Throws MtomError `include-unresolved` for an Include that refers to none of the
 * parts. The root is not among the parts.
 */
export function unreferenced<Part extends { readonly headers: PartHeaders }>(
  includes: readonly Include[],
  parts: readonly Part[],
): Part[] {
  const present = new Set(parts.map((part) => part.headers.contentId))
  const referenced = new Set<string | undefined>()
  for (const { contentId } of includes) {
    if (!present.has(contentId)) throw new MtomError('include-unresolved')
    referenced.add(contentId)
  }
  return parts.filter((part) => part.headers.contentId === undefined || !referenced.has(part.headers.contentId))
}

/**
 * The binary content of an element, however its sender chose to carry it: the attachment it refers to, or its text,
 * base64, decoded. Throws MtomError, `base64` for text that is not, or that has elements in it.
 */
export function binaryOf(tree: XmlTree, holder: Node): { readonly contentId: string } | { readonly bytes: Buffer } {
  const child = tree.first(holder)
  if (child === NONE) return { bytes: decodeBase64(tree.text(holder)) }
  if (!tree.is(child, xopNamespace, 'Include')) throw new MtomError('base64', tree.start(child))
  return { contentId: readInclude(tree, child).contentId }
}

/** Spells an Include as the only content of the element whose content the attachment is. */
export function encodeInclude(contentId: string): string {
  return `<xop:Include xmlns:xop="${xopNamespace}" href="${escapeAttribute(cidUrl(contentId))}"/>`
}

/** White space beside an Include, which indenting writers leave, is no content; anything else is (XOP 1.0 §3.2). */
function readInclude(tree: XmlTree, node: Node): Include {
  const offset = tree.start(node)
  const holder = tree.parent(node)
  if (holder === NONE || tree.first(holder) !== node || tree.next(node) !== NONE || tree.hasText(holder)) {
    throw new MtomError('include-not-alone', offset)
  }
  const href = tree.attribute(node, 'href')
  if (href === undefined || tree.first(node) !== NONE || tree.hasText(node)) throw new MtomError('include', offset)
  return { contentId: contentIdOfUrl(href.trim(), offset), holder }
}
