import { invalid } from './sistema-ts-soap.ts'
import { children, type Element } from './xml.ts'

/** What a field of a request may hold, as its schema bounds it. */
export interface TsField {
  readonly name: string
  readonly optional?: true
  readonly many?: true
  readonly least?: number
  readonly most?: number
}

/** A request of Sistema TS: its element, and the sequence in it. */
export interface TsSchema {
  readonly namespace: string
  readonly local: string
  readonly fields: readonly TsField[]
}

/** `name`, `name?`, `name*`, each with bounds: `nre:0-15`. */
export function sequence(text: string): readonly TsField[] {
  return text.split(' ').map((word) => {
    const [, name = '', mark, least, most] = /^(\w+)([?*]?)(?::(\d+)-(\d+))?$/.exec(word) ?? []
    return {
      name,
      ...((mark === '?' || mark === '*') && { optional: true as const }),
      ...(mark === '*' && { many: true as const }),
      ...(least !== undefined && { least: Number(least) }),
      ...(most !== undefined && { most: Number(most) }),
    }
  })
}

/** The fields of a message by its schema. Throws TsFault in the words of the validator, as the real service does (A.4). */
export function validated(payload: Element, { namespace, local, fields }: TsSchema): Readonly<Record<string, string>> {
  if (payload.localName !== local || payload.namespaceURI !== namespace) {
    throw invalid(`elt.1: Cannot find the declaration of element '${payload.nodeName}'.`)
  }
  const told: Record<string, string> = {}
  const elements = children(payload)
  let at = 0
  for (const field of fields) {
    const found: Element[] = []
    while (elements[at]?.localName === field.name && elements[at]?.namespaceURI === namespace) {
      found.push(elements[at++] as Element)
      if (!field.many) break
    }
    if (found.length === 0 && !field.optional) throw missing(elements[at], field.name)
    for (const element of found) told[field.name] = bounded(element, field)
  }
  const extra = elements[at]
  if (extra !== undefined)
    throw invalid(`complex-type.2.4.d: Invalid content was found starting with '${extra.localName}'.`)
  return told
}

function missing(found: Element | undefined, name: string) {
  const what =
    found === undefined
      ? `b: The content of the message is not complete`
      : `a: Invalid content was found starting with element '${found.localName}'`
  return invalid(`complex-type.2.4.${what}. One of '{${name}}' is expected.`)
}

function bounded(element: Element, { name, least = 0, most = 4_000 }: TsField): string {
  const text = element.textContent ?? ''
  if (text.length < least)
    throw invalid(`minLength-valid: Value with length = '${text.length}' of '${name}' is too short.`)
  if (text.length > most)
    throw invalid(`maxLength-valid: Value with length = '${text.length}' of '${name}' is too long.`)
  return text
}
