import { NONE, type Node, type XmlTree } from '../xml.ts'

/**
 * A SOAP fault a community answered with. Codes are local names (`Sender`, `Receiver`; `Client`, `Server` of SOAP 1.1).
 * `reason` and `description` are the community's own words: for the log, not for callers.
 */
export interface PeerFault {
  readonly code: string
  readonly subcode?: string
  readonly reason: string
  readonly detail: {
    readonly errorCode?: string
    readonly description?: string
    readonly timestamp?: string
  }
}

/**
 * Reads a Fault element of SOAP 1.2 or 1.1. Everything is found by local name: INI binds the prefixes of its WS-BaseFaults
 * details to wrong URIs (ini.md §1.6).
 */
export function readFault(tree: XmlTree, fault: Node): PeerFault {
  const code = find(tree, fault, 'Code')
  const subcode = localName(textOf(tree, find(tree, find(tree, code, 'Subcode'), 'Value')))
  const detail = first(find(tree, fault, 'Detail'), find(tree, fault, 'detail'))
  const errorCode = textOf(tree, findDeep(tree, detail, 'ErrorCode'))
  const description = textOf(tree, findDeep(tree, detail, 'Description'))
  const timestamp = textOf(tree, findDeep(tree, detail, 'Timestamp'))
  return {
    code: localName(textOf(tree, first(find(tree, code, 'Value'), find(tree, fault, 'faultcode')))),
    ...(subcode === '' ? {} : { subcode }),
    reason: textOf(tree, first(find(tree, find(tree, fault, 'Reason'), 'Text'), find(tree, fault, 'faultstring'))),
    detail: {
      ...(errorCode === '' ? {} : { errorCode }),
      ...(description === '' ? {} : { description }),
      ...(timestamp === '' ? {} : { timestamp }),
    },
  }
}

function find(tree: XmlTree, parent: Node, local: string): Node {
  if (parent === NONE) return NONE
  for (let child = tree.first(parent); child !== NONE; child = tree.next(child))
    if (tree.local(child) === local) return child
  return NONE
}

/** The first descendant of that name, in document order. The tree's depth is bounded, so is the recursion. */
function findDeep(tree: XmlTree, parent: Node, local: string): Node {
  if (parent === NONE) return NONE
  for (let child = tree.first(parent); child !== NONE; child = tree.next(child)) {
    if (tree.local(child) === local) return child
    const below = findDeep(tree, child, local)
    if (below !== NONE) return below
  }
  return NONE
}

function first(one: Node, other: Node): Node {
  return one === NONE ? other : one
}

function textOf(tree: XmlTree, node: Node): string {
  return node === NONE ? '' : tree.text(node).trim()
}

function localName(qname: string): string {
  return qname.slice(qname.indexOf(':') + 1)
}
