import {
  associationTypes,
  classificationName,
  entryIdentifiers,
  folderIdentifiers,
  type IdentifierName,
  objectTypes,
  submissionSetIdentifiers,
} from '../../../../src/wire/ebrim/names.ts'
import type { Node, XmlTree } from '../../../../src/wire/xml.ts'

/** An element with what ebRIM leaves open settled: defaults filled in, order where it says nothing taken away. */
interface Element {
  readonly name: string
  readonly attributes: Record<string, string>
  children: Element[]
  readonly text: string
}

const xsi = 'http://www.w3.org/2001/XMLSchema-instance'
const ordered: ReadonlySet<string> = new Set(['ValueList', 'Name', 'Description'])
const nameless: ReadonlySet<string> = new Set(['Name', 'Description'])
const identifierNames = new Map<string, string>(
  [entryIdentifiers, submissionSetIdentifiers, folderIdentifiers]
    .flatMap((table) => Object.values(table) as IdentifierName[])
    .map(({ scheme, name }) => [scheme, name]),
)

const defaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  LocalizedString: { '{http://www.w3.org/XML/1998/namespace}lang': 'en-US', charset: 'UTF-8' },
  ExtrinsicObject: { isOpaque: 'false', objectType: objectTypes.stable },
  RegistryPackage: { objectType: objectTypes.registryPackage },
  Association: { objectType: objectTypes.association },
  ExternalIdentifier: { objectType: objectTypes.externalIdentifier },
  Classification: { objectType: classificationName.objectType, nodeRepresentation: '' },
  ObjectRef: { createReplica: 'false' },
  RegistryError: { severity: 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error' },
}

/** The object list below `node`, so that two lists that say the same are the same text. */
export function canonicalList(tree: XmlTree, node: Node): string[] {
  const list = element(tree, node)
  const beside = list.children.filter((child) => child.name === 'Classification')
  const objects = list.children.filter((child) => child.name !== 'Classification')
  for (const classification of beside) {
    const owner = objects.find((object) => object.attributes.id === classification.attributes.classifiedObject)
    owner?.children.push(classification)
  }
  return [...new Set(objects.map((object) => settled(object, undefined)))].sort()
}

/** Finds elements by local name, in document order. */
export function findAll(tree: XmlTree, local: string, from: Node = tree.root): Node[] {
  const found = tree.local(from) === local ? [from] : []
  return [...found, ...tree.children(from).flatMap((child) => findAll(tree, local, child))]
}

function element(tree: XmlTree, node: Node): Element {
  const attributes: Record<string, string> = {}
  for (const { namespace, local, value } of tree.attributes(node))
    if (namespace !== xsi) attributes[namespace === '' ? local : `{${namespace}}${local}`] = value
  const children = tree.children(node).map((child) => element(tree, child))
  return { name: tree.local(node), attributes, children, text: children.length === 0 ? tree.text(node).trim() : '' }
}

function settled(given: Element, owner: string | undefined, indent = '\n'): string {
  const { name } = given
  const attributes: Record<string, string> = { ...defaults[name], ...given.attributes }
  if (name === 'Association')
    attributes.associationType = associationTypes.spell(associationTypes.word(attributes.associationType ?? ''))
  const id = attributes.id
  // The writer's own ids, where none was told.
  if (owner !== undefined && (id === undefined || id === '' || id.startsWith(`${owner}.`))) delete attributes.id
  let children = mergedSlots(given.children).filter(
    (child) => !(nameless.has(child.name) && child.children.length === 0),
  )
  const named = identifierNames.get(attributes.identificationScheme ?? '')
  if (named !== undefined && !children.some((child) => child.name === 'Name'))
    children = [
      ...children,
      {
        name: 'Name',
        attributes: {},
        text: '',
        children: [{ name: 'LocalizedString', attributes: { value: named }, text: '', children: [] }],
      },
    ]
  const inside = children.map((child) => settled(child, id ?? owner, `${indent}  `))
  if (!ordered.has(name)) inside.sort()
  const told = Object.entries(attributes).map(([key, value]) => `${key}=${value}`)
  return `${indent}${name} ${told.sort().join(' ')} ${given.text}${inside.join('')}`
}

/** A list told in several slots of one name is one list. */
function mergedSlots(children: readonly Element[]): Element[] {
  const slots = new Map<string, Element>()
  const others: Element[] = []
  for (const child of children) {
    const key = JSON.stringify(child.attributes)
    const before = child.name === 'Slot' ? slots.get(key) : undefined
    const values = child.children.flatMap((list) => list.children)
    if (before !== undefined) before.children[0]?.children.push(...values)
    else if (child.name === 'Slot')
      slots.set(key, { ...child, children: [{ name: 'ValueList', attributes: {}, text: '', children: values }] })
    else others.push(child)
  }
  return [...others, ...slots.values()]
}
