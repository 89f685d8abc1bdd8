import { DOMParser, type Element, type Node, XMLSerializer } from '@xmldom/xmldom'
import { ExclusiveCanonicalization } from 'xml-crypto'

export type { Element } from '@xmldom/xmldom'

/** The root of a well-formed document without a DTD. Throws for anything else. */
export function parseXml(text: string): Element {
  if (text.includes('<!DOCTYPE')) throw new Error('A document type is not allowed')
  const parser = new DOMParser({
    onError: (_level, message) => {
      throw new Error(message)
    },
  })
  const root = parser.parseFromString(text.replace(/^\uFEFF/, ''), 'text/xml').documentElement
  if (root === null) throw new Error('There is no element')
  return root
}

/** Element children, all of them or those of one name. */
export function children(parent: Element, namespace?: string, name?: string): Element[] {
  const found: Element[] = []
  for (let child: Node | null = parent.firstChild; child !== null; child = child.nextSibling) {
    if (child.nodeType !== child.ELEMENT_NODE) continue
    const element = child as Element
    if (namespace === undefined || (element.namespaceURI === namespace && element.localName === name))
      found.push(element)
  }
  return found
}

/** The only child of that name; `undefined` when there is none, or more than one. */
export function only(parent: Element | undefined, namespace: string, name: string): Element | undefined {
  const found = parent === undefined ? [] : children(parent, namespace, name)
  return found.length === 1 ? found[0] : undefined
}

export function isNamed(element: Element, namespace: string, name: string): boolean {
  return element.namespaceURI === namespace && element.localName === name
}

/** The element cut out of its document, so that a signature over it still verifies (exclusive canonical form). */
export function cutOut(element: Element): string {
  const prefixes = new Map<string, string>()
  for (let at: Node | null = element; at !== null; at = at.parentNode) {
    if (at.nodeType !== at.ELEMENT_NODE) continue
    for (const attribute of Array.from((at as Element).attributes)) {
      if (attribute.prefix !== 'xmlns' || attribute.localName === null || prefixes.has(attribute.localName)) continue
      prefixes.set(attribute.localName, attribute.value)
    }
  }
  const ancestorNamespaces = [...prefixes].map(([prefix, namespaceURI]) => ({ prefix, namespaceURI }))
  // Values typed `xs:string` name a prefix where canonicalization does not look.
  return new ExclusiveCanonicalization().process(element as never, {
    inclusiveNamespacesPrefixList: ['xs', 'xsi'],
    ancestorNamespaces,
  })
}

/** The element as text, with the namespaces it declares. */
export function serialize(element: Element): string {
  return new XMLSerializer().serializeToString(element)
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
}
