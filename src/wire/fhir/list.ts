import { GatewayError } from '../../core/errors.ts'
import type { Code } from '../../core/model/code.ts'
import { isOid } from '../../core/model/identifiers.ts'
import type { Folder, SubmissionSet } from '../../core/model/metadata.ts'
import { parseXcn, parseXon } from '../hl7/cx.ts'
import { listExtensions, listTypeSystem, mhdProfiles, uriSystem } from './names.ts'
import { writePeople } from './people.ts'
import type { Json, Reference } from './types.ts'
import { writeAssigned, writeConcept, writeTime, writeUniqueId } from './values.ts'

/** What this server knows of a submission set or folder beside its metadata. */
export interface ServedList {
  readonly id: string
  /** References to what is in it, as far as it may be told. */
  readonly members: readonly Reference[]
}

/** The List of a submission set (MHD 4.2.4). Throws `metadata-invalid` for a status that FHIR knows no word for. */
export function encodeSubmissionSet(set: SubmissionSet, served: ServedList): Json {
  const { contentTypeCode, intendedRecipients, sourceId, submissionTime } = set
  const { contained = [], author = [] } = writePeople({ authors: set.authors.slice(0, 1), sourcePatientInfo: [] }) as {
    readonly contained?: readonly Json[]
    readonly author?: readonly Reference[]
  }
  const [source] = author
  const recipients = intendedRecipients.flatMap(recipient)
  const whole = sourceId !== undefined && submissionTime !== undefined && recipients.length < 2
  const profile =
    contentTypeCode === undefined ? mhdProfiles.minimalSubmissionSet : mhdProfiles.comprehensiveSubmissionSet
  return listOf(set, served, 'submissionset', {
    ...(whole ? { profile } : {}),
    contained,
    extension: [
      ...designation(contentTypeCode === undefined ? [] : [contentTypeCode]),
      ...(sourceId === undefined
        ? []
        : [{ url: listExtensions.sourceId, valueIdentifier: sourceIdentifier(sourceId) }]),
      ...recipients.map((valueReference) => ({ url: listExtensions.intendedRecipient, valueReference })),
    ],
    ...(submissionTime === undefined ? {} : { date: writeTime(submissionTime) }),
    ...(source === undefined ? {} : { source }),
  })
}

/** The List of a folder (MHD 4.2.4). Throws `metadata-invalid`. */
export function encodeFolder(folder: Folder, served: ServedList): Json {
  const { codes, lastUpdateTime } = folder
  const profile = codes.length === 0 ? mhdProfiles.minimalFolder : mhdProfiles.comprehensiveFolder
  return listOf(folder, served, 'folder', {
    ...(lastUpdateTime === undefined ? {} : { profile, date: writeTime(lastUpdateTime) }),
    contained: [],
    extension: designation(codes),
  })
}

interface Own {
  readonly profile?: string
  readonly contained: readonly Json[]
  readonly extension: readonly Json[]
  readonly date?: string
  readonly source?: Reference
}

function listOf(
  object: SubmissionSet | Folder,
  { id, members }: ServedList,
  kind: 'submissionset' | 'folder',
  { profile, contained, extension, ...own }: Own,
): Json {
  const { comments, entryUuid, patientId, status, title, uniqueId } = object
  const [name] = title
  return {
    resourceType: 'List',
    id,
    ...(profile === undefined ? {} : { meta: { profile: [profile] } }),
    ...(contained.length === 0 ? {} : { contained }),
    ...(extension.length === 0 ? {} : { extension }),
    identifier: [
      { use: 'official', system: uriSystem, value: entryUuid },
      { use: 'usual', ...writeUniqueId(uniqueId) },
    ],
    status: statusOf(status),
    mode: 'working',
    ...(name === undefined ? {} : { title: name.value }),
    code: { coding: [{ system: listTypeSystem, code: kind }] },
    subject: { type: 'Patient', identifier: writeAssigned(patientId) },
    ...own,
    ...(comments.length === 0 ? {} : { note: comments.map(({ value }) => ({ text: value })) }),
    ...(members.length === 0 ? {} : { entry: members.map((item) => ({ item })) }),
  }
}

function statusOf(status: string | undefined): 'current' | 'retired' {
  if (status === undefined || status === 'approved') return 'current'
  if (status === 'deprecated') return 'retired'
  throw new GatewayError('metadata-invalid', 'FHIR knows no such status of a list')
}

function designation(codes: readonly Code[]): readonly Json[] {
  return codes.map((code) => ({ url: listExtensions.designationType, valueCodeableConcept: writeConcept(code) }))
}

function sourceIdentifier(sourceId: string): Json {
  return { system: uriSystem, value: isOid(sourceId) ? `urn:oid:${sourceId}` : sourceId }
}

/** `XON|XCN|XTN`: the institution, else the person, by name and identifier. */
function recipient(told: string): readonly Reference[] {
  const [institution = '', person = ''] = told.split('|')
  if (institution !== '') {
    const { authority, code, name } = parseXon(institution)
    return [
      named(
        'Organization',
        name,
        code === undefined || authority === undefined ? undefined : { value: code, authority },
      ),
    ]
  }
  if (person === '') return []
  const { authority, family = '', given = '', id } = parseXcn(person)
  return [
    named(
      'Practitioner',
      `${given} ${family}`.trim(),
      id === undefined || authority === undefined ? undefined : { value: id, authority },
    ),
  ]
}

function named(type: string, display: string, id: Parameters<typeof writeAssigned>[0] | undefined): Reference {
  return {
    type,
    ...(id === undefined ? {} : { identifier: writeAssigned(id) }),
    ...(display === '' ? {} : { display }),
  }
}
