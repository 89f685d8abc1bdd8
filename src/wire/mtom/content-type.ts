import { contentIdOf } from './content-id.ts'
import { MtomError } from './mtom-error.ts'

/** A media type taken apart. Type and names of parameters are in lower case, values as they were meant. */
export interface MediaType {
  /** `type/subtype`. */
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

/** What a Content-Type says of an MTOM package (RFC 2387 §3, XOP 1.0 §4.1). */
export interface PackageType {
  readonly boundary: string
  /** The Content-ID of the root part, without angle brackets; the first part is the root when it is not said. */
  readonly start?: string
  /** As it was written; `soapVersionOf` tells what it means. */
  readonly startInfo?: string
  readonly charset?: string
  /** The SOAP action, where a peer puts it here. */
  readonly action?: string
}

/** The SOAP of a root part: `application/soap+xml` is 1.2, `text/xml` is 1.1. */
export type SoapVersion = '1.1' | '1.2'

export const xopType = 'application/xop+xml'

const longest = 8 * 1024
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
// Values that RFC 2045 wants quoted and peers leave bare (`boundary=uuid:…`, `type=application/xop+xml`, `start=<…>`):
// none of these characters ends a value, so they can be read in one way only.
const bare = "[!#$%&'*+\\-.^_`|~0-9A-Za-z/:=?@<>]+"
const quoted = '"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*)"'

const essence = new RegExp(`^[ \\t]*(${token}/${token})[ \\t]*(?=;|$)`)
/** One parameter, or none: RFC 9110 §5.6.6 lets semicolons follow each other, and stand last. */
const parameter = new RegExp(`;[ \\t]*(?:(${token})=(?:${quoted}|(${bare}))[ \\t]*)?(?=;|$)`, 'y')

/**
 * Takes a Content-Type apart (RFC 2045 §5.1 as RFC 9110 §8.3 has it: no comments, no white space around `=`). Throws
 * MtomError `content-type`, also for a parameter that is there twice.
 */
export function parseMediaType(value: string): MediaType {
  if (value.length > longest) throw new MtomError('content-type')
  const [whole, type] = essence.exec(value) ?? []
  if (whole === undefined || type === undefined) throw new MtomError('content-type')
  const parameters = new Map<string, string>()
  let at = whole.length
  while (at < value.length) {
    parameter.lastIndex = at
    const [found, name, inQuotes, plain] = parameter.exec(value) ?? []
    if (found === undefined) throw new MtomError('content-type')
    at += found.length
    if (name === undefined) continue
    const key = name.toLowerCase()
    if (parameters.has(key)) throw new MtomError('content-type')
    parameters.set(key, plain ?? inQuotes?.replace(/\\(.)/g, '$1') ?? '')
  }
  return { type: type.toLowerCase(), parameters }
}

/** RFC 2046 §5.1.1: 1 to 70 characters of a short list, a space not last. */
const boundaryPattern = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/

export function isBoundary(text: string): boolean {
  return boundaryPattern.test(text)
}

/**
 * Judges whether a Content-Type announces an MTOM package, and what it says of it. Throws MtomError: `content-type`,
 * `not-multipart-related`, `not-xop`, `boundary`, `content-id` for a malformed start.
 */
export function packageTypeOf(value: string): PackageType {
  const { type, parameters } = parseMediaType(value)
  if (type !== 'multipart/related') throw new MtomError('not-multipart-related')
  // RFC 2231 continues and encodes values under names with an asterisk. Who knows of it would read another value here.
  for (const name of ['boundary', 'type', 'start', 'start-info']) {
    for (const other of parameters.keys()) if (other.startsWith(`${name}*`)) throw new MtomError('content-type')
  }
  if (parameters.get('type')?.toLowerCase() !== xopType) throw new MtomError('not-xop')
  const boundary = parameters.get('boundary') ?? ''
  if (!isBoundary(boundary)) throw new MtomError('boundary')
  const start = parameters.get('start')
  const startInfo = parameters.get('start-info')
  const charset = parameters.get('charset')
  const action = parameters.get('action')
  return {
    boundary,
    ...(start === undefined ? {} : { start: contentIdOf(start) }),
    ...(startInfo === undefined ? {} : { startInfo }),
    ...(charset === undefined ? {} : { charset }),
    ...(action === undefined ? {} : { action }),
  }
}

/**
 * The SOAP that `start-info`, or the `type` of a root part, stands for; some peers add parameters of their own inside
 * the value. Throws MtomError `soap-type` for anything else.
 */
export function soapVersionOf(value: string): SoapVersion {
  const type = value.split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/soap+xml') return '1.2'
  if (type === 'text/xml') return '1.1'
  throw new MtomError('soap-type')
}
