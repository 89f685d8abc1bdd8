import { z } from 'zod'
import { uriSystem } from './document-reference.ts'
import type { Author, Code, Entry, Identifier } from './entry.ts'
import { addresses, FhirProblem } from './fhir-search.ts'
import { keeperOf } from './submission-read.ts'

/** Elements that FHIR allows everywhere. */
const anywhere = { id: z.string().optional(), extension: z.array(z.looseObject({ url: z.string() })).optional() }
const text = z.string().min(1)
const coding = z.strictObject({
  ...anywhere,
  system: text.optional(),
  version: text.optional(),
  code: text,
  display: text.optional(),
})
const concept = z.strictObject({ ...anywhere, coding: z.array(coding).min(1).optional(), text: text.optional() })
const identifier = z.strictObject({
  ...anywhere,
  use: text.optional(),
  type: concept.optional(),
  system: text.optional(),
  value: text.optional(),
})
const reference = z.strictObject({
  ...anywhere,
  reference: text.optional(),
  type: text.optional(),
  identifier: identifier.optional(),
  display: text.optional(),
})
const dateTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
const attachment = z.strictObject({
  ...anywhere,
  contentType: text,
  language: text.optional(),
  url: text,
  size: z.int().nonnegative(),
  hash: z.base64(),
  title: text.optional(),
  creation: dateTime,
})

/** A DocumentReference of R4 with what MHD's comprehensive metadata require, and no element that R4 has not. */
const shape = z.strictObject({
  ...anywhere,
  resourceType: z.literal('DocumentReference'),
  meta: z.looseObject({}).optional(),
  implicitRules: text.optional(),
  language: text.optional(),
  text: z.looseObject({}).optional(),
  contained: z.array(z.looseObject({ resourceType: text, id: text })).optional(),
  masterIdentifier: identifier,
  identifier: z.array(identifier).optional(),
  status: z.enum(['current', 'superseded']),
  docStatus: text.optional(),
  type: concept,
  category: z.array(concept).length(1),
  subject: reference,
  date: dateTime.optional(),
  author: z.array(reference).min(1),
  authenticator: reference.optional(),
  custodian: reference.optional(),
  relatesTo: z
    .array(
      z.strictObject({
        ...anywhere,
        code: z.enum(['replaces', 'transforms', 'signs', 'appends']),
        target: reference,
      }),
    )
    .optional(),
  description: text.optional(),
  securityLabel: z.array(concept).min(1),
  content: z.array(z.strictObject({ ...anywhere, attachment, format: coding })).length(1),
  context: z.strictObject({
    ...anywhere,
    encounter: z.array(reference).optional(),
    event: z.array(concept).optional(),
    period: z.strictObject({ ...anywhere, start: dateTime.optional(), end: dateTime.optional() }).optional(),
    facilityType: concept,
    practiceSetting: concept,
    sourcePatientInfo: reference.optional(),
    related: z.array(reference).optional(),
  }),
})

type Resource = z.infer<typeof shape>
type Contained = NonNullable<Resource['contained']>[number]
type Concept = z.infer<typeof concept>
type FhirIdentifier = z.infer<typeof identifier>

/** A document as it was put on the FHIR face. */
export interface PutDocument {
  /** Without ids of its own where the resource has none. */
  readonly entry: Entry
  /** The server's id, where the resource bears one. */
  readonly id: string | undefined
  readonly superseded: boolean
  /** The entryUUIDs it had, the latest first. */
  readonly formerIds: readonly string[]
  /** What it replaces: a reference, or an entryUUID. */
  readonly replaces: readonly string[]
}

/** Reads a DocumentReference to the letter. Throws FhirProblem: 400 for what is none, 422 for what XDS cannot hold. */
export function readDocumentReference(resource: unknown): PutDocument {
  const parsed = shape.safeParse(resource)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new FhirProblem(400, 'structure', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const { data } = parsed
  const { attachment, format } = data.content[0] ?? fail('content is missing')
  const { context } = data
  const repositoryUniqueId = repositoryIn(attachment.url)
  const hash = Buffer.from(attachment.hash, 'base64')
  if (hash.length !== 20) fail('content.attachment.hash is no SHA-1')
  const uuids = (data.identifier ?? []).filter(
    ({ system, value }) => system === uriSystem && value?.startsWith('urn:uuid:'),
  )
  const [uuid, ...more] = uuids.filter(({ use }) => use !== 'old')
  if (more.length > 0) fail('A document has one entryUUID')
  const slots = slotsIn(data)
  const home = data.extension?.find(({ url }) => url.endsWith('/ihe-HomeCommunityId'))?.valueOid
  const authenticator = data.authenticator && personIn(data.authenticator, data.contained)
  const administrativeRequest = slots['urn:ita:2022:administrativeRequest']?.[0]
  const entry: Entry = {
    entryUuid: uuid?.value ?? '',
    logicalId: '',
    version: '',
    status: 'Approved',
    ...(typeof home === 'string' && { home }),
    uniqueId: uniqueIdIn(data.masterIdentifier),
    repositoryUniqueId,
    keeper: keeperOf(repositoryUniqueId),
    patient: assignedIn(data.subject.identifier) ?? fail('subject.identifier names nobody'),
    title: attachment.title ?? '',
    ...(data.description !== undefined && { comments: data.description }),
    mimeType: attachment.contentType,
    hash: hash.toString('hex'),
    size: attachment.size,
    creationTime: timeIn(attachment.creation),
    serviceStartTime: timeIn(context.period?.start),
    serviceStopTime: timeIn(context.period?.end),
    classCode: codeIn(data.category[0], 'category'),
    typeCode: codeIn(data.type, 'type'),
    formatCode: codeIn({ coding: [format] }, 'content.format'),
    facilityType: codeIn(context.facilityType, 'context.facilityType'),
    practiceSetting: codeIn(context.practiceSetting, 'context.practiceSetting'),
    confidentiality: codeIn(data.securityLabel[0], 'securityLabel'),
    events: (context.event ?? []).map((one) => codeIn(one, 'context.event')),
    author: authorIn(data),
    ...(authenticator && { legalAuthenticator: `${authenticator.value}^^^^^^^^&${authenticator.authority}&ISO` }),
    sourcePatientInfo: [],
    references: (context.related ?? []).map(({ identifier: id }) => referenceIn(id)),
    ...(administrativeRequest !== undefined && { administrativeRequest }),
    descriptions: slots['urn:ita:2022:description'] ?? [],
    otherSlots: { languageCode: [attachment.language ?? 'it-IT'], ...withoutOwn(slots) },
  }
  return {
    entry,
    id: data.id,
    formerIds: uuids.flatMap(({ use, value }) => (use === 'old' && value !== undefined ? [value] : [])),
    superseded: data.status === 'superseded',
    replaces: (data.relatesTo ?? [])
      .filter(({ code }) => code === 'replaces')
      .map(({ target }) => target.reference ?? target.identifier?.value ?? fail('relatesTo.target names nothing')),
  }
}

function fail(why: string): never {
  throw new FhirProblem(422, 'invariant', why)
}

/** `20240305101500`, UTC; empty for nothing. */
function timeIn(dateTime: string | undefined): string {
  return dateTime === undefined ? '' : new Date(dateTime).toISOString().replace(/\D/g, '').slice(0, 14)
}

function uniqueIdIn({ system, value = '' }: FhirIdentifier): string {
  if (system === uriSystem) return value.replace(/^urn:oid:/, '')
  if (!system?.startsWith('urn:oid:') || value === '') fail('masterIdentifier has no root')
  return `${system.slice('urn:oid:'.length)}^${value}`
}

function assignedIn(id: FhirIdentifier | undefined): Identifier | undefined {
  if (!id?.system?.startsWith('urn:oid:') || id.value === undefined) return undefined
  return { authority: id.system.slice('urn:oid:'.length), value: id.value }
}

function repositoryIn(url: string): string {
  const base = URL.canParse(url) ? new URL(url).searchParams.get('repositoryUniqueId') : null
  return base ?? fail('content.attachment.url does not carry repositoryUniqueId')
}

const oids = new Map(Object.entries(addresses).map(([oid, address]) => [address, oid]))

function codeIn(given: Concept | undefined, where: string): Code {
  const [one] = given?.coding ?? []
  const scheme = one?.system?.startsWith('urn:oid:') ? one.system.slice('urn:oid:'.length) : oids.get(one?.system ?? '')
  if (one === undefined || scheme === undefined || one.display === undefined) {
    return fail(`${where} has no coding with an OID and a display`)
  }
  return { code: one.code, display: one.display, scheme }
}

function referenceIn(id: FhirIdentifier | undefined): string {
  const assigned = assignedIn(id)
  const kind = id?.type?.coding?.[0]?.code ?? ''
  return assigned ? `${assigned.value}^^^&${assigned.authority}&ISO^${kind}` : `${id?.value ?? ''}^^^^${kind}`
}

/** Extensions whose name is a URN and whose value is a string are slots. */
function slotsIn({ extension = [] }: Resource): Readonly<Record<string, readonly string[]>> {
  const slots: Record<string, string[]> = {}
  for (const { url, valueString } of extension) {
    if (url.startsWith('urn:') && typeof valueString === 'string') slots[url] = [...(slots[url] ?? []), valueString]
  }
  return slots
}

function withoutOwn(slots: Readonly<Record<string, readonly string[]>>) {
  const own = ['urn:ita:2022:administrativeRequest', 'urn:ita:2022:description']
  return Object.fromEntries(Object.entries(slots).filter(([name]) => !own.includes(name)))
}

const person = z.looseObject({
  identifier: z.array(identifier).min(1),
  name: z.array(z.looseObject({ family: text.optional(), given: z.array(text).optional() })).optional(),
})
const institution = z.looseObject({ identifier: z.array(identifier).min(1), name: text })
const position = z.looseObject({
  practitioner: reference,
  organization: reference,
  code: z.array(concept).min(1),
  specialty: z.array(concept).optional(),
  telecom: z.array(z.looseObject({ system: text, value: text })).optional(),
})

function containedIn<T>(ref: string | undefined, all: readonly Contained[] | undefined, as: z.ZodType<T>): T {
  const found = as.safeParse(all?.find(({ id }) => ref === `#${id}`))
  return found.success ? found.data : fail('An author does not come whole, contained in the resource')
}

function authorIn({ author: [first], contained }: Resource): Author {
  const role = containedIn(first?.reference, contained, position)
  const { name } = containedIn(role.practitioner.reference, contained, person)
  const place = containedIn(role.organization.reference, contained, institution)
  const where = assignedIn(place.identifier[0]) ?? fail('The institution of an author has no identifier')
  const mail = role.telecom?.find(({ system }) => system === 'email')?.value
  const specialty = role.specialty?.[0]
  return {
    person: personIn(role.practitioner, contained),
    ...(name?.[0] && { name: { family: name[0].family ?? '', given: name[0].given?.join(' ') ?? '' } }),
    institution: { name: place.name, system: where.authority, code: where.value },
    role: role.code[0]?.coding?.[0]?.code ?? role.code[0]?.text ?? '',
    ...(specialty && { specialty: specialty.text ?? specialty.coding?.[0]?.display ?? '' }),
    ...(mail !== undefined && { mail }),
  }
}

function personIn({ reference: ref }: z.infer<typeof reference>, contained: Resource['contained']): Identifier {
  return (
    assignedIn(containedIn(ref, contained, person).identifier[0]) ??
    fail('A person has no identifier with an authority')
  )
}
