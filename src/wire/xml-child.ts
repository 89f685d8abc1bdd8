import { NONE, type Node, type XmlTree } from './xml.ts'

/** The child when there is exactly one; NONE for none or several. */
export function onlyChild(tree: XmlTree, node: Node, namespace: string, local: string): Node {
  let found = NONE
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    if (!tree.is(child, namespace, local)) continue
    if (found !== NONE) return NONE
    found = child
  }
  return found
}
