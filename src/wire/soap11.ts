import { soapNames } from './soap.ts'
import { NONE, type Node, type XmlTree } from './xml.ts'
import { escapeText } from './xml-write.ts'

/** Media type of every SOAP 1.1 message (SOAP 1.1 §6). */
export const soap11Type = 'text/xml; charset=utf-8'

/** The addressing of a SOAP 1.1 message we write. */
export interface Outgoing11 {
  readonly action: string
  readonly messageId: string
  readonly to?: string
  readonly relatesTo?: string
}

/**
 * Spells a SOAP 1.1 message around a serialised body, its addressing as INI's notifications write it: without security
 * and without `mustUnderstand` (ini.md §7.2). Throws RangeError on what XML cannot carry.
 */
export function encodeEnvelope11({ action, messageId, to, relatesTo }: Outgoing11, body: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<env:Envelope xmlns:env="${soapNames.soap11}"><env:Header xmlns:wsa="${soapNames.wsa}">`,
    to === undefined ? '' : `<wsa:To>${escapeText(to)}</wsa:To>`,
    `<wsa:MessageID>${escapeText(messageId)}</wsa:MessageID>`,
    relatesTo === undefined ? '' : `<wsa:RelatesTo>${escapeText(relatesTo)}</wsa:RelatesTo>`,
    `<wsa:Action>${escapeText(action)}</wsa:Action>`,
    `</env:Header><env:Body>${body}</env:Body></env:Envelope>`,
  ].join('')
}

/** The HTTP header that goes with a SOAP 1.1 request (SOAP 1.1 §6.1.1). */
export function soapActionOf(action: string): string {
  return `"${action}"`
}

/** A message taken apart. Nodes belong to its tree. */
export interface Opened11 {
  readonly action?: string
  readonly messageId?: string
  readonly relatesTo?: string
  /** The body's first child; NONE for an empty body, and for what is no envelope. */
  readonly body: Node
}

/**
 * Takes a message apart by local names, whatever version of SOAP and of WS-Addressing it says it is of: those who answer
 * SOAP 1.1 do not always answer in it (ini.md §1.6). Never throws.
 */
export function openEnvelope11(tree: XmlTree): Opened11 {
  if (tree.local(tree.root) !== 'Envelope') return { body: NONE }
  const header = named(tree, tree.root, 'Header')
  const blocks = header === NONE ? [] : tree.children(header)
  const told = (local: string): string | undefined => {
    const block = blocks.find((node) => tree.local(node) === local)
    return block === undefined ? undefined : tree.text(block).trim() || undefined
  }
  const [action, messageId, relatesTo] = [told('Action'), told('MessageID'), told('RelatesTo')]
  const body = named(tree, tree.root, 'Body')
  return {
    ...(action === undefined ? {} : { action }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(relatesTo === undefined ? {} : { relatesTo }),
    body: body === NONE ? NONE : tree.first(body),
  }
}

function named(tree: XmlTree, parent: Node, local: string): Node {
  if (parent === NONE) return NONE
  return tree.children(parent).find((node) => tree.local(node) === local) ?? NONE
}
