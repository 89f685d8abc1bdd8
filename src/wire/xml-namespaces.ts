import type { XmlReason } from './xml-error.ts'
import type { XmlLimits } from './xml-limits.ts'
import { isAbsoluteUri } from './xml-uri.ts'

export const NO_NAMESPACE = 0
export const XML_NAMESPACE = 1
/** Longer namespace names than this are refused; real ones have 60 characters. */
const longestNamespace = 4096
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/** What a prefix is to XML itself. */
export type PrefixMeaning = 'none' | 'xml' | 'xmlns' | 'other'

/** The namespaces of one document, each distinct one known by a number. */
export class XmlNamespaces {
  readonly #limits: XmlLimits
  readonly #sharing: boolean
  readonly #refuse: (reason: XmlReason, offset: number) => never
  readonly #texts = ['', xmlNamespace]
  readonly #shared: (string | undefined)[] = ['', xmlNamespace]
  readonly #absolute: (boolean | undefined)[] = [true, true]
  readonly #ids = new Map<string, number>()

  /** `sharing` says whether strings are worth sharing; `refuse` throws. */
  constructor(limits: XmlLimits, sharing: boolean, refuse: (reason: XmlReason, offset: number) => never) {
    this.#limits = limits
    this.#sharing = sharing
    this.#refuse = refuse
  }

  /** The name as a string, one object per document. */
  string(id: number): string {
    if (!this.#sharing) return this.#texts[id]!
    this.#shared[id] ??= shared(this.#texts[id]!)
    return this.#shared[id]
  }

  /**
   * Whether the namespace may stand in a canonical form (Canonical XML 1.0 §1). Reading is not so strict: INI's faults
   * declare names that are no URIs.
   */
  isAbsolute(id: number): boolean {
    this.#absolute[id] ??= isAbsoluteUri(this.#texts[id]!)
    return this.#absolute[id]
  }

  /**
   * The number of the namespace that an `xmlns` attribute binds to a prefix. Refuses what Namespaces in XML 1.0 §3
   * reserves or forbids.
   */
  bind(prefix: PrefixMeaning, namespace: string, offset: number): number {
    const reserved =
      prefix === 'xmlns' || namespace === xmlnsNamespace || (prefix === 'xml') !== (namespace === xmlNamespace)
    const unfit = namespace.length > longestNamespace || (namespace === '' && prefix !== 'none')
    if (reserved || unfit) this.#refuse('namespace', offset)
    if (namespace === '') return NO_NAMESPACE
    if (prefix === 'xml') return XML_NAMESPACE
    const known = this.#ids.get(namespace)
    if (known !== undefined) return known
    const id = this.#texts.length
    if (id - 2 >= this.#limits.maxNamespaces) this.#refuse('too-many-namespaces', offset)
    this.#texts.push(namespace)
    this.#ids.set(namespace, id)
    return id
  }
}

/**
 * The runtime's one copy of a string (property keys are such copies, and names are never array indices), so that
 * comparing it with a constant of the program is comparing two addresses.
 */
export function shared(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text
}
