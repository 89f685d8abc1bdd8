import { NONE, type Node, type XmlTree } from './xml.ts'

/** The child when there is exactly one; NONE for none or several. */
export function onlyChild(tree: XmlTree, node: Node, namespace: string, local: string): Node {
  const found = tree.children(node, namespace, local)
  return found.length === 1 ? (found[0] ?? NONE) : NONE
}
