import { createHash } from 'node:crypto'
import type { AddressingMode } from '../wire/addressing.ts'
import { MtomError } from '../wire/mtom/mtom-error.ts'
import { type Attachment, defaultPackageLimits, type MtomPackage, readPackage } from '../wire/mtom/package.ts'
import { soapNames } from '../wire/soap.ts'
import { defaultXmlLimits, XmlError } from '../wire/xml.ts'
import { oneOf, optionsOf } from './arguments.ts'
import { CliError } from './exit.ts'
import { largestInput } from './input.ts'
import { opened, requireAddressing, shapeOf } from './soap-reading.ts'
import { accepted, type Judge, kindOf, malformed, type Verdict, verdictOn } from './verdict.ts'

const options = {
  'content-type': { type: 'string' },
  addressing: { type: 'string', default: 'strict' },
} as const

/** Judges an MTOM package and the SOAP message in it. Throws CliError for wrong arguments. */
export function mtomJudge(args: readonly string[]): Judge {
  const values = optionsOf(args, options)
  const contentType = values['content-type']
  if (contentType === undefined)
    throw new CliError('usage', "--content-type is needed: the message's header, in quotes")
  const mode = oneOf('addressing', values.addressing, ['strict', 'lenient'])
  return (input) => judge(contentType, input, mode)
}

function judge(contentType: string, input: Buffer, mode: AddressingMode): Verdict {
  let read: Verdict['read'] = {}
  try {
    const limits = { ...defaultPackageLimits, maxBytes: largestInput }
    const content = readPackage(contentType, input, limits, { ...defaultXmlLimits, maxBytes: largestInput })
    read = { ...partsOf(content), message: shapeOf(content.tree) }
    const message = opened(content.tree)
    read = { ...read, message: message.read }
    const { headers, tree } = message.envelope
    // The package is what is asked about; who addresses nobody is asked for no addressing.
    if (headers.some((node) => tree.namespace(node) === soapNames.wsa)) requireAddressing(message.envelope, mode)
    return accepted(read)
  } catch (error) {
    if (error instanceof MtomError) return malformed(error.reason, { ...read, ...placeOf(error) })
    return verdictOn(error, kindOf, read)
  }
}

function placeOf({ cause, offset }: MtomError) {
  return { offset, ...(cause instanceof XmlError ? { xml: { reason: cause.reason, offset: cause.offset } } : {}) }
}

function partsOf({ attachments, includes, root, tree, type, unreferenced }: MtomPackage) {
  const { headers, soap, bytes } = root
  return {
    boundary: type.boundary,
    start: type.start,
    soap,
    root: { id: headers.contentId, type: headers.contentType, encoding: headers.transferEncoding, size: bytes.length },
    parts: attachments.map(partOf),
    includes: includes.map(({ contentId, holder }) => ({
      part: contentId,
      in: { namespace: tree.namespace(holder), name: tree.local(holder) },
    })),
    unreferenced: unreferenced.map(({ headers: { contentId }, bytes: { length } }) => ({
      id: contentId,
      size: length,
    })),
  }
}

function partOf({ bytes, headers: { contentId, contentType, transferEncoding } }: Attachment) {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { id: contentId, type: contentType, encoding: transferEncoding, size: bytes.length, sha256 }
}
