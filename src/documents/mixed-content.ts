import type { Node, XmlTree } from '../wire/xml.ts'
import { CLOSING, ELEMENT, OPENED } from '../wire/xml-records.ts'
import { decodeContent } from '../wire/xml-tree.ts'

/** What stands in an element, in order: its own character data as strings, and its child elements. */
export function* contentOf(tree: XmlTree, node: Node): Generator<string | Node> {
  const { elements } = tree.records
  let start = elements[node * ELEMENT + OPENED] as number
  for (let child = tree.first(node); child >= 0; child = tree.next(child)) {
    yield charactersBetween(tree, start, tree.start(child))
    yield child
    start = tree.end(child)
  }
  yield charactersBetween(tree, start, elements[node * ELEMENT + CLOSING] as number)
}

function charactersBetween(tree: XmlTree, from: number, to: number): string {
  if (from >= to) return ''
  const into = tree.records.scratch(to - from)
  return into.utf8Slice(0, decodeContent(tree.records, from, to, into, 0))
}
