import type { Code, LocalizedText, Slot } from '../../core/model/code.ts'
import type { Author } from '../../core/model/metadata.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { classificationName, identifierName, isDerivedId, type MemberName, slots as slotNames } from './names.ts'
import { authorSlots } from './object-tables.ts'
import {
  isPlain,
  keepForeign,
  keepSlotType,
  keepTexts,
  OddObject,
  plainAttributes,
  readSlot,
  readTexts,
  trimmed,
} from './parts-read.ts'
import { Rest } from './rest.ts'

/** A Classification or an ExternalIdentifier under way: what is in its attributes, and what else it carries. */
export interface Member {
  id: string | undefined
  scheme: string | undefined
  node: string | undefined
  value: string | undefined
  readonly rest: Rest
}

/** What a member makes of its slots and names itself; true means there is nothing left to keep. */
interface Takers {
  readonly slot?: (slot: Slot) => boolean
  readonly names?: (names: readonly LocalizedText[]) => boolean
}

export function readMember(tree: XmlTree, node: Node, owner: string, name: MemberName): Member {
  const member: Member = { id: undefined, scheme: undefined, node: undefined, value: undefined, rest: new Rest() }
  for (const { namespace, local, value } of tree.attributes(node)) {
    if (namespace !== '') keepForeign(member.rest, namespace, local, value)
    else if (local === 'id') member.id = value
    else if (local === name.scheme) member.scheme = value
    else if (local === name.value) member.value = value
    else if (local === 'classificationNode') member.node = value
    else if (!(local === 'objectType' && value === name.objectType) && !(local === name.owner && value === owner))
      member.rest.attribute(local, value)
  }
  return member
}

/** Keeps the children of a member that its takers leave, and its id unless it is the one the writer would make. */
export function finishMember(
  tree: XmlTree,
  node: Node,
  member: Member,
  owner: string,
  key: string,
  take: Takers = {},
): void {
  const { rest } = member
  const id = member.id ?? ''
  if (id !== '' && !isDerivedId(id, owner, key)) rest.attribute('id', id)
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    switch (tree.local(child)) {
      case 'Slot': {
        const slot = readSlot(tree, child)
        if (take.slot?.(slot) !== true) rest.slot(slot)
        break
      }
      case 'Name': {
        const texts = readTexts(tree, child)
        if (texts.length > 0 && take.names?.(texts) !== true) rest.names(texts)
        break
      }
      case 'Description':
        keepTexts(tree, child, rest, 'descriptions')
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
  let scheme: string | undefined
  let display: string | undefined
  finishMember(tree, node, member, owner, key, {
    slot({ name, values, slotType }) {
      if (name !== slotNames.codingScheme || values.length === 0) return false
      if (values.length > 1 || scheme !== undefined) throw new OddObject('a code of it has more than one coding scheme')
      scheme = values[0]?.trim()
      keepSlotType(member.rest, name, slotType)
      return true
    },
    names(texts) {
      display = texts[0]?.value
      return isPlain(texts)
    },
  })
  const extra = member.rest.collected
  return {
    code: member.value ?? '',
    scheme: scheme ?? '',
    ...(display === undefined ? {} : { display }),
    ...(extra === undefined ? {} : { extra }),
  }
}

export function readAuthor(tree: XmlTree, node: Node, member: Member, owner: string, key: string): Author {
  const author = {
    persons: [] as readonly string[],
    institutions: [] as readonly string[],
    roles: [] as readonly string[],
    specialties: [] as readonly string[],
    telecommunications: [] as readonly string[],
  }
  if (member.value !== undefined && member.value !== '') member.rest.attribute('nodeRepresentation', member.value)
  finishMember(tree, node, member, owner, key, {
    slot({ name, values, slotType }) {
      const field = authorSlots.get(name)
      if (field === undefined || values.length === 0) return false
      const told = trimmed(values)
      author[field] = author[field].length === 0 ? told : [...author[field], ...told]
      keepSlotType(member.rest, name, slotType)
      return true
    },
  })
  const extra = member.rest.collected
  return extra === undefined ? author : { ...author, extra }
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
