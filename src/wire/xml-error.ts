const sentences = {
  doctype: 'A document type declaration is not accepted',
  'processing-instruction': 'A processing instruction is not accepted',
  declaration: 'The XML declaration is malformed or does not say version 1.0',
  encoding: 'The message is not the UTF-8 it should be',
  character: 'A character that XML does not allow',
  entity: 'A reference to an entity that is not predefined, or a malformed one',
  malformed: 'The message is not well-formed XML',
  truncated: 'The message ends before its document does',
  'mismatched-tag': 'An end tag does not match its start tag',
  'duplicate-attribute': 'An element has the same attribute twice',
  name: 'A malformed name',
  namespace: 'A namespace declaration or reserved prefix is used wrongly',
  'undeclared-prefix': 'A prefix is not declared',
  'relative-namespace': 'A namespace name is not an absolute URI',
  'empty-canonical-form': 'Nothing is left to canonicalise',
  'too-large': 'The message, or its canonical form, is larger than allowed',
  'too-deep': 'Elements are nested deeper than allowed',
  'too-many-attributes': 'An element has more attributes than allowed',
  'too-many-names': 'The message has more distinct names than allowed',
  'too-many-nodes': 'The message has more elements and pieces of text than allowed',
  'too-many-namespaces': 'The message has more distinct namespaces than allowed',
} as const

/** The closed list of what can be wrong with a document. */
export type XmlReason = keyof typeof sentences

export const xmlReasons = Object.keys(sentences) as readonly XmlReason[]

/** A document that is refused. `message` is one of our own sentences: it never quotes the document. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
  readonly reason: XmlReason
  /** Where it was noticed, in bytes from the start of the message. */
  readonly offset: number

  constructor(reason: XmlReason, offset: number) {
    super(`${sentences[reason]} (at byte ${offset})`)
    this.reason = reason
    this.offset = offset
    // Until a stack is written out it holds the objects whose methods are on it, and through them the message.
    void this.stack
  }
}
