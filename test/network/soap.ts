import { addressingFault, anonymous, SoapFault, soap11, soap12, wsa, wsse } from './faults.ts'
import { children, type Element, isNamed, only, parseXml } from './xml.ts'

/** A message that was opened; nobody is trusted yet. */
export interface Message {
  readonly action: string
  readonly messageId: string
  /** The `wsse:Security` headers, as many as there are. */
  readonly security: readonly Element[]
  /** The only child of the body. */
  readonly payload: Element
}

/** How much of WS-Addressing is asked for. INI takes what the national gateway sends: an action and an id (ini.md §1.4). */
export interface Manner {
  readonly addressing: 'complete' | 'minimal'
  /** The path that `To` must name. */
  readonly path: string
  readonly actions: readonly string[]
}

const known = new Set(['Action', 'MessageID', 'To', 'ReplyTo', 'FaultTo', 'From', 'RelatesTo'])
const urn = /^urn:uuid:[0-9a-f-]{36}$/i
const anySpelling = /^(urn:uuid:|uuid:)?[0-9a-f-]{36}$/i

/** The media type alone, lower case. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** The id of a message that may be too broken to open, so that even a fault relates to it. */
export function messageIdOf(text: string): string | undefined {
  return /<(?:\w+:)?MessageID[^>]*>([^<]{1,200})</.exec(text)?.[1]?.trim()
}

/** The action of a message that may be too broken to open. */
export function actionIn({ body }: { readonly body: string }): string | undefined {
  return /<(?:\w+:)?Action\b[^>]*>\s*([^<\s]+)\s*</.exec(body)?.[1]
}

/** Opens a SOAP 1.2 message. Throws SoapFault. */
export function openMessage(text: string, manner: Manner): Message {
  let root: Element
  try {
    root = parseXml(text)
  } catch {
    throw new SoapFault('Sender', 'The message is not well-formed XML')
  }
  if (isNamed(root, soap11, 'Envelope') || (root.localName === 'Envelope' && root.namespaceURI !== soap12)) {
    throw new SoapFault('VersionMismatch', 'Only SOAP 1.2 is spoken here')
  }
  const body = only(root, soap12, 'Body')
  const header = only(root, soap12, 'Header')
  const [payload, ...more] = body ? children(body) : []
  if (!isNamed(root, soap12, 'Envelope') || payload === undefined || more.length > 0) {
    throw new SoapFault('Sender', 'The envelope is not of SOAP 1.2 with one element in its body')
  }
  const blocks = header ? children(header) : []
  for (const block of blocks) {
    const obliging = ['1', 'true'].includes(block.getAttributeNS(soap12, 'mustUnderstand') ?? '')
    const understood =
      (block.namespaceURI === wsa && known.has(block.localName ?? '')) || isNamed(block, wsse, 'Security')
    if (obliging && !understood) throw new SoapFault('MustUnderstand', 'A header that must be understood is not')
  }
  const { action, messageId } = checkAddressing(blocks, manner)
  return { action, messageId, payload, security: blocks.filter((block) => isNamed(block, wsse, 'Security')) }
}

function checkAddressing(blocks: readonly Element[], { addressing, path, actions }: Manner) {
  const header = (name: string): Element | undefined => {
    const [first, second] = blocks.filter((block) => isNamed(block, wsa, name))
    if (second !== undefined) {
      throw addressingFault(`${name} stands twice`, 'InvalidAddressingHeader', 'InvalidCardinality')
    }
    return first
  }
  const required = (name: string): Element => {
    const found = header(name)
    if (found === undefined) throw addressingFault(`${name} is missing`, 'MessageAddressingHeaderRequired')
    return found
  }
  const text = (element: Element | undefined): string => element?.textContent?.trim() ?? ''

  const action = required('Action')
  const messageId = text(required('MessageID'))
  if (addressing === 'complete') {
    if (!['1', 'true'].includes(action.getAttributeNS(soap12, 'mustUnderstand') ?? '')) {
      throw addressingFault('Action must be marked mustUnderstand', 'InvalidAddressingHeader')
    }
    if (!urn.test(messageId)) throw addressingFault('MessageID is no urn:uuid', 'InvalidAddressingHeader')
    if (pathOf(text(required('To'))) !== path) {
      throw addressingFault('To names another endpoint', 'DestinationUnreachable')
    }
    if (text(only(required('ReplyTo'), wsa, 'Address')) !== anonymous) {
      throw addressingFault(
        'Only the anonymous address is answered',
        'InvalidAddressingHeader',
        'OnlyAnonymousAddressSupported',
      )
    }
  } else {
    if (!anySpelling.test(messageId)) throw addressingFault('MessageID is no UUID', 'InvalidAddressingHeader')
    header('To')
    header('ReplyTo')
  }
  if (!actions.includes(text(action))) throw addressingFault('The action is not supported', 'ActionNotSupported')
  return { action: text(action), messageId }
}

function pathOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).pathname : undefined
}
