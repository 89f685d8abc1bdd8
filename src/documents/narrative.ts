import type { Node, XmlTree } from '../wire/xml.ts'
import { escapeText } from '../wire/xml-write.ts'
import { contentOf } from './mixed-content.ts'
import { hl7 } from './xml-root.ts'

/** Where HTML is written to, and the document it is made of. */
interface Writing {
  readonly tree: XmlTree
  readonly out: string[]
}

type Writer = (to: Writing, node: Node) => void

/**
 * The narrative of a CDA section (CDA R2 §4.3.5, NarrativeBlock.xsd) as HTML. Only elements and attributes of a closed
 * list are written, all of them by us; the text of any other element is kept and its markup dropped. Links are written
 * out, not made; media are mentioned, not loaded.
 */
export function narrativeHtml(tree: XmlTree, text: Node): string {
  const to = { tree, out: [] }
  content(to, text)
  return to.out.join('')
}

function content(to: Writing, node: Node): void {
  for (const piece of contentOf(to.tree, node)) {
    if (typeof piece === 'string') to.out.push(characters(piece))
    else element(to, piece)
  }
}

/**
 * White space is one space, but a line break inside a text is kept: many authors write a therapy line by line, and lines
 * that run together can be misread.
 */
function characters(text: string): string {
  const spaced = text.replace(/[ \t\r\n]+/g, (run, offset: number) => {
    const isInside = offset > 0 && offset + run.length < text.length
    return isInside && run.includes('\n') ? '\n' : ' '
  })
  return escapeText(spaced)
}

function element(to: Writing, node: Node): void {
  const writer = to.tree.namespace(node) === hl7 ? writers.get(to.tree.local(node)) : undefined
  if (writer === undefined) content(to, node)
  else writer(to, node)
}

const writers: ReadonlyMap<string, Writer> = new Map<string, Writer>([
  ['content', styled],
  ['paragraph', paragraph],
  ['caption', (to, node) => wrapped(to, node, 'p', ' class="caption"')],
  ['br', (to) => to.out.push('<br>')],
  ['sub', (to, node) => wrapped(to, node, 'sub')],
  ['sup', (to, node) => wrapped(to, node, 'sup')],
  ['list', list],
  ['table', table],
  ['linkHtml', link],
  ['footnote', footnote],
  ['renderMultiMedia', media],
])

function wrapped(to: Writing, node: Node, name: string, attributes = ''): void {
  to.out.push(`<${name}${attributes}>`)
  content(to, node)
  to.out.push(`</${name}>`)
}

/** Tokens of styleCode (CDA R2 §4.3.5.11) that are written; layout rules of tables are not. */
const styles: ReadonlyMap<string, { readonly element: string; readonly className: string }> = new Map([
  ['bold', { element: 'strong', className: 'bold' }],
  ['emphasis', { element: 'em', className: 'italics' }],
  ['italics', { element: 'em', className: 'italics' }],
  ['underline', { element: 'u', className: 'underline' }],
])

const revisions: ReadonlyMap<string, string> = new Map([
  ['delete', 'del'],
  ['insert', 'ins'],
])

function tokensOf(to: Writing, node: Node): string[] {
  return (to.tree.attribute(node, 'styleCode') ?? '').toLowerCase().split(/\s+/, 16)
}

function styleClass(to: Writing, node: Node): string {
  const names = new Set(tokensOf(to, node).flatMap((token) => styles.get(token)?.className ?? []))
  return names.size === 0 ? '' : ` class="${[...names].join(' ')}"`
}

/** What an author has struck out or put in is shown as such (CDA R2 §4.3.5.1). */
function styled(to: Writing, node: Node): void {
  const names = new Set(tokensOf(to, node).flatMap((token) => styles.get(token)?.element ?? []))
  const revision = revisions.get(to.tree.attribute(node, 'revised') ?? '')
  const opened = [...(revision === undefined ? [] : [revision]), ...names]
  for (const name of opened) to.out.push(`<${name}>`)
  content(to, node)
  for (const name of opened.reverse()) to.out.push(`</${name}>`)
}

/** What ends a paragraph of HTML, which a paragraph of CDA may yet hold. */
const blocks = new Set(['paragraph', 'list', 'table', 'caption'])

function paragraph(to: Writing, node: Node): void {
  const { tree } = to
  const holdsBlocks = tree.children(node).some((child) => blocks.has(tree.local(child)))
  wrapped(to, node, holdsBlocks ? 'div' : 'p', styleClass(to, node))
}

/** How the items of an ordered list are numbered, by tokens of its styleCode. */
const numberings: ReadonlyMap<string, string> = new Map([
  ['arabic', '1'],
  ['littleroman', 'i'],
  ['bigroman', 'I'],
  ['littlealpha', 'a'],
  ['bigalpha', 'A'],
])

/** A list holds items only, in HTML as in CDA: what else stands in it comes before it. */
function list(to: Writing, node: Node): void {
  const { tree, out } = to
  const isOrdered = tree.attribute(node, 'listType') === 'ordered'
  const numbering = tokensOf(to, node).flatMap((token) => numberings.get(token) ?? [])[0]
  const items = new Set(tree.children(node, hl7, 'item'))
  contentBut(to, node, items)
  out.push(isOrdered ? `<ol${numbering === undefined ? '' : ` type="${numbering}"`}>` : '<ul>')
  for (const item of items) wrapped(to, item, 'li', styleClass(to, item))
  out.push(isOrdered ? '</ol>' : '</ul>')
}

function contentBut(to: Writing, node: Node, left: ReadonlySet<Node>): void {
  for (const piece of contentOf(to.tree, node)) {
    if (typeof piece === 'string') to.out.push(characters(piece))
    else if (!left.has(piece)) element(to, piece)
  }
}

const groups = ['thead', 'tbody', 'tfoot']

/** A table holds a caption, groups and rows: what else stands in it comes before it. */
function table(to: Writing, node: Node): void {
  const { tree, out } = to
  const caption = tree.child(node, hl7, 'caption')
  const parts = tree.children(node, hl7).filter((child) => [...groups, 'tr'].includes(tree.local(child)))
  const columns = tree.children(node, hl7).filter((child) => ['col', 'colgroup'].includes(tree.local(child)))
  contentBut(to, node, new Set([caption, ...parts, ...columns]))
  out.push('<table>')
  if (caption >= 0) wrapped(to, caption, 'caption')
  for (const part of parts) {
    if (tree.local(part) === 'tr') row(to, part, false)
    else group(to, part)
  }
  out.push('</table>')
}

/** What has no place among rows is given a row of its own, so that none of its text is lost. */
function group(to: Writing, node: Node): void {
  const name = to.tree.local(node)
  to.out.push(`<${name}>`)
  for (const child of to.tree.children(node)) {
    if (to.tree.is(child, hl7, 'tr')) row(to, child, name === 'thead')
    else {
      to.out.push('<tr>')
      wrapped(to, child, 'td')
      to.out.push('</tr>')
    }
  }
  if (to.tree.hasText(node)) to.out.push(`<tr><td>${characters(to.tree.text(node))}</td></tr>`)
  to.out.push(`</${name}>`)
}

function row(to: Writing, node: Node, isHead: boolean): void {
  const { tree, out } = to
  const cells = tree.children(node)
  const isHeading = isHead || cells.every((cell) => tree.is(cell, hl7, 'th'))
  out.push(`<tr${styleClass(to, node)}>`)
  for (const cell of cells) {
    if (tree.is(cell, hl7, 'th')) wrapped(to, cell, 'th', scope(to, cell, isHeading) + cellAttributes(to, cell))
    else if (tree.is(cell, hl7, 'td')) wrapped(to, cell, 'td', cellAttributes(to, cell))
    else wrapped(to, cell, 'td')
  }
  if (tree.hasText(node)) out.push(`<td>${characters(tree.text(node))}</td>`)
  out.push('</tr>')
}

const scopes = new Set(['row', 'col', 'rowgroup', 'colgroup'])

/** What a header cell is the header of: as its author says, else the column of a heading row, else the row. */
function scope(to: Writing, node: Node, isHeading: boolean): string {
  const said = to.tree.attribute(node, 'scope') ?? ''
  return ` scope="${scopes.has(said) ? said : isHeading ? 'col' : 'row'}"`
}

function cellAttributes(to: Writing, node: Node): string {
  const spans = ['colspan', 'rowspan'].map((name) => {
    const value = to.tree.attribute(node, name) ?? ''
    return /^(?:[2-9]|[1-9][0-9])$/.test(value) ? ` ${name}="${value}"` : ''
  })
  return spans.join('') + styleClass(to, node)
}

/** The text and, when it leads elsewhere, the address in writing: nobody is led out of the record by a document. */
function link(to: Writing, node: Node): void {
  content(to, node)
  const address = to.tree.attribute(node, 'href') ?? ''
  if (address !== '' && !address.startsWith('#')) to.out.push(` (${escapeText(address)})`)
}

function footnote(to: Writing, node: Node): void {
  to.out.push('<small>[Nota: ')
  content(to, node)
  to.out.push(']</small>')
}

function media(to: Writing, node: Node): void {
  to.out.push('<small>[Immagine o allegato multimediale non mostrato')
  for (const caption of to.tree.children(node, hl7, 'caption')) {
    to.out.push(': ')
    content(to, caption)
  }
  to.out.push(']</small>')
}
