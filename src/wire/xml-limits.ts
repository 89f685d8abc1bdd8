/** What one document may cost. Whatever exceeds a bound is refused with an XmlError that names it. */
export interface XmlLimits {
  /** Of the message; also of the canonical form made of its tree. */
  readonly maxBytes: number
  /** The root stands at depth 1. */
  readonly maxDepth: number
  /** Per element, namespace declarations included. */
  readonly maxAttributes: number
  /** Distinct names per document; a prefixed name counts as itself, its prefix and its local part. */
  readonly maxNames: number
  /** Elements and pieces of text per tree. */
  readonly maxNodes: number
  /** Distinct namespaces per document. */
  readonly maxNamespaces: number
}

export const defaultXmlLimits: XmlLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxDepth: 64,
  maxAttributes: 256,
  maxNames: 4096,
  maxNodes: 1_000_000,
  maxNamespaces: 256,
}
