import type { Code, Extra, LocalizedText, Slot } from '../../core/model/code.ts'
import type { Author } from '../../core/model/metadata.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { classificationName, identifierName, isDerivedId, type MemberName, slots as slotNames } from './names.ts'
import { authorSlots } from './object-tables.ts'
import {
  isPlain,
  keepForeign,
  keepSlotType,
  OddObject,
  plainAttributes,
  readSlot,
  readTexts,
  trimmed,
} from './parts-read.ts'
import { Rest } from './rest.ts'

/**
 * A Classification or an ExternalIdentifier under way: what is in its attributes, its slots and names, of which its
 * reader makes what it can, and in `rest` what nobody makes anything of.
 */
export class Member {
  id = ''
  scheme: string | undefined = undefined
  node: string | undefined = undefined
  value: string | undefined = undefined
  readonly slots: Slot[] = []
  names: readonly LocalizedText[] | undefined = undefined
  readonly rest = new Rest()

  /** Keeps the slots and names too, and gives everything that is kept. */
  keepAll(): Extra | undefined {
    for (const slot of this.slots) this.rest.slot(slot)
    if (this.names !== undefined) this.rest.names(this.names)
    return this.rest.collected
  }
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
export function finishMember(tree: XmlTree, node: Node, member: Member, owner: string, key: string): void {
  const { id, rest } = member
  if (id !== '' && !isDerivedId(id, owner, key)) rest.attribute('id', id)
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    switch (tree.local(child)) {
      case 'Slot':
        member.slots.push(readSlot(tree, child))
        break
      case 'Name':
        member.names = readTexts(tree, child)
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

export function readCode(tree: XmlTree, node: Node, member: Member, owner: string, key: string): Code {
  const { rest } = member
  finishMember(tree, node, member, owner, key)
  const code: { -readonly [Key in keyof Code]: Code[Key] } = { code: member.value ?? '', scheme: '' }
  let told = false
  for (const slot of member.slots) {
    if (slot.name !== slotNames.codingScheme || slot.values.length === 0) rest.slot(slot)
    else if (told || slot.values.length > 1) throw new OddObject('a code of it has more than one coding scheme')
    else {
      told = true
      code.scheme = slot.values[0]?.trim() ?? ''
      keepSlotType(rest, slot)
    }
  }
  const [name] = member.names ?? []
  if (member.names !== undefined && name !== undefined) {
    code.display = name.value
    if (!isPlain(member.names)) rest.names(member.names)
  }
  if (rest.collected !== undefined) code.extra = rest.collected
  return code
}

export function readAuthor(tree: XmlTree, node: Node, member: Member, owner: string, key: string): Author {
  const { rest, value } = member
  if (value !== undefined && value !== '') rest.attribute('nodeRepresentation', value)
  finishMember(tree, node, member, owner, key)
  const author: { -readonly [Key in keyof Author]: Author[Key] } = {
    persons: [],
    institutions: [],
    roles: [],
    specialties: [],
    telecommunications: [],
  }
  for (const slot of member.slots) {
    const field = authorSlots.get(slot.name)
    if (field === undefined || slot.values.length === 0) rest.slot(slot)
    else {
      const told = trimmed(slot.values)
      author[field] = author[field].length === 0 ? told : [...author[field], ...told]
      keepSlotType(rest, slot)
    }
  }
  if (member.names !== undefined) rest.names(member.names)
  if (rest.collected !== undefined) author.extra = rest.collected
  return author
}

export function keepClassification(tree: XmlTree, node: Node, member: Member, owner: string, rest: Rest): void {
  finishMember(tree, node, member, owner, `classification-${rest.collected?.classifications?.length ?? 0}`)
  rest.classification({
    ...(member.scheme === undefined ? {} : { scheme: member.scheme }),
    ...(member.node === undefined ? {} : { node: member.node }),
    ...(member.value === undefined ? {} : { value: member.value }),
    extra: member.keepAll() ?? {},
  })
}

export function keepIdentifier(tree: XmlTree, node: Node, member: Member, owner: string, rest: Rest): void {
  finishMember(tree, node, member, owner, `identifier-${rest.collected?.identifiers?.length ?? 0}`)
  rest.identifier({ scheme: member.scheme ?? '', value: member.value ?? '', extra: member.keepAll() ?? {} })
}
