import type { Issue } from '../../core/errors.ts'
import type { Extra } from '../../core/model/code.ts'
import { homeCommunityId } from '../../core/model/identifiers.ts'
import type { Association, DocumentEntry, Folder, ObjectReference, SubmissionSet } from '../../core/model/metadata.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { finishMember, readMember } from './member-read.ts'
import { classificationName, folderIdentifiers, packageNodes, submissionSetIdentifiers } from './names.ts'
import { readObject } from './object-read.ts'
import { associationTable, documentEntryTable, folderTable, submissionSetTable } from './object-tables.ts'
import { OddObject } from './parts-read.ts'

/** What a rim:RegistryObjectList holds. An object that could not be understood is a warning, and nothing else. */
export interface ObjectList {
  readonly entries: readonly DocumentEntry[]
  readonly submissionSets: readonly SubmissionSet[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
  readonly references: readonly ObjectReference[]
  readonly issues: readonly Issue[]
}

interface Beside {
  readonly owner: string
  readonly node: string
  readonly extra: Extra
}

/** Takes the objects of a rim:RegistryObjectList one by one, in any order. */
export interface ObjectListReader {
  /** Reads a child of the list. What is wrong with one object never stops the others. */
  take(tree: XmlTree, node: Node): void
  finish(): ObjectList
}

/**
 * `onOddEntry` is told why an object was set aside, without any value of it, so that it may be logged and counted; and its
 * id where that looks like one.
 */
export function objectListReader(onOddEntry?: (reason: string, id?: string) => void): ObjectListReader {
  const entries: DocumentEntry[] = []
  const submissionSets: SubmissionSet[] = []
  const folders: Folder[] = []
  const associations: Association[] = []
  const references: ObjectReference[] = []
  const issues: Issue[] = []
  /** Classifications that stand beside the package they classify, submissions often have them so. */
  const beside: Beside[] = []

  function setAside(tree: XmlTree, node: Node, reason: string): void {
    const id = repeatableId(tree.attribute(node, 'id') ?? '')
    onOddEntry?.(reason, id)
    const which = id === undefined ? tree.local(node) : `${tree.local(node)} ${id}`
    issues.push({ severity: 'warning', code: 'XDSRegistryMetadataError', text: `Left out ${which}: ${reason}` })
  }

  function takePackage(tree: XmlTree, node: Node): void {
    const kind = kindOfPackage(tree, node)
    if (kind === 'submission-set') submissionSets.push(readObject(tree, node, submissionSetTable))
    else if (kind === 'folder') folders.push(readObject(tree, node, folderTable))
    else throw new OddObject('it is neither a submission set nor a folder')
  }

  function takeClassification(tree: XmlTree, node: Node): void {
    const owner = tree.attribute(node, 'classifiedObject') ?? ''
    const member = readMember(tree, node, owner, classificationName)
    if (member.node !== packageNodes.submissionSet && member.node !== packageNodes.folder)
      throw new OddObject('a classification stands outside the object it classifies')
    finishMember(tree, node, member, owner, 'node')
    beside.push({ owner, node: member.node, extra: member.rest.collected ?? {} })
  }

  return {
    take(tree, node) {
      try {
        switch (tree.local(node)) {
          case 'ExtrinsicObject':
            entries.push(readObject(tree, node, documentEntryTable))
            break
          case 'RegistryPackage':
            takePackage(tree, node)
            break
          case 'Association':
            associations.push(readObject(tree, node, associationTable))
            break
          case 'ObjectRef':
            references.push(readReference(tree, node))
            break
          case 'Classification':
            takeClassification(tree, node)
            break
          default:
            throw new OddObject('objects of this kind have no place in an answer')
        }
      } catch (error) {
        if (!(error instanceof OddObject)) throw error
        setAside(tree, node, error.message)
      }
    },
    finish() {
      return {
        entries,
        submissionSets:
          beside.length === 0 ? submissionSets : submissionSets.map((set) => classifiedBeside(set, beside)),
        folders: beside.length === 0 ? folders : folders.map((folder) => classifiedBeside(folder, beside)),
        associations,
        references,
        issues,
      }
    },
  }
}

/** An id that may be repeated: only what looks like one is, nothing else a peer may have put there. */
export function repeatableId(id: string): string | undefined {
  return /^(urn:)?[A-Za-z0-9:._-]{1,256}$/.test(id) ? id : undefined
}

/** Whether a classification means that object: INI leaves the `urn:uuid:` of its owner out (ini.md §3.1). */
export function namesObject(owner: string, id: string): boolean {
  return owner === id || `urn:uuid:${owner}` === id
}

function readReference(tree: XmlTree, node: Node): ObjectReference {
  const id = tree.attribute(node, 'id') ?? ''
  if (id === '') throw new OddObject('it has no id')
  const home = tree.attribute(node, 'home')
  if (home === undefined) return { id }
  try {
    return { id, home: homeCommunityId(home) }
  } catch {
    throw new OddObject('its home is not a homeCommunityId')
  }
}

/** What a package is, by its own classification node; failing that, by the scheme of its uniqueId. */
function kindOfPackage(tree: XmlTree, node: Node): 'submission-set' | 'folder' | undefined {
  let byIdentifier: 'submission-set' | 'folder' | undefined
  for (let child = tree.first(node); child !== NONE; child = tree.next(child)) {
    if (tree.local(child) === 'Classification') {
      const told = tree.attribute(child, 'classificationNode')
      if (told === packageNodes.submissionSet) return 'submission-set'
      if (told === packageNodes.folder) return 'folder'
    } else if (tree.local(child) === 'ExternalIdentifier') {
      const scheme = tree.attribute(child, 'identificationScheme')
      if (scheme === submissionSetIdentifiers.uniqueId.scheme) byIdentifier = 'submission-set'
      else if (scheme === folderIdentifiers.uniqueId.scheme) byIdentifier = 'folder'
    }
  }
  return byIdentifier
}

/** A package with what classifies it from beside it, as if that stood inside; what stands inside comes first. */
function classifiedBeside<T extends SubmissionSet | Folder>(object: T, beside: readonly Beside[]): T {
  let { extra } = object
  for (const { owner, node, extra: own } of beside) {
    if (!namesObject(owner, object.entryUuid)) continue
    if (extra?.of?.node === undefined) extra = { ...extra, of: { ...extra?.of, node: own } }
    else extra = { ...extra, classifications: [...(extra.classifications ?? []), { node, extra: own }] }
  }
  return extra === undefined ? object : { ...object, extra }
}
