const sentences = {
  'content-type': 'The Content-Type is malformed',
  'not-multipart-related': 'The message is not multipart/related',
  'not-xop': 'The type parameter of the package is not application/xop+xml',
  boundary: 'The boundary is missing, or not one that MIME allows',
  'soap-type': 'The package does not say that its root is SOAP, or says it in two ways',
  charset: 'The root part is not in UTF-8',
  'no-delimiter': 'The boundary does not occur in the message',
  delimiter: 'A delimiter line is malformed',
  'line-ends': 'CRLF and LF are mixed in delimiter lines or headers',
  truncated: 'The message ends before its closing delimiter',
  'no-parts': 'The message has no parts',
  'too-large': 'The message is larger than allowed',
  'too-many-parts': 'The message has more parts than allowed',
  'too-much-outside': 'There is more before the first part, or after the last, than allowed',
  'too-many-headers': 'A part has more headers than allowed',
  'headers-too-large': 'The headers of a part are larger than allowed',
  header: 'A header of a part is malformed',
  'duplicate-header': 'A part has the same header twice',
  'content-id': 'A Content-ID is malformed',
  'transfer-encoding': 'The Content-Transfer-Encoding of a part is not known',
  base64: 'Content is not the base64 it should be',
  'quoted-printable': 'Content is not the quoted-printable it should be',
  'duplicate-content-id': 'Two parts have the same Content-ID',
  'no-root': 'The root part that the package names is not there',
  'root-type': 'The root part is not application/xop+xml with a type',
  'root-too-large': 'The root part is larger than allowed',
  'root-xml': 'The root part is not the XML it should be',
  include: 'An Include is malformed',
  'include-not-alone': 'An Include is not the only content of its parent',
  'include-elsewhere': 'An Include refers to something outside the package',
  'include-unresolved': 'An Include refers to a part that is not there',
  'too-many-includes': 'The root part has more Includes than allowed',
  'boundary-collision': 'The boundary occurs in what it should delimit',
  length: 'The content of a part is not as long as was said',
} as const

/** The closed list of what can be wrong with an MTOM package. */
export type MtomReason = keyof typeof sentences

export const mtomReasons = Object.keys(sentences) as readonly MtomReason[]

/** A package that is refused. `message` is one of our own sentences: it never quotes the package. */
export class MtomError extends Error {
  override readonly name = 'MtomError'
  readonly reason: MtomReason
  /** About where it was noticed, in bytes from the start of the body; undefined for what has no place there. */
  readonly offset: number | undefined

  constructor(reason: MtomReason, offset?: number, cause?: unknown) {
    const place = offset === undefined ? '' : ` (at byte ${offset})`
    super(sentences[reason] + place, cause === undefined ? undefined : { cause })
    this.reason = reason
    this.offset = offset
    // Until a stack is written out it holds the objects whose methods are on it, and through them the message.
    void this.stack
  }
}
