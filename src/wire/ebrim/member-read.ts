import type { Code } from '../../core/model/code.ts'
import type { Author } from '../../core/model/metadata.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { classificationName, identifierName, isDerivedId, type MemberName, slots as slotNames } from './names.ts'
import { authorSlots } from './object-tables.ts'
import {
  keepForeign,
  keepSlotType,
  OddObject,
  onlyText,
  onlyValue,
  plainAttributes,
  readSlot,
  readTexts,
  trimmed,
} from './parts-read.ts'
import { Rest } from './rest.ts'

/** A Classification or an ExternalIdentifier under way: what is in its attributes, and in `rest` what is kept as it is. */
export class Member {
  id = ''
  scheme: string | undefined = undefined
  node: string | undefined = undefined
  value: string | undefined = undefined
  readonly rest = new Rest()
}

/** Makes something of a member's slots and name. Each answers whether it did; what it leaves is kept as it is. */
interface Taker {
  takeSlot(tree: XmlTree, slot: Node, rest: Rest): boolean
  takeName(tree: XmlTree, name: Node, rest: Rest): boolean
}

/** Reads a member's attributes; its children are for `finishMember`, once it is known what it is. */
export function readMember(tree: XmlTree, node: Node, owner: string, name: MemberName): Member {
  const member = new Member()
  for (const { namespace, local, value } of tree.attributes(node)) {
    if (namespace !== '') keepForeign(member.rest, namespace, local, value)
    else if (local === 'id') member.id = value
    else if (local === name.scheme) member.scheme = value
    else if (local === name.value) member.value = value
    else if (local === 'classificationNode') member.node = value
    else if (local === name.owner) {
      if (value !== owner) member.rest.attribute(local, value)
    } else if (local !== 'objectType' || value !== name.objectType) member.rest.attribute(local, value)
  }
  return member
}

/** Reads a member's children. Its id is kept unless it is the one the writer would make. */
export function finishMember(
  tree: XmlTree,
  node: Node,
  member: Member,
  owner: string,
  key: string,
  taker?: Taker,
): void {
  const { id, rest } = member
  if (id !== '' && !isDerivedId(id, owner, key)) rest.attribute('id', id)
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    switch (tree.local(child)) {
      case 'Slot':
        if (taker?.takeSlot(tree, child, rest) !== true) rest.slot(readSlot(tree, child))
        break
      case 'Name':
        if (taker?.takeName(tree, child, rest) !== true) rest.names(readTexts(tree, child))
        break
      case 'Description':
        rest.descriptions(readTexts(tree, child))
        break
      case 'VersionInfo':
        rest.version(plainAttributes(tree, child))
        break
      case 'Classification':
        keepClassification(tree, child, readMember(tree, child, id, classificationName), id, rest)
        break
      case 'ExternalIdentifier':
        keepIdentifier(tree, child, readMember(tree, child, id, identifierName), id, rest)
        break
    }
  }
}

class CodeTaker implements Taker {
  scheme: string | undefined = undefined
  display: string | undefined = undefined

  takeSlot(tree: XmlTree, node: Node, rest: Rest): boolean {
    if (tree.attribute(node, 'name') !== slotNames.codingScheme) return false
    let scheme = onlyValue(tree, node)
    if (scheme === undefined) {
      const slot = readSlot(tree, node)
      if (slot.values.length === 0) return false
      if (slot.values.length > 1) throw new OddObject('a code of it has more than one coding scheme')
      scheme = slot.values[0]?.trim()
      keepSlotType(rest, slot)
    }
    if (this.scheme !== undefined) throw new OddObject('a code of it has more than one coding scheme')
    this.scheme = scheme
    return true
  }

  takeName(tree: XmlTree, node: Node): boolean {
    this.display = onlyText(tree, node)
    if (this.display !== undefined) return true
    this.display = readTexts(tree, node)[0]?.value
    return false
  }
}

export function readCode(tree: XmlTree, node: Node, member: Member, owner: string, key: string): Code {
  const taker = new CodeTaker()
  finishMember(tree, node, member, owner, key, taker)
  const code: { -readonly [Key in keyof Code]: Code[Key] } = { code: member.value ?? '', scheme: taker.scheme ?? '' }
  if (taker.display !== undefined) code.display = taker.display
  if (member.rest.collected !== undefined) code.extra = member.rest.collected
  return code
}

class AuthorTaker implements Taker {
  readonly author: { -readonly [Key in keyof Author]: Author[Key] } = {
    persons: [],
    institutions: [],
    roles: [],
    specialties: [],
    telecommunications: [],
  }

  takeSlot(tree: XmlTree, node: Node, rest: Rest): boolean {
    const field = authorSlots.get(tree.attribute(node, 'name') ?? '')
    if (field === undefined) return false
    const slot = readSlot(tree, node)
    if (slot.values.length === 0) return false
    const before = this.author[field]
    this.author[field] = before.length === 0 ? trimmed(slot.values) : [...before, ...trimmed(slot.values)]
    keepSlotType(rest, slot)
    return true
  }

  takeName(): boolean {
    return false
  }
}

export function readAuthor(tree: XmlTree, node: Node, member: Member, owner: string, key: string): Author {
  const { rest, value } = member
  if (value !== undefined && value !== '') rest.attribute('nodeRepresentation', value)
  const taker = new AuthorTaker()
  finishMember(tree, node, member, owner, key, taker)
  if (rest.collected !== undefined) taker.author.extra = rest.collected
  return taker.author
}

/** An identifier's name says what its scheme says, and is not kept when it says just that. */
export class NameTaker implements Taker {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  takeSlot(): boolean {
    return false
  }

  takeName(tree: XmlTree, node: Node): boolean {
    return onlyText(tree, node) === this.#name
  }
}

export function keepClassification(tree: XmlTree, node: Node, member: Member, owner: string, rest: Rest): void {
  finishMember(tree, node, member, owner, `classification-${rest.collected?.classifications?.length ?? 0}`)
  rest.classification({
    ...(member.scheme === undefined ? {} : { scheme: member.scheme }),
    ...(member.node === undefined ? {} : { node: member.node }),
    ...(member.value === undefined ? {} : { value: member.value }),
    extra: member.rest.collected ?? {},
  })
}

export function keepIdentifier(tree: XmlTree, node: Node, member: Member, owner: string, rest: Rest): void {
  finishMember(tree, node, member, owner, `identifier-${rest.collected?.identifiers?.length ?? 0}`)
  rest.identifier({ scheme: member.scheme ?? '', value: member.value ?? '', extra: member.rest.collected ?? {} })
}
