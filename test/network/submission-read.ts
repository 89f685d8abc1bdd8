import { rim, stable } from './ebrim.ts'
import type { Association, Author, Entry, Folder, Holdings, Identifier, SubmissionSet } from './entry.ts'
import { readCx } from './entry.ts'
import { findOrganization } from './organizations.ts'
import { type RegistryObject, readObject, readSlots, wrong } from './registry-object.ts'
import { lcm } from './submission.ts'
import { children, type Element, isNamed, only } from './xml.ts'

const submissionSetNode = 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd'
const folderNode = 'urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2'

/** Slots of a document that have a field of their own. */
const ownSlots = new Set([
  'creationTime',
  'hash',
  'legalAuthenticator',
  'repositoryUniqueId',
  'serviceStartTime',
  'serviceStopTime',
  'size',
  'sourcePatientId',
  'sourcePatientInfo',
  'urn:ihe:iti:xds:2013:referenceIdList',
  'urn:ita:2022:administrativeRequest',
  'urn:ita:2022:description',
])

/**
 * Reads a `SubmitObjectsRequest` as a strict registry does, ids as they were sent. Throws RegistryProblem for metadata
 * that are not as they must be, and Error for what is no such request.
 */
export function readSubmission(payload: Element): Holdings {
  if (!isNamed(payload, lcm, 'SubmitObjectsRequest')) throw new Error('The body is no SubmitObjectsRequest')
  const list = only(payload, rim, 'RegistryObjectList')
  if (list === undefined) throw new Error('There is no RegistryObjectList')
  const entries: Entry[] = []
  const submissionSets: SubmissionSet[] = []
  const folders: Folder[] = []
  const associations: Association[] = []
  const elements = children(list)
  // ebRIM lets a classification stand beside its object, as the national gateway's do (ini.md §3.2).
  const outside = elements.filter((element) => isNamed(element, rim, 'Classification'))
  const ids = new Set(elements.map((element) => element.getAttribute('id')))
  if (ids.size < elements.length) throw wrong('Two objects have the same id')
  if (outside.some((one) => !ids.has(one.getAttribute('classifiedObject')))) {
    throw wrong('A classification is of no object of the submission')
  }
  for (const element of elements) {
    if (outside.includes(element)) continue
    const object = readObject(element, outside)
    if (isNamed(element, rim, 'ExtrinsicObject')) entries.push(readEntry(object))
    else if (isNamed(element, rim, 'Association')) associations.push(readAssociation(object))
    else if (isNamed(element, rim, 'RegistryPackage')) {
      if (object.nodes.includes(submissionSetNode)) submissionSets.push(readSet(object))
      else if (object.nodes.includes(folderNode)) folders.push(readFolder(object))
      else throw wrong(`The package ${object.id} is neither a submission set nor a folder`)
    } else throw wrong(`${element.localName} is nothing that is registered`)
  }
  return { entries, submissionSets, folders, associations }
}

/** The ids of a `RemoveObjectsRequest`. Throws Error for what is none. */
export function readRemoval(payload: Element): readonly string[] {
  if (!isNamed(payload, lcm, 'RemoveObjectsRequest')) throw new Error('The body is no RemoveObjectsRequest')
  const [list, ...others] = children(payload)
  if (list === undefined || others.length > 0 || !isNamed(list, rim, 'ObjectRefList')) {
    // ITI TF-2: 3.62.4.1.2: no query, no deletion scope.
    throw new Error('A RemoveObjectsRequest holds a list of references and nothing else')
  }
  const refs = children(list)
  const ids = refs.map((ref) => ref.getAttribute('id') ?? '')
  if (refs.length === 0 || refs.some((ref) => !isNamed(ref, rim, 'ObjectRef')) || !ids.every((id) => isUuid(id))) {
    throw new Error('The list names no objects by urn:uuid')
  }
  return ids
}

/** `urn:uuid:` and a UUID. */
export function isUuid(id: string): boolean {
  return /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
}

function readEntry(object: RegistryObject): Entry {
  const { element, id, home } = object
  if (element.getAttribute('objectType') !== stable) throw wrong(`${id} is not a stable document`)
  const repositoryUniqueId = object.needed('repositoryUniqueId')
  const time = (name: string): string => {
    const value = object.slot(name) ?? ''
    if (value !== '' && !/^\d{14}$/.test(value)) throw wrong(`${name} of ${id} is no time to the second`)
    return value
  }
  const times = { start: time('serviceStartTime'), stop: time('serviceStopTime') }
  if (times.start > times.stop && times.stop !== '') throw wrong(`${id} was begun after it ended`)
  const hash = object.needed('hash')
  if (!/^[0-9a-f]{40}$/i.test(hash)) throw wrong(`The hash of ${id} is no SHA-1`)
  const size = object.needed('size')
  if (!/^\d+$/.test(size)) throw wrong(`The size of ${id} is no number`)
  object.needed('sourcePatientId')
  object.needed('languageCode')
  const creationTime = time('creationTime')
  if (creationTime === '') throw wrong(`${id} has no creationTime`)
  const comments = object.text('Description')
  const legalAuthenticator = object.slot('legalAuthenticator')
  const administrativeRequest = object.slot('urn:ita:2022:administrativeRequest')
  return {
    entryUuid: id,
    logicalId: element.getAttribute('lid') ?? '',
    version: only(element, rim, 'VersionInfo')?.getAttribute('versionName') ?? '',
    status: 'Approved',
    ...(home !== undefined && { home }),
    uniqueId: object.identifier('uniqueId'),
    repositoryUniqueId,
    keeper: keeperOf(repositoryUniqueId),
    patient: patientIn(object.identifier('patientId'), id),
    title: object.text('Name') ?? '',
    ...(comments !== undefined && { comments }),
    mimeType: element.getAttribute('mimeType') ?? '',
    hash: hash.toLowerCase(),
    size: Number(size),
    creationTime,
    serviceStartTime: times.start,
    serviceStopTime: times.stop,
    classCode: object.code('classCode'),
    typeCode: object.code('typeCode'),
    formatCode: object.code('formatCode'),
    facilityType: object.code('facilityType'),
    practiceSetting: object.code('practiceSetting'),
    confidentiality: object.code('confidentiality'),
    events: object.codes('event'),
    author: readAuthor(object, 'author'),
    ...(legalAuthenticator !== undefined && { legalAuthenticator }),
    sourcePatientInfo: object.slots.get('sourcePatientInfo') ?? [],
    references: object.slots.get('urn:ihe:iti:xds:2013:referenceIdList') ?? [],
    ...(administrativeRequest !== undefined && { administrativeRequest }),
    descriptions: object.slots.get('urn:ita:2022:description') ?? [],
    otherSlots: Object.fromEntries([...object.slots].filter(([name]) => !ownSlots.has(name))),
  }
}

/** The organization under whose arc a repository stands; empty for one that is nobody's here. */
export function keeperOf(repositoryUniqueId: string): string {
  const number = /^2\.16\.840\.1\.113883\.2\.9\.2\.(\d{1,3})\./.exec(repositoryUniqueId)?.[1]
  return number === undefined ? '' : (findOrganization(number.padStart(3, '0'))?.code ?? '')
}

function readSet(object: RegistryObject): SubmissionSet {
  return {
    entryUuid: object.id,
    uniqueId: object.identifier('setUniqueId'),
    sourceId: object.identifier('setSourceId'),
    patient: patientIn(object.identifier('setPatientId'), object.id),
    submissionTime: object.needed('submissionTime'),
    contentType: object.code('contentType'),
    ...(object.all('setAuthor').length > 0 && { author: readAuthor(object, 'setAuthor') }),
    status: 'Approved',
    title: object.text('Name') ?? '',
    ...(object.home !== undefined && { home: object.home }),
  }
}

function readFolder(object: RegistryObject): Folder {
  return {
    entryUuid: object.id,
    uniqueId: object.identifier('folderUniqueId'),
    patient: patientIn(object.identifier('folderPatientId'), object.id),
    lastUpdateTime: object.slot('lastUpdateTime') ?? '',
    codes: object.codes('folderCode'),
    status: 'Approved',
    title: object.text('Name') ?? '',
    ...(object.home !== undefined && { home: object.home }),
  }
}

function readAssociation({ element, id, slot, home }: RegistryObject): Association {
  const attribute = (name: string): string => {
    const value = element.getAttribute(name) ?? ''
    if (value === '') throw wrong(`The association ${id} has no ${name}`)
    return value
  }
  const submissionSetStatus = slot('SubmissionSetStatus')
  const previousVersion = slot('PreviousVersion')
  return {
    entryUuid: id,
    type: attribute('associationType'),
    source: attribute('sourceObject'),
    target: attribute('targetObject'),
    ...(submissionSetStatus === 'Original' && { submissionSetStatus }),
    ...(previousVersion !== undefined && { previousVersion }),
    ...(home !== undefined && { home }),
  }
}

/** Of a document, who and where and as what; of a submission, who. */
function readAuthor(object: RegistryObject, name: 'author' | 'setAuthor'): Author {
  const [element, ...more] = object.all(name)
  if (element === undefined || more.length > 0) throw wrong(`${object.id} has not one author`)
  const slots = readSlots(element, object.id)
  const [xcn = ''] = slots.get('authorPerson') ?? []
  const [xon = ''] = slots.get('authorInstitution') ?? []
  const [role = ''] = slots.get('authorRole') ?? []
  const [specialty] = slots.get('authorSpecialty') ?? []
  const mail = /^\^\^Internet\^(.+)$/.exec(slots.get('authorTelecommunication')?.[0] ?? '')?.[1]
  const [, value, family, given, authority] = /^([^^]+)\^([^^]*)\^([^^]*)\^{6}&([0-9.]+)&ISO$/.exec(xcn) ?? []
  const [, institution, system, code] = /^([^^]+)\^{5}&([0-9.]+)&ISO\^{4}([^^]+)$/.exec(xon) ?? []
  if (value === undefined || authority === undefined) throw wrong(`An author of ${object.id} is no XCN`)
  const whole = institution !== undefined && system !== undefined && code !== undefined
  if (name === 'author' && (!whole || role === '')) {
    throw wrong(`An author of ${object.id} has no institution (XON) or no role`)
  }
  return {
    person: { value, authority },
    ...((family || given) && { name: { family: family ?? '', given: given ?? '' } }),
    ...(whole && { institution: { name: institution, system, code } }),
    role,
    ...(specialty !== undefined && { specialty }),
    ...(mail !== undefined && { mail }),
  }
}

function patientIn(text: string, of: string): Identifier {
  const patient = readCx(text)
  if (patient === undefined) throw wrong(`The patient of ${of} is no CX`)
  return patient
}
