import { GatewayError } from '../../core/errors.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeText } from '../xml-write.ts'

/** Something only Sistema TS can read, in base64: a pincode or an identifier under its certificate (sistema-ts.md A.5). */
export interface Ciphertext {
  readonly ciphertext: string
}

/** What a field of a request may hold, as the schema bounds it. */
export interface Field {
  /** `secret` is enciphered, `either` may be. */
  readonly holds: 'text' | 'secret' | 'either'
  readonly optional?: true
  /** May stand several times. */
  readonly many?: true
  readonly least?: number
  readonly most?: number
}

/** The fields of a request in the order of its schema. */
export type Fields = Readonly<Record<string, Field>>

type Text = string | Ciphertext

type Content<F extends Field> = F['holds'] extends 'secret' ? Ciphertext : F['holds'] extends 'either' ? Text : string

type Value<F extends Field> = F extends { many: true } ? readonly Content<F>[] : Content<F>

/** What a request of these fields is made of; the names are those of the schema. */
export type Filled<T extends Fields> = {
  readonly [Name in keyof T as T[Name] extends { optional: true } ? never : Name]: Value<T[Name]>
} & {
  readonly [Name in keyof T as T[Name] extends { optional: true } ? Name : never]?: Value<T[Name]>
}

/**
 * The elements of a request, qualified by `prefix`, in the order of the schema. Throws `parameter-invalid` for what the
 * schema would refuse; the value is not repeated.
 */
export function encodeFields<T extends Fields>(fields: T, filled: Filled<T>, prefix: string): string {
  const values = filled as Readonly<Record<string, Text | readonly Text[] | undefined>>
  return Object.entries(fields)
    .flatMap(([name, field]) => {
      const value = values[name]
      if (value === undefined) return field.optional === undefined ? [unfit(name)] : []
      const contents = typeof value === 'string' || 'ciphertext' in value ? [value] : value
      return contents.map((content) => `<${prefix}:${name}>${spelt(name, field, content)}</${prefix}:${name}>`)
    })
    .join('')
}

function spelt(name: string, { holds, least = 0, most = 10_000 }: Field, content: Text): string {
  const text = typeof content === 'string' ? content : content.ciphertext
  const secret = typeof content !== 'string'
  if ((secret && holds === 'text') || (!secret && holds === 'secret')) unfit(name)
  if (text.length < least || text.length > most) unfit(name)
  try {
    return escapeText(text)
  } catch (error) {
    if (error instanceof RangeError) unfit(name)
    throw error
  }
}

function unfit(field: string): never {
  throw new GatewayError('parameter-invalid', 'A field of a request to Sistema TS cannot hold its value', {
    details: { field },
  })
}

/** What an element told, by the names of the schema; what is absent or empty is not there. */
export type Told<Name extends string> = { readonly [One in Name]?: string }

/** The children that bear one of the names, in whatever namespace; of several of one name the first. */
export function readTold<Name extends string>(tree: XmlTree, node: Node, names: ReadonlySet<Name>): Told<Name> {
  const told: Partial<Record<string, string>> = {}
  for (const child of tree.children(node)) {
    const local = tree.local(child)
    if (!(names as ReadonlySet<string>).has(local) || told[local] !== undefined) continue
    const text = tree.text(child).trim()
    if (text !== '') told[local] = text
  }
  return told as Told<Name>
}

/** The first child of that name in whatever namespace, NONE when there is none. */
export function childNamed(tree: XmlTree, node: Node, local: string): Node {
  if (node === NONE) return NONE
  return tree.children(node).find((child) => tree.local(child) === local) ?? NONE
}

/** The members of a list element: its children of that name. */
export function membersOf(tree: XmlTree, node: Node, list: string, member: string): readonly Node[] {
  const found = childNamed(tree, node, list)
  return found === NONE ? [] : tree.children(found).filter((child) => tree.local(child) === member)
}
