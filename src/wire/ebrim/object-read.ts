import { homeCommunityId } from '../../core/model/identifiers.ts'
import { isTimestamp } from '../../core/model/timestamp.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { sha1Of } from '../sha1-text.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import {
  finishMember,
  keepClassification,
  keepIdentifier,
  type Member,
  NameTaker,
  readAuthor,
  readCode,
  readMember,
} from './member-read.ts'
import { associationTypes, availability, classificationName, entryKinds, identifierName } from './names.ts'
import type { ClassificationForm, FieldOf, ObjectTable, SlotForm } from './object-tables.ts'
import {
  keepForeign,
  keepSlotType,
  OddObject,
  onlyValue,
  plainAttributes,
  readSlot,
  readTexts,
  trimmed,
} from './parts-read.ts'
import { Rest } from './rest.ts'

type Draft = Record<string, unknown>
type List = unknown[]

/**
 * Reads one registry object after its table. What the table has no field for, and values that are not what their field
 * takes, are kept in `extra`. Foreign child elements and attributes of XML Schema's instance namespace are passed over.
 * Throws OddObject.
 */
export function readObject<T>(tree: XmlTree, node: Node, table: ObjectTable<T>): T {
  const draft: Draft = {}
  const rest = new Rest()
  readOwnAttributes(tree, node, table, draft, rest)
  const id = draft.entryUuid
  if (typeof id !== 'string' || id === '') throw new OddObject('it has no id')
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    switch (tree.local(child)) {
      case 'Slot':
        readSlotField(tree, child, table, draft, rest)
        break
      case 'Name':
        if (table.titled) draft.title = readTexts(tree, child)
        else rest.names(readTexts(tree, child))
        break
      case 'Description':
        if (table.titled) draft.comments = readTexts(tree, child)
        else rest.descriptions(readTexts(tree, child))
        break
      case 'VersionInfo': {
        const { versionName, ...others } = plainAttributes(tree, child)
        if (versionName !== undefined) draft.version = versionName
        if (versionName === undefined || Object.keys(others).length > 0) rest.version(others)
        break
      }
      case 'ContentVersionInfo':
        rest.contentVersion(plainAttributes(tree, child))
        break
      case 'Classification':
        readClassification(tree, child, table, id, draft, rest)
        break
      case 'ExternalIdentifier':
        readIdentifier(tree, child, table, id, draft, rest)
        break
    }
  }
  for (const field of table.lists) draft[field] ??= []
  for (const field of table.required) if (draft[field] === undefined) throw new OddObject(`it has no ${field}`)
  if (rest.collected !== undefined) draft.extra = rest.collected
  // Filled field by field, the draft has become a dictionary; a copy is a plain object again, smaller and faster to read.
  return { ...draft } as T
}

function readOwnAttributes<T>(tree: XmlTree, node: Node, table: ObjectTable<T>, draft: Draft, rest: Rest): void {
  if (table.objectType === undefined) draft.kind = 'stable'
  for (const { namespace, local, value } of tree.attributes(node)) {
    const field = namespace === '' ? table.attributes.get(local) : undefined
    if (field !== undefined) draft[field] = field === 'type' ? associationTypes.word(value) : value
    else if (namespace !== '') keepForeign(rest, namespace, local, value)
    else if (local === 'id') draft.entryUuid = value
    else if (local === 'lid') draft.logicalId = value
    else if (local === 'status') draft.status = availability.word(value)
    else if (local === 'home') readHome(value, draft, rest)
    else if (local === 'objectType' && table.objectType === undefined && entryKinds.knows(value))
      draft.kind = entryKinds.word(value)
    else if (!isDefault(local, value, table.objectType)) rest.attribute(local, value)
  }
}

function isDefault(local: string, value: string, objectType: string | undefined): boolean {
  return (local === 'objectType' && value === objectType) || (local === 'isOpaque' && value === 'false')
}

function readHome(value: string, draft: Draft, rest: Rest): void {
  try {
    draft.home = homeCommunityId(value)
  } catch {
    rest.attribute('home', value)
  }
}

function readSlotField<T>(tree: XmlTree, node: Node, table: ObjectTable<T>, draft: Draft, rest: Rest): void {
  const name = tree.attribute(node, 'name') ?? ''
  const known = table.slots.get(name)
  if (known === undefined) rest.slot(readSlot(tree, node))
  else if (known.form === 'texts') readListSlot(tree, node, known.field, draft, rest)
  else {
    if (draft[known.field] !== undefined || rest.hasSlot(name))
      throw new OddObject(`its ${name} has more than one value`)
    const told = onlyValue(tree, node)
    const value = told === undefined ? undefined : understand(told, known)
    if (value === undefined) readOddSlot(tree, node, known, draft, rest)
    else draft[known.field] = value
    // A hash may be told in capitals or in base64; it is compared as digits and told on as it was told.
    if (known.form === 'hash' && value !== undefined && value !== told) rest.slot(readSlot(tree, node))
  }
}

function readListSlot(tree: XmlTree, node: Node, field: string, draft: Draft, rest: Rest): void {
  const slot = readSlot(tree, node)
  if (slot.values.length === 0) {
    rest.slot(slot)
    return
  }
  const before = draft[field] as List | undefined
  draft[field] = before === undefined ? trimmed(slot.values) : [...before, ...trimmed(slot.values)]
  keepSlotType(rest, slot)
}

/** A slot of a single value that names a type, has no value, or one that its field does not take. */
function readOddSlot<T>(tree: XmlTree, node: Node, known: FieldOf<T, SlotForm>, draft: Draft, rest: Rest): void {
  const slot = readSlot(tree, node)
  if (slot.values.length > 1) throw new OddObject(`its ${slot.name} has more than one value`)
  const value = slot.slotType === undefined ? undefined : understand(slot.values[0]?.trim() ?? '', known)
  if (value === undefined) rest.slot(slot)
  else {
    draft[known.field] = value
    if (known.form === 'hash' && value !== slot.values[0]?.trim()) rest.slot(slot)
    else keepSlotType(rest, slot)
  }
}

function understand<T>(value: string, { form }: FieldOf<T, SlotForm>): string | number | undefined {
  switch (form) {
    case 'text':
      return value === '' ? undefined : value
    case 'time':
      return isTimestamp(value) ? value : undefined
    case 'hash':
      return sha1Of(value)
    case 'size': {
      const size = Number(value)
      return Number.isSafeInteger(size) && String(size) === value && size >= 0 ? size : undefined
    }
    default:
      return value
  }
}

function readClassification<T>(
  tree: XmlTree,
  node: Node,
  table: ObjectTable<T>,
  owner: string,
  draft: Draft,
  rest: Rest,
): void {
  const member = readMember(tree, node, owner, classificationName)
  const known = member.scheme === undefined ? undefined : table.classifications.get(member.scheme)
  if (known !== undefined) readKnownClassification(tree, node, known, owner, member, draft)
  else if (member.scheme === undefined && member.node === table.node && table.node !== undefined) {
    finishMember(tree, node, member, owner, 'node')
    rest.of('node', member.rest.collected)
  } else keepClassification(tree, node, member, owner, rest)
}

function readKnownClassification<T>(
  tree: XmlTree,
  node: Node,
  { field, form }: FieldOf<T, ClassificationForm>,
  owner: string,
  member: Member,
  draft: Draft,
): void {
  if (member.node !== undefined) member.rest.attribute('classificationNode', member.node)
  if (form === 'code') {
    if (draft[field] !== undefined) throw new OddObject(`it has more than one ${field}`)
    draft[field] = readCode(tree, node, member, owner, field)
    return
  }
  draft[field] ??= []
  const list = draft[field] as List
  const key = `${field}-${list.length}`
  list.push(form === 'codes' ? readCode(tree, node, member, owner, key) : readAuthor(tree, node, member, owner, key))
}

function readIdentifier<T>(
  tree: XmlTree,
  node: Node,
  table: ObjectTable<T>,
  owner: string,
  draft: Draft,
  rest: Rest,
): void {
  const member = readMember(tree, node, owner, identifierName)
  const known = member.scheme === undefined ? undefined : table.identifiers.get(member.scheme)
  if (known === undefined) {
    keepIdentifier(tree, node, member, owner, rest)
    return
  }
  const { field, form, name } = known
  if (draft[field] !== undefined) throw new OddObject(`it has more than one ${field}`)
  if (member.value === undefined || member.value === '') throw new OddObject(`its ${field} is empty`)
  if (form === 'patient') {
    const id = parseCx(member.value)
    if (id === undefined) throw new OddObject(`its ${field} is not of the form ID^^^&OID&ISO`)
    draft[field] = id
    if (formatCx(id) !== member.value) member.rest.attribute('value', member.value)
  } else draft[field] = member.value
  finishMember(tree, node, member, owner, field, new NameTaker(name))
  rest.of(field, member.rest.collected)
}
