import { type Envelope, type FaultName, SoapFaultError, soapNames } from './soap.ts'
import { NONE, type Node } from './xml.ts'
import { escapeText } from './xml-write.ts'

/** What a request says about itself (WS-Addressing 1.0; ITI TF-2: Appendix V.3.2). */
export interface Addressing {
  readonly action: string
  /** As sent: `urn:uuid:…`, `uuid:…` and bare UUIDs all occur and are answered as they came (ini.md §1.4). */
  readonly messageId: string
  readonly to?: string
}

/** `strict` refuses a header that occurs twice; `lenient` takes the first, for clients that cannot be mended. */
export type AddressingMode = 'strict' | 'lenient'

const anonymous = `${soapNames.wsa}/anonymous`

/** Reads and checks the addressing headers. Throws SoapFaultError with the WS-Addressing fault that applies. */
export function readAddressing(envelope: Envelope, mode: AddressingMode): Addressing {
  const action = only(envelope, 'Action', mode)
  if (action === undefined || action === '') throw headerRequired('Action')
  const messageId = only(envelope, 'MessageID', mode)
  if (messageId === undefined || messageId === '') throw headerRequired('MessageID')
  const to = only(envelope, 'To', mode)
  for (const header of ['ReplyTo', 'FaultTo'] as const) {
    const address = endpointAddress(envelope, header, mode)
    if (address !== undefined && address !== anonymous) {
      throw fault(
        'wsa:InvalidAddressingHeader',
        'wsa:OnlyAnonymousAddressSupported',
        header,
        'Answers leave on the connection the question came on',
      )
    }
  }
  return { action, messageId, ...(to === undefined ? {} : { to }) }
}

/** The message id when there is one, whatever else is wrong: so that even a fault says what it answers. */
export function messageIdOf(envelope: Envelope): string | undefined {
  const node = blocks(envelope, 'MessageID')[0]
  return node === undefined ? undefined : envelope.tree.text(node).trim() || undefined
}

/** The fault for an action nobody serves at this address. */
export function actionNotSupported(action: string): SoapFaultError {
  return new SoapFaultError({
    code: 'Sender',
    subcodes: ['wsa:ActionNotSupported'],
    reason: 'The action is not supported here',
    detail: `<wsa:ProblemAction><wsa:Action>${escapeText(action)}</wsa:Action></wsa:ProblemAction>`,
  })
}

function blocks({ tree, headers }: Envelope, local: string): readonly Node[] {
  return headers.filter((node) => tree.is(node, soapNames.wsa, local))
}

function single(envelope: Envelope, local: string, mode: AddressingMode): Node {
  const found = blocks(envelope, local)
  if (found.length > 1 && mode === 'strict') {
    throw fault(
      'wsa:InvalidAddressingHeader',
      'wsa:InvalidCardinality',
      local,
      'An addressing header occurs more than once',
    )
  }
  return found[0] ?? NONE
}

function only(envelope: Envelope, local: string, mode: AddressingMode): string | undefined {
  const node = single(envelope, local, mode)
  return node === NONE ? undefined : envelope.tree.text(node).trim()
}

function endpointAddress(envelope: Envelope, local: string, mode: AddressingMode): string | undefined {
  const node = single(envelope, local, mode)
  if (node === NONE) return undefined
  const address = envelope.tree.child(node, soapNames.wsa, 'Address')
  if (address === NONE) {
    throw fault('wsa:InvalidAddressingHeader', 'wsa:MissingAddressInEPR', local, 'An endpoint reference has no address')
  }
  return envelope.tree.text(address).trim()
}

function headerRequired(local: string): SoapFaultError {
  return new SoapFaultError({
    code: 'Sender',
    subcodes: ['wsa:MessageAddressingHeaderRequired'],
    reason: 'A required addressing header is missing',
    detail: problemHeader(local),
  })
}

function fault(subcode: FaultName, inner: FaultName, local: string, reason: string): SoapFaultError {
  return new SoapFaultError({ code: 'Sender', subcodes: [subcode, inner], reason, detail: problemHeader(local) })
}

function problemHeader(local: string): string {
  return `<wsa:ProblemHeaderQName>wsa:${local}</wsa:ProblemHeaderQName>`
}
