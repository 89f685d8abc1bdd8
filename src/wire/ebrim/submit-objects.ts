import { GatewayError, type Issue } from '../../core/errors.ts'
import type { Submission } from '../../core/model/change.ts'
import type { Association, SubmissionSet } from '../../core/model/metadata.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { lcm, packageNodes, rim } from './names.ts'
import { namesObject, type ObjectList, objectListReader, repeatableId } from './object-list.ts'
import { associationTable, documentEntryTable, folderTable, submissionSetTable } from './object-tables.ts'
import { writeObject } from './object-write.ts'
import { attribute } from './parts-write.ts'

/** Characters of any id or reference (ebRIM 3.0: 2.2). */
const longestId = 256

/**
 * Reads a lcm:SubmitObjectsRequest: the body of ITI-42 and of ITI-57 (ITI TF-2: 3.42.4.1, 3.57.4.1). It is taken whole or not
 * at all: throws `metadata-invalid` with an issue for each object that cannot be understood, its `location` the object's id,
 * and for anything but one submission set; `request-malformed` when it is no such element. No message repeats another value.
 * References to objects that are not sent (rim:ObjectRef) say nothing of their own and are passed over.
 */
export function decodeSubmitObjects(tree: XmlTree, request: Node): Submission {
  if (!tree.is(request, lcm, 'SubmitObjectsRequest')) {
    throw new GatewayError('request-malformed', 'A lcm:SubmitObjectsRequest was expected')
  }
  const list = childNamed(tree, request, 'RegistryObjectList')
  const faults: Issue[] = []
  const reader = objectListReader((reason, id) => faults.push(faultOf(reason, id)))
  const nodes = list === NONE ? [] : tree.children(list)
  for (const node of nodes) reader.take(tree, node)
  const objects = reader.finish()
  faults.push(...idFaults(objects), ...strayClassifications(tree, nodes, objects))
  const [submissionSet, ...others] = objects.submissionSets
  for (const { entryUuid } of others) faults.push(faultOf('it is a second submission set', entryUuid))
  // Where an object could not be read, it may have been the submission set.
  if (submissionSet === undefined && faults.length === 0) faults.push(faultOf('there is no submission set'))
  if (submissionSet === undefined || faults.length > 0) throw invalid(faults)
  const { entries, folders, associations } = objects
  return { submissionSet, entries, folders, associations }
}

/**
 * Spells a lcm:SubmitObjectsRequest that declares its own namespaces. What a peer told of an object and no field names is told
 * on. Throws RangeError for characters that XML cannot carry.
 */
export function encodeSubmitObjects({ submissionSet, entries, folders, associations }: Submission): string {
  let xml = `<lcm:SubmitObjectsRequest xmlns:lcm="${lcm}" xmlns:rim="${rim}"><rim:RegistryObjectList>`
  for (const entry of entries) xml += writeObject(entry, documentEntryTable, undefined)
  xml += writeObject(submissionSet, submissionSetTable, undefined)
  for (const folder of folders) xml += writeObject(folder, folderTable, undefined)
  for (const association of associations) xml += writeObject(association, associationTable, undefined)
  return `${xml}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>`
}

/**
 * Reads a lcm:RemoveObjectsRequest: the ids of what is to be removed, each once, at least one (ITI TF-2: 3.62.4.1.2). Throws
 * `metadata-invalid` for an id that is none, for a query in its place and for a scope other than everything, which ITI-62
 * does not know; `request-malformed` when it is no such element.
 */
export function decodeRemoveObjects(tree: XmlTree, request: Node): readonly string[] {
  if (!tree.is(request, lcm, 'RemoveObjectsRequest')) {
    throw new GatewayError('request-malformed', 'A lcm:RemoveObjectsRequest was expected')
  }
  const faults: Issue[] = []
  const scope = tree.attribute(request, 'deletionScope')
  if (scope !== undefined && scope !== wholeObjects) faults.push(faultOf('objects are removed with all that is theirs'))
  if (childNamed(tree, request, 'AdhocQuery') !== NONE) faults.push(faultOf('objects to be removed are named by id'))
  const list = childNamed(tree, request, 'ObjectRefList')
  const ids = new Set<string>()
  for (const node of list === NONE ? [] : tree.children(list)) {
    const id = tree.local(node) === 'ObjectRef' ? (tree.attribute(node, 'id') ?? '').trim() : ''
    if (id === '' || id.length > longestId) faults.push(faultOf('an object to be removed has no id that can be one'))
    else ids.add(id)
  }
  if (ids.size === 0 && faults.length === 0) faults.push(faultOf('nothing to be removed is named'))
  if (faults.length > 0) throw invalid(faults)
  return [...ids]
}

/** What ebRS means when no scope is told (ebRS 3.0: 5.5). */
const wholeObjects = 'urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:DeleteAll'

/** Spells a lcm:RemoveObjectsRequest that declares its own namespaces. */
export function encodeRemoveObjects(ids: readonly string[]): string {
  const references = ids.map((id) => `<rim:ObjectRef${attribute('id', id)}/>`)
  return (
    `<lcm:RemoveObjectsRequest xmlns:lcm="${lcm}" xmlns:rim="${rim}">` +
    `<rim:ObjectRefList>${references.join('')}</rim:ObjectRefList></lcm:RemoveObjectsRequest>`
  )
}

/** Ids that cannot be ones, and ids of two objects: what refers to them would mean either. */
function idFaults({ entries, submissionSets, folders, associations }: ObjectList): Issue[] {
  const faults: Issue[] = []
  const seen = new Set<string>()
  for (const object of [...entries, ...submissionSets, ...folders, ...associations]) {
    const { entryUuid } = object
    if (seen.has(entryUuid)) faults.push(faultOf('its id is that of another object too', entryUuid))
    seen.add(entryUuid)
    if (idsOf(object).some((id) => id.length > longestId)) faults.push(faultOf('an id of it is too long', entryUuid))
    if (idsOf(object).some((id) => id.trim() === '')) faults.push(faultOf('an id of it is empty', entryUuid))
  }
  return faults
}

type Identified = Pick<SubmissionSet, 'entryUuid' | 'logicalId'> &
  Partial<Pick<SubmissionSet, 'uniqueId'> & Pick<Association, 'source' | 'target'>>

function idsOf({ entryUuid, logicalId, uniqueId, source, target }: Identified): string[] {
  return [entryUuid, logicalId, uniqueId, source, target].filter((id) => id !== undefined)
}

/** Classifications beside their package that belong to none here, or say of it what it is not. */
function strayClassifications(tree: XmlTree, nodes: readonly Node[], { submissionSets, folders }: ObjectList): Issue[] {
  const packages = { [packageNodes.submissionSet]: submissionSets, [packageNodes.folder]: folders }
  return nodes.flatMap((node) => {
    const kind = tree.local(node) === 'Classification' ? (tree.attribute(node, 'classificationNode') ?? '') : ''
    // Of another kind it has been set aside already.
    if (!(kind in packages)) return []
    const owner = tree.attribute(node, 'classifiedObject') ?? ''
    const own = packages[kind as keyof typeof packages].some(({ entryUuid }) => namesObject(owner, entryUuid))
    return own ? [] : [faultOf('it classifies no package of its kind', tree.attribute(node, 'id'))]
  })
}

function faultOf(reason: string, id?: string): Issue {
  const location = id === undefined ? undefined : repeatableId(id)
  return {
    severity: 'error',
    code: 'XDSRegistryMetadataError',
    text: `Not understood: ${reason}`,
    ...(location === undefined ? {} : { location }),
  }
}

function invalid(issues: readonly Issue[]): GatewayError {
  return new GatewayError('metadata-invalid', 'The metadata cannot be understood', {
    issues,
    details: { faults: issues.length },
  })
}

function childNamed(tree: XmlTree, parent: Node, local: string): Node {
  return tree.children(parent).find((node) => tree.local(node) === local) ?? NONE
}
