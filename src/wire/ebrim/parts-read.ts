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

/** Reads the LocalizedStrings of a rim:Name or rim:Description. */
export function readTexts(tree: XmlTree, node: Node): LocalizedText[] {
  const texts: LocalizedText[] = []
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    const text: { -readonly [Key in keyof LocalizedText]: LocalizedText[Key] } = { value: '' }
    for (const { namespace, local, value } of tree.attributes(child)) {
      if (local === 'value') text.value = value
      else if (local === 'charset') text.charset = value
      else if (local === 'lang' && namespace === xml) text.language = value
    }
    texts.push(text)
  }
  return texts
}

/** Whether the texts are one text that carries nothing beyond its value but the schema's defaults (ebRIM 3.0: 2.7). */
export function isPlain(texts: readonly LocalizedText[]): boolean {
  const [text] = texts
  return (
    texts.length === 1 &&
    text !== undefined &&
    (text.language === undefined || text.language === 'en-US') &&
    (text.charset === undefined || text.charset === 'UTF-8')
  )
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
