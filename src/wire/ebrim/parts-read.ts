import type { LocalizedText, Slot } from '../../core/model/code.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import type { Rest } from './rest.ts'

const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance'
const xml = 'http://www.w3.org/XML/1998/namespace'

/**
 * An object that contradicts itself or lacks what makes it one. Whatever it came with stands without it; the message
 * quotes no value of it.
 */
export class OddObject extends Error {
  override readonly name = 'OddObject'
}

/** Reads a rim:Slot. A slot without a ValueList has no values. */
export function readSlot(tree: XmlTree, node: Node): Slot {
  const name = tree.attribute(node, 'name') ?? ''
  const slotType = tree.attribute(node, 'slotType')
  const values: string[] = []
  for (let list = tree.first(node); list !== NONE; list = tree.next(list)) {
    if (tree.local(list) !== 'ValueList') continue
    for (let value = tree.first(list); value !== NONE; value = tree.next(value)) values.push(tree.text(value))
  }
  return slotType === undefined ? { name, values } : { name, values, slotType }
}

/** The slots that are children of `node`, in order. */
export function readSlots(tree: XmlTree, node: Node): Slot[] {
  const slots: Slot[] = []
  for (let child = tree.first(node); child !== NONE; child = tree.next(child))
    if (tree.local(child) === 'Slot') slots.push(readSlot(tree, child))
  return slots
}

/**
 * The value of a slot that has one and names no type, without the white space that pretty printing puts around it;
 * undefined for any other slot.
 */
export function onlyValue(tree: XmlTree, slot: Node): string | undefined {
  const list = tree.first(slot)
  if (list === NONE || tree.next(list) !== NONE || tree.local(list) !== 'ValueList') return undefined
  const value = tree.first(list)
  if (value === NONE || tree.next(value) !== NONE || tree.attribute(slot, 'slotType') !== undefined) return undefined
  return tree.text(value).trim()
}

/** Reads the LocalizedStrings of a rim:Name or rim:Description. */
export function readTexts(tree: XmlTree, node: Node): LocalizedText[] {
  const texts: LocalizedText[] = []
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    const text: { -readonly [Key in keyof LocalizedText]: LocalizedText[Key] } = {
      value: tree.attribute(child, 'value') ?? '',
    }
    const language = tree.attribute(child, 'lang', xml)
    if (language !== undefined) text.language = language
    const charset = tree.attribute(child, 'charset')
    if (charset !== undefined) text.charset = charset
    texts.push(text)
  }
  return texts
}

/**
 * The text of a rim:Name that has one, with nothing beside it but the schema's defaults (ebRIM 3.0: 2.7); undefined for
 * any other.
 */
export function onlyText(tree: XmlTree, name: Node): string | undefined {
  const child = tree.first(name)
  if (child === NONE || tree.next(child) !== NONE) return undefined
  const language = tree.attribute(child, 'lang', xml)
  if (language !== undefined && language !== 'en-US') return undefined
  const charset = tree.attribute(child, 'charset')
  if (charset !== undefined && charset !== 'UTF-8') return undefined
  return tree.attribute(child, 'value') ?? ''
}

/** Keeps the type of a slot whose values have a field of their own. */
export function keepSlotType(rest: Rest, { name, slotType }: Slot): void {
  if (slotType !== undefined) rest.of(name, { attributes: { slotType } })
}

/** Keeps an attribute of another namespace, written `{namespace}local`. */
export function keepForeign(rest: Rest, namespace: string, local: string, value: string): void {
  if (namespace !== schemaInstance) rest.attribute(`{${namespace}}${local}`, value)
}

/** The attributes of no namespace, by name. */
export function plainAttributes(tree: XmlTree, node: Node): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const { namespace, local, value } of tree.attributes(node)) if (namespace === '') attributes[local] = value
  return attributes
}

/** Values without the white space that pretty printing puts around them. */
export function trimmed(values: readonly string[]): string[] {
  return values.map((value) => value.trim())
}
