import { type Fault, SoapFaultError, soapNames } from './soap.ts'
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
 * Spells a SOAP 1.1 message around a serialised body, its addressing as INI's notifications write it: without
 * `mustUnderstand` (ini.md §7.2), and beside it a serialised assertion, alone in its header as INI has it (§1.4). Without
 * either it has no header. Throws RangeError on what XML cannot carry.
 */
export function encodeEnvelope11(addressing: Outgoing11 | undefined, body: string, assertion?: string): string {
  const blocks = [
    ...(addressing === undefined ? [] : [encodeAddressing(addressing)]),
    ...(assertion === undefined ? [] : [`<wsse:Security xmlns:wsse="${soapNames.wsse}">${assertion}</wsse:Security>`]),
  ]
  const names = addressing === undefined ? '' : ` xmlns:wsa="${soapNames.wsa}"`
  const header = blocks.length === 0 ? '' : `<env:Header${names}>${blocks.join('')}</env:Header>`
  return (
    `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${soapNames.soap11}">` +
    `${header}<env:Body>${body}</env:Body></env:Envelope>`
  )
}

function encodeAddressing({ action, messageId, to, relatesTo }: Outgoing11): string {
  return [
    to === undefined ? '' : `<wsa:To>${escapeText(to)}</wsa:To>`,
    `<wsa:MessageID>${escapeText(messageId)}</wsa:MessageID>`,
    relatesTo === undefined ? '' : `<wsa:RelatesTo>${escapeText(relatesTo)}</wsa:RelatesTo>`,
    `<wsa:Action>${escapeText(action)}</wsa:Action>`,
  ].join('')
}

const faultCodes = { Sender: 'Client', Receiver: 'Server' } as const

/** Spells a fault as the body of a SOAP 1.1 message (SOAP 1.1 §4.4): its code and reason, and no more. */
export function encodeFault11({ code, reason }: Fault): string {
  const spelt = code === 'Sender' || code === 'Receiver' ? faultCodes[code] : code
  return (
    `<env:Fault><faultcode>env:${spelt}</faultcode>` +
    `<faultstring xml:lang="en">${escapeText(reason)}</faultstring></env:Fault>`
  )
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

/** The actor that everybody plays (SOAP 1.1 §4.2.2). */
const next = 'http://schemas.xmlsoap.org/soap/actor/next'

/**
 * Takes a request apart that must be SOAP 1.1. Throws SoapFaultError: VersionMismatch for any other envelope,
 * MustUnderstand for a mandatory header that is for us and that `understands` refuses, Sender for a shape SOAP does not
 * allow, and for a body that does not hold one message (SOAP 1.1 §4).
 */
export function openRequest11(tree: XmlTree, understands: (namespace: string, local: string) => boolean): Opened11 {
  const { root } = tree
  if (!tree.is(root, soapNames.soap11, 'Envelope')) {
    throw new SoapFaultError({ code: 'VersionMismatch', reason: 'Only SOAP 1.1 is spoken here' })
  }
  const [first, second] = tree.children(root, soapNames.soap11)
  const header = first !== undefined && tree.local(first) === 'Header' ? first : NONE
  const body = header === NONE ? first : second
  if (body === undefined || tree.local(body) !== 'Body') throw malformed('The envelope has no Body')
  for (const block of header === NONE ? [] : tree.children(header)) {
    if (tree.attribute(block, 'mustUnderstand', soapNames.soap11)?.trim() !== '1') continue
    if (!['', next].includes(tree.attribute(block, 'actor', soapNames.soap11)?.trim() ?? '')) continue
    if (understands(tree.namespace(block), tree.local(block))) continue
    throw new SoapFaultError({ code: 'MustUnderstand', reason: 'A mandatory header is not understood' })
  }
  if (tree.children(body).length !== 1) throw malformed('The Body must hold one message')
  return openEnvelope11(tree)
}

function malformed(reason: string): SoapFaultError {
  return new SoapFaultError({ code: 'Sender', reason })
}

function named(tree: XmlTree, parent: Node, local: string): Node {
  if (parent === NONE) return NONE
  return tree.children(parent).find((node) => tree.local(node) === local) ?? NONE
}
