import { citizenOf } from './citizens.ts'
import { type Author, associationType, type Code, type Entry, type Holdings, type Identifier, readCx } from './entry.ts'
import { uuidOf } from './random.ts'

export type Json = { readonly [key: string]: unknown }

/** The system of identifiers that are addresses themselves. */
export const uriSystem = 'urn:ietf:rfc:3986'
const identifierType = 'https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType'
const homeExtension = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-HomeCommunityId'

/** The server's own id of a person: a name for references, which says nothing of the person. */
export function patientResourceId(id: Identifier): string {
  return uuidOf('patient', citizenOf(id)?.key ?? `${id.authority}|${id.value}`)
}

/** `urn:oid:…` of an authority or a coding scheme. */
export function oidUrn(oid: string): string {
  return `urn:oid:${oid}`
}

/** `root^extension` of XDS is a system and a value in FHIR; a bare OID is an address. */
export function uniqueIdentifier(uniqueId: string): { readonly system: string; readonly value: string } {
  const caret = uniqueId.indexOf('^')
  return caret < 0
    ? { system: uriSystem, value: oidUrn(uniqueId) }
    : { system: oidUrn(uniqueId.slice(0, caret)), value: uniqueId.slice(caret + 1) }
}

/** `20240305101500` as `2024-03-05T10:15:00Z`. */
export function instant(time: string): string {
  return time.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z')
}

/** The id of a document's resource. */
export function resourceIdOf({ entryUuid, fhir }: Entry): string {
  return typeof fhir === 'object' ? fhir.id : entryUuid.replace('urn:uuid:', '')
}

/** The entryUUIDs its resource bears: the one it has, and those it had. */
export function entryUuidsOf({ entryUuid, fhir }: Entry): readonly string[] {
  return typeof fhir === 'object' ? [entryUuid, ...fhir.formerIds] : [entryUuid]
}

/** Whether it is told of by FHIR, which keeps former versions to itself. */
export function isServed({ fhir }: Entry): boolean {
  return fhir !== 'history'
}

/** A DocumentReference (MHD 4.2.4, comprehensive). Slots of XDS that MHD has no element for are not told. */
export function documentReference(entry: Entry, base: string, { entries, associations }: Holdings): Json {
  const people = contained(entry)
  const replaced = associations.filter(
    ({ type, source }) => type === associationType.replaces && source === entry.entryUuid,
  )
  const known = new Map(entries.map((other) => [other.entryUuid, other]))
  return {
    resourceType: 'DocumentReference',
    id: resourceIdOf(entry),
    meta: {
      versionId: entry.version,
      profile: ['https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Comprehensive.DocumentReference'],
    },
    contained: people.resources,
    ...extensions(entry),
    masterIdentifier: uniqueIdentifier(entry.uniqueId),
    identifier: [
      {
        type: { coding: [{ system: identifierType, code: 'entryUUID' }] },
        system: uriSystem,
        value: entry.entryUuid,
      },
      ...entryUuidsOf(entry)
        .slice(1)
        .map((value) => ({ use: 'old', system: uriSystem, value })),
    ],
    status: entry.status === 'Approved' ? 'current' : 'superseded',
    type: concept(entry.typeCode),
    category: [concept(entry.classCode)],
    subject: {
      reference: `Patient/${patientResourceId(entry.patient)}`,
      type: 'Patient',
      identifier: assigned(entry.patient),
    },
    author: [{ reference: '#author' }],
    ...(entry.legalAuthenticator !== undefined && { authenticator: { reference: '#authenticator' } }),
    ...(replaced.length > 0 && {
      relatesTo: replaced.map(({ target }) => {
        const older = known.get(target)
        return {
          code: 'replaces',
          target: {
            reference: `DocumentReference/${older ? resourceIdOf(older) : target.replace('urn:uuid:', '')}`,
            type: 'DocumentReference',
            ...(older && { identifier: { system: uriSystem, value: target } }),
          },
        }
      }),
    }),
    ...(entry.comments !== undefined && { description: entry.comments }),
    securityLabel: [concept(entry.confidentiality)],
    content: [
      {
        attachment: {
          contentType: entry.mimeType,
          language: 'it-IT',
          url: retrieveUrl(entry, base),
          size: entry.size,
          hash: Buffer.from(entry.hash, 'hex').toString('base64'),
          title: entry.title,
          creation: instant(entry.creationTime),
        },
        format: coding(entry.formatCode),
      },
    ],
    context: {
      ...(entry.events.length > 0 && { event: entry.events.map(concept) }),
      ...period(entry),
      facilityType: concept(entry.facilityType),
      practiceSetting: concept(entry.practiceSetting),
      sourcePatientInfo: { reference: '#patient', identifier: assigned(entry.patient) },
      ...(entry.references.length > 0 && { related: entry.references.map(related) }),
    },
  }
}

function period({ serviceStartTime: start, serviceStopTime: end }: Entry): Json {
  if (start === '' && end === '') return {}
  return { period: { ...(start !== '' && { start: instant(start) }), ...(end !== '' && { end: instant(end) }) } }
}

/** The home, and the slots that were put here: as extensions, a URN for a name. */
function extensions({ home, otherSlots, administrativeRequest, descriptions }: Entry): Json {
  const put = {
    ...otherSlots,
    'urn:ita:2022:administrativeRequest': administrativeRequest === undefined ? [] : [administrativeRequest],
    'urn:ita:2022:description': descriptions,
  }
  // The seed's own tell of no slot.
  const slots = Object.entries(otherSlots === undefined ? {} : put)
    .filter(([name]) => name.startsWith('urn:'))
    .flatMap(([url, values]) => values.map((valueString) => ({ url, valueString })))
  const all = [...(home === undefined ? [] : [{ url: homeExtension, valueOid: home }]), ...slots]
  return all.length === 0 ? {} : { extension: all }
}

/** Where the bytes are (ITI-68): what the record needs to find them, and nothing of whom they are about. */
function retrieveUrl({ repositoryUniqueId, uniqueId }: Entry, base: string): string {
  const parameters = new URLSearchParams({ repositoryUniqueId, uniqueId })
  return `${base}/Binary?${parameters.toString()}`
}

function contained({ author, legalAuthenticator, patient, sourcePatientInfo }: Entry): { resources: readonly Json[] } {
  const authenticator = legalAuthenticator?.split('^', 1)[0]
  return {
    resources: [
      practitioner('author-person', author),
      ...(author.institution === undefined ? [] : [institution(author.institution)]),
      {
        resourceType: 'PractitionerRole',
        id: 'author',
        practitioner: { reference: '#author-person' },
        ...(author.institution !== undefined && { organization: { reference: '#author-institution' } }),
        code: [{ coding: [{ code: author.role }], text: author.role }],
        ...(author.specialty !== undefined && { specialty: [{ text: author.specialty }] }),
        ...(author.mail !== undefined && { telecom: [{ system: 'email', value: author.mail }] }),
      },
      ...(authenticator === undefined
        ? []
        : [practitioner('authenticator', { person: { ...author.person, value: authenticator } })]),
      sourcePatient(patient, sourcePatientInfo),
    ],
  }
}

function institution({ name, system, code }: NonNullable<Author['institution']>): Json {
  const identifier = [{ system: oidUrn(system), value: code }]
  return { resourceType: 'Organization', id: 'author-institution', identifier, name }
}

function practitioner(id: string, { person, name }: Pick<Author, 'person' | 'name'>): Json {
  return {
    resourceType: 'Practitioner',
    id,
    identifier: [assigned(person)],
    ...(name && { name: [{ family: name.family, given: [name.given] }] }),
  }
}

function sourcePatient(patient: Identifier, info: readonly string[]): Json {
  const citizen = info.length === 0 ? undefined : citizenOf(patient)
  return {
    resourceType: 'Patient',
    id: 'patient',
    identifier: [{ use: 'usual', ...assigned(patient) }],
    ...(citizen && {
      name: [{ family: citizen.family, given: [citizen.given] }],
      gender: citizen.gender,
      birthDate: citizen.birthDate,
    }),
  }
}

/** CXi: an identifier, who gave it, and what kind it is. */
function related(cxi: string): Json {
  const [value = '', , , authority = '', kind = ''] = cxi.split('^')
  const id = readCx(`${value}^^^${authority}`)
  return { identifier: { type: { coding: [{ system: uriSystem, code: kind }] }, ...(id ? assigned(id) : { value }) } }
}

function assigned({ authority, value }: Identifier): { readonly system: string; readonly value: string } {
  return { system: oidUrn(authority), value }
}

function coding({ code, display, scheme }: Code): Json {
  return { system: oidUrn(scheme), code, display }
}

function concept(code: Code): Json {
  return { coding: [coding(code)] }
}
