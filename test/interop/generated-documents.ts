import fc from 'fast-check'
import { NONE } from '../../src/wire/xml.ts'

/**
 * An element of a generated document. It may ask for what cannot be: a prefix that is not declared where it is used is
 * left away when the document is written, and an attribute that is there already.
 */
export interface GeneratedElement {
  readonly prefix: string
  readonly local: string
  /** Prefix (the empty one included) and namespace, as markup. */
  readonly declarations: readonly (readonly [prefix: string, namespace: string])[]
  /** The value as markup. */
  readonly attributes: readonly (readonly [prefix: string, local: string, value: string])[]
  /** Text, comments and CDATA sections as markup. */
  readonly content: readonly (GeneratedElement | string)[]
  /** White space at the end of its tags. */
  readonly space: string
}

/** What documents are made of. */
export interface Alphabet {
  readonly prefixes: readonly string[]
  readonly namespaces: readonly string[]
  readonly locals: readonly string[]
  readonly attributeLocals: readonly string[]
  readonly texts: readonly string[]
  /** Where the default namespace is undeclared. */
  readonly undeclared: 'anywhere' | 'in leaves'
}

const texts = [
  ...['a', 'plain text, quite long', ' ', '\n\t', '\r\n', '\r', '\r\r\n', 'é€', '𝄞', '\u{10ffff}', ']', '>', "'"],
  ...['&lt;', '&gt;', '&amp;', '&quot;', '&apos;', '&#13;', '&#xA;', '&#9;', '&#x1F600;', '&#x5D;', '&amp;lt;'],
]

/**
 * What xml-crypto, and xmldom that parses for it, do right. Left out are the mistakes listed with libxml2's judgement in
 * test/security/c14n-differential.test.ts.
 */
export const tameAlphabet: Alphabet = {
  prefixes: ['', 'p', 'q', 'ns2'],
  namespaces: ['urn:one', 'urn:two', 'http://example.org/?a=1;b', 'urn:o&#110;e'],
  locals: ['a', 'b', 'Body', 'é', 'x-1', '_.', 'p'],
  attributeLocals: ['a', 'b', 'Id', 'x-1', 'B', 'é', 'longer-name'],
  texts,
  undeclared: 'in leaves',
}

/** All that our reader takes, but `&` in a namespace: libxml2 writes that wrongly (see the same list). */
export const wildAlphabet: Alphabet = {
  prefixes: [...tameAlphabet.prefixes, 'P', 'p-1', 'p.1', 'è', '\ufa0e', '𐀀', '_'],
  namespaces: [...tameAlphabet.namespaces, 'urn:on', 'urn:one:two', 'URN:one', 'http://example.org/', 'urn:%C3%A8'],
  locals: [...tameAlphabet.locals, '\ufa0e', '𐀀z', 'ns2', 'xmlnsx', 'A'],
  attributeLocals: [...tameAlphabet.attributeLocals, 'p', 'q', 'ns2', '\ufa0e', '𐀀z', 'xmlnsx', 'A'],
  texts: [...texts, '\ufffd', '\u0085', '\u2028', '\r\u0085'],
  undeclared: 'anywhere',
}

/** Root elements of documents some elements deep and wide. */
export function roots(alphabet: Alphabet): fc.Arbitrary<GeneratedElement> {
  const { prefixes, namespaces, locals, attributeLocals, undeclared } = alphabet
  const joined = (parts: readonly string[], maxLength: number) =>
    fc.array(fc.constantFrom(...parts), { maxLength }).map((some) => some.join(''))
  const raw = joined(['c', '-', ']', '<x>', '&amp;', '\r\n', '\r', 'ü', '>', ' ', '𝄞'], 4)
  const prefix = fc.constantFrom(...prefixes)
  const declaration = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(prefix, fc.constantFrom(...namespaces)) },
    { weight: 1, arbitrary: fc.constant(['', ''] as const) },
  )
  const attribute = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(prefix, fc.constantFrom(...attributeLocals), joined(alphabet.texts, 3)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('xml'), fc.constantFrom('lang', 'space'), joined(alphabet.texts, 2)) },
  )
  const parts = {
    prefix,
    local: fc.constantFrom(...locals),
    declarations: fc.array(declaration, { maxLength: 4 }),
    attributes: fc.array(attribute, { maxLength: 5 }),
    space: fc.constantFrom('', '', '', ' ', '\n', '\r\n\t'),
  }
  const allowed = (element: GeneratedElement): GeneratedElement => {
    if (undeclared === 'anywhere' || element.content.every((piece) => typeof piece === 'string')) return element
    return { ...element, declarations: element.declarations.filter(([, namespace]) => namespace !== '') }
  }
  const { root } = fc.letrec<{ root: GeneratedElement; element: GeneratedElement; piece: GeneratedElement | string }>(
    (tie) => ({
      piece: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        { weight: 3, arbitrary: joined(alphabet.texts, 3) },
        { weight: 1, arbitrary: raw.map((text) => `<!--${text.replace(/--+|-$/g, '')}-->`) },
        { weight: 1, arbitrary: raw.map((text) => `<![CDATA[${text.replaceAll(']]>', '')}]]>`) },
        { weight: 6, arbitrary: tie('element') },
      ),
      element: fc.record({ ...parts, content: fc.array(tie('piece'), { maxLength: 5 }) }).map(allowed),
      root: fc.record({ ...parts, content: fc.array(tie('piece'), { minLength: 2, maxLength: 6 }) }).map(allowed),
    }),
  )
  return root
}

/** What is put into elements as a document is written; elements are numbered in document order. */
export interface Insertions {
  /** Further attributes, as markup. */
  readonly attributes?: ReadonlyMap<number, string>
  /** Content before all other, as markup. */
  readonly content?: ReadonlyMap<number, string>
}

export interface GeneratedDocument {
  readonly text: string
  /** The parent of each element; NONE of the root. */
  readonly parents: readonly number[]
}

export function write(root: GeneratedElement, insertions: Insertions = {}): GeneratedDocument {
  const parents: number[] = []
  const spell = (element: GeneratedElement, parent: number, outer: ReadonlyMap<string, string>): string => {
    const number = parents.push(parent) - 1
    const declared = new Map(element.declarations)
    const scope = new Map([...outer, ...declared])
    const known = (prefix: string) => (prefix === 'xml' || scope.has(prefix) ? prefix : '')
    const attributes = new Map<string, string>()
    for (const [asked, local, value] of element.attributes) {
      const prefix = known(asked)
      const namespace = prefix === '' ? '' : (scope.get(prefix) ?? prefix).replace('&#110;', 'n')
      attributes.set(`${namespace} ${local}`, ` ${qname(prefix, local)}="${value}"`)
    }
    const name = qname(known(element.prefix), element.local)
    let tag = `<${name}${[...attributes.values()].toReversed().join('')}`
    for (const [prefix, namespace] of declared) tag += ` xmlns${prefix === '' ? '' : ':'}${prefix}="${namespace}"`
    tag += `${insertions.attributes?.get(number) ?? ''}${element.space}`
    let content = insertions.content?.get(number) ?? ''
    for (const piece of element.content) {
      content += typeof piece === 'string' ? textAfter(content, piece) : spell(piece, number, scope)
    }
    return content === '' && element.space !== '' ? `${tag}/>` : `${tag}>${content}</${name}${element.space}>`
  }
  return { text: spell(root, NONE, new Map()), parents }
}

function qname(prefix: string, local: string): string {
  return prefix === '' ? local : `${prefix}:${local}`
}

/** `]]>` may not stand in text, not even one character at a time. */
function textAfter(before: string, piece: string): string {
  if (piece.startsWith('<')) return piece
  const escaped = piece.replaceAll(']]>', ']]&gt;')
  return before.endsWith(']') && /^\]?>/.test(escaped) ? escaped.replace('>', '&gt;') : escaped
}

/** An element of a document to be canonicalised. */
export interface Case {
  readonly text: string
  /** Numbers of elements in document order; nothing is left out where `omit` is NONE. */
  readonly apex: number
  readonly omit: number
  readonly prefixes: readonly string[]
}

/** Any element of a document, with any of the prefixes in its list; often a descendant is left out. */
export function cases(alphabet: Alphabet, listed: readonly string[]): fc.Arbitrary<Case> {
  const choices = { root: roots(alphabet), apex: fc.nat(), inner: fc.boolean(), omit: fc.option(fc.nat(), { freq: 2 }) }
  return fc.record({ ...choices, prefixes: fc.subarray([...listed]) }).map(({ root, prefixes, ...chosen }) => {
    const { text, parents } = write(root)
    // Most elements are leaves, of which there is less to see.
    const from = chosen.inner ? [...new Set(parents)].filter((parent) => parent !== NONE) : [...parents.keys()]
    const apex = from[chosen.apex % from.length] ?? 0
    const inside = descendants(parents, apex)
    const omit = chosen.omit === null || inside.length === 0 ? undefined : inside[chosen.omit % inside.length]
    return { text, apex, omit: omit ?? NONE, prefixes }
  })
}

/** The elements within an element, by number. */
export function descendants(parents: readonly number[], ancestor: number): readonly number[] {
  const found = new Set([ancestor])
  for (const [number, parent] of parents.entries()) if (found.has(parent)) found.add(number)
  return [...found].slice(1)
}
