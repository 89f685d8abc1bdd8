import type { Author, DocumentEntry } from '../../core/model/metadata.ts'
import { formatCx, formatXcn, formatXon, parseCx, parseXcn, parseXon } from '../hl7/cx.ts'
import { withoutOidUrn } from './names.ts'
import { readSourcePatient, writeSourcePatient } from './source-patient.ts'
import {
  type CodeableConcept,
  type ContactPoint,
  type Identifier,
  isObject,
  type Json,
  type Organization,
  type Person,
  type PractitionerRole,
  type Reference,
  shapes,
  told,
} from './types.ts'
import { readAssigned, writeAssigned } from './values.ts'

/** The elements of a DocumentReference that speak of people, with the resources they contain (MHD 4.2.4). */
export interface PeopleElements {
  readonly contained?: unknown
  readonly author?: unknown
  readonly authenticator?: unknown
  readonly sourcePatientInfo?: unknown
}

export type People = Pick<DocumentEntry, 'authors' | 'legalAuthenticator' | 'sourcePatientId' | 'sourcePatientInfo'>

/**
 * Authors, authenticator and source patient in the spellings of XDS. A reference that says nothing about whom it means
 * is passed over. Throws `metadata-invalid`.
 */
export function readPeople(elements: PeopleElements): People {
  const contained = containedById(elements.contained)
  const authors = elements.author === undefined ? [] : told(shapes.references, elements.author, 'author')
  const authenticator =
    elements.authenticator === undefined ? undefined : told(shapes.reference, elements.authenticator, 'authenticator')
  const legalAuthenticator = authenticator && readAuthor(authenticator, contained)?.persons[0]
  return {
    authors: readAuthors(authors, contained),
    ...(legalAuthenticator === undefined ? {} : { legalAuthenticator }),
    ...readSourcePatient(elements.sourcePatientInfo, contained),
  }
}

/** The same people as contained resources, and the references to them. What nobody is named for is left out. */
export function writePeople(people: People): PeopleElements {
  const contained: Json[] = []
  const author = people.authors.flatMap((one, index) => writeAuthor(one, `author-${index + 1}`, contained))
  const { legalAuthenticator } = people
  if (legalAuthenticator !== undefined) contained.push(practitioner('authenticator', legalAuthenticator))
  const sourcePatientInfo = writeSourcePatient(people, contained)
  return {
    ...(contained.length === 0 ? {} : { contained }),
    ...(author.length === 0 ? {} : { author }),
    ...(legalAuthenticator === undefined ? {} : { authenticator: { reference: '#authenticator' } }),
    ...(sourcePatientInfo === undefined ? {} : { sourcePatientInfo }),
  }
}

type Contained = ReadonlyMap<string, Json>

function containedById(contained: unknown): Contained {
  if (contained === undefined) return new Map()
  told(shapes.contained, contained, 'contained')
  const resources = Array.isArray(contained) ? contained.filter(isObject) : []
  return new Map(resources.map((resource) => [`#${String(resource.id)}`, resource]))
}

/** Roles of one contained practitioner are one author: XDS gives an author several institutions and roles. */
function readAuthors(references: readonly Reference[], contained: Contained): readonly Author[] {
  const authors: Author[] = []
  const placeOf = new Map<string, number>()
  for (const reference of references) {
    const author = readAuthor(reference, contained)
    if (author === undefined) continue
    const person = personIn(reference, contained)
    const place = person === undefined ? undefined : placeOf.get(person)
    const before = place === undefined ? undefined : authors[place]
    if (place !== undefined && before !== undefined) authors[place] = together(before, author)
    else {
      if (person !== undefined) placeOf.set(person, authors.length)
      authors.push(author)
    }
  }
  return authors
}

function personIn({ reference = '' }: Reference, contained: Contained): string | undefined {
  const resource = contained.get(reference)
  if (resource?.resourceType !== 'PractitionerRole') return undefined
  const person = told(shapes.role, resource, 'PractitionerRole').practitioner?.reference
  return person !== undefined && contained.has(person) ? person : undefined
}

function together(a: Author, b: Author): Author {
  const both = (one: readonly string[], other: readonly string[]) => [...new Set([...one, ...other])]
  return {
    persons: both(a.persons, b.persons),
    institutions: both(a.institutions, b.institutions),
    roles: both(a.roles, b.roles),
    specialties: both(a.specialties, b.specialties),
    telecommunications: both(a.telecommunications, b.telecommunications),
  }
}

const nobody: Author = { persons: [], institutions: [], roles: [], specialties: [], telecommunications: [] }

function readAuthor(reference: Reference, contained: Contained): Author | undefined {
  const resource = contained.get(reference.reference ?? '')
  const author = resource === undefined ? readBare(reference) : readContained(resource, contained)
  return Object.values(author).some((values: readonly string[]) => values.length > 0) ? author : undefined
}

function readContained(resource: Json, contained: Contained): Author {
  switch (resource.resourceType) {
    case 'Practitioner':
    case 'Patient':
    case 'RelatedPerson': {
      const person = told(shapes.person, resource, String(resource.resourceType))
      return { ...nobody, persons: listed(readXcn(person)), telecommunications: readTelecoms(person.telecom) }
    }
    case 'Organization': {
      const organization = told(shapes.organization, resource, 'Organization')
      const telecommunications = readTelecoms(organization.telecom)
      return { ...nobody, institutions: listed(readXon(organization)), telecommunications }
    }
    case 'PractitionerRole':
      return readRole(told(shapes.role, resource, 'PractitionerRole'), contained)
    default:
      return nobody
  }
}

function readRole(role: PractitionerRole, contained: Contained): Author {
  const person = role.practitioner === undefined ? undefined : readPart(role.practitioner, 'Practitioner', contained)
  const place = role.organization === undefined ? undefined : readPart(role.organization, 'Organization', contained)
  return {
    persons: person?.persons ?? [],
    institutions: place?.institutions ?? [],
    roles: (role.code ?? []).flatMap(readRoleCode),
    specialties: (role.specialty ?? []).flatMap(readRoleCode),
    telecommunications: role.telecom === undefined ? (person?.telecommunications ?? []) : readTelecoms(role.telecom),
  }
}

/** A part of a role: never a role itself, so that a role that refers to itself cannot be followed round and round. */
function readPart(reference: Reference, type: string, contained: Contained): Author {
  const resource = contained.get(reference.reference ?? '')
  if (resource === undefined) return readBare({ type, ...reference })
  return resource.resourceType === 'PractitionerRole' ? nobody : readContained(resource, contained)
}

/** A reference to a resource that did not come along: its identifier and display are all that is known. */
function readBare({
  reference = '',
  type = reference.split('/').at(-2) ?? '',
  identifier,
  display,
}: Reference): Author {
  const id = identifier === undefined ? {} : { identifier: [identifier] }
  if (type === 'Organization') {
    return { ...nobody, institutions: listed(readXon({ ...id, ...(display === undefined ? {} : { name: display }) })) }
  }
  if (type === 'Device') return nobody
  return {
    ...nobody,
    persons: listed(readXcn({ ...id, ...(display === undefined ? {} : { name: [{ text: display }] }) })),
  }
}

function listed(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : [text]
}

/** The identifier to name somebody by: the first whose authority has an OID, else the first that has a value. */
function naming(identifiers: readonly Identifier[] = []) {
  const assigned = identifiers.map(readAssigned).find((id) => id !== undefined)
  const value = assigned?.value ?? identifiers.find((id) => id.value !== undefined)?.value
  return { value, authority: assigned?.authority, asTold: verbatim(identifiers) }
}

/** A spelling FHIR has no place for travels as it is: a value with carets and without a system. */
function verbatim(identifiers: readonly Identifier[]): string | undefined {
  return identifiers.find((id) => id.system === undefined && id.value?.includes('^'))?.value
}

function readXcn({ identifier, name }: Person): string | undefined {
  const { value, authority, asTold } = naming(identifier)
  if (asTold !== undefined) return asTold
  const { family, given, text } = name?.[0] ?? {}
  const surname = family ?? (given === undefined ? text : undefined)
  return formatXcn({
    ...(value === undefined ? {} : { id: value }),
    ...(authority === undefined ? {} : { authority }),
    ...(surname === undefined ? {} : { family: surname }),
    ...(given === undefined ? {} : { given: given.join(' ') }),
  })
}

function practitioner(id: string, xcn: string, telecommunications: readonly string[] = []): Json {
  const { id: value, authority, family, given } = parseXcn(xcn)
  const canonical = formatXcn(parseXcn(xcn)) === xcn && (authority === undefined || value !== undefined)
  const own = authority === undefined ? { value } : writeAssigned({ value: value ?? '', authority })
  const identifier = canonical ? own : { value: xcn }
  const named = family !== undefined || given !== undefined
  return {
    resourceType: 'Practitioner',
    id,
    ...(identifier.value === undefined ? {} : { identifier: [identifier] }),
    ...(named ? { name: [{ ...(family && { family }), ...(given && { given: [given] }) }] } : {}),
    ...(telecommunications.length === 0 ? {} : { telecom: telecommunications.map(writeTelecom) }),
  }
}

function readXon({ identifier, name }: Organization): string | undefined {
  const { value, authority, asTold } = naming(identifier)
  if (asTold !== undefined) return asTold
  if (name === undefined && value === undefined) return undefined
  return formatXon({
    name: name ?? '',
    ...(value === undefined ? {} : { code: value }),
    ...(authority === undefined ? {} : { authority }),
  })
}

function organization(id: string, xon: string, telecommunications: readonly string[] = []): Json {
  const { name, code, authority } = parseXon(xon)
  const canonical = formatXon(parseXon(xon)) === xon
  const own = authority === undefined ? { value: code } : writeAssigned({ value: code ?? '', authority })
  const identifier = canonical ? own : { value: xon }
  return {
    resourceType: 'Organization',
    id,
    ...(identifier.value === undefined ? {} : { identifier: [identifier] }),
    ...(name === '' ? {} : { name }),
    ...(telecommunications.length === 0 ? {} : { telecom: telecommunications.map(writeTelecom) }),
  }
}

function writeAuthor(author: Author, id: string, contained: Json[]): readonly Reference[] {
  const { persons, institutions, roles, specialties, telecommunications } = author
  const [person] = persons
  const [institution] = institutions
  const plain = roles.length === 0 && specialties.length === 0
  if (plain && person !== undefined && persons.length === 1 && institution === undefined) {
    contained.push(practitioner(id, person, telecommunications))
    return [{ reference: `#${id}` }]
  }
  if (plain && person === undefined && institution !== undefined && institutions.length === 1) {
    contained.push(organization(id, institution, telecommunications))
    return [{ reference: `#${id}` }]
  }
  if (person !== undefined) contained.push(practitioner(`${id}-person`, person))
  const whole = {
    ...(roles.length === 0 ? {} : { code: roles.map(writeRoleCode) }),
    ...(specialties.length === 0 ? {} : { specialty: specialties.map(writeRoleCode) }),
    ...(telecommunications.length === 0 ? {} : { telecom: telecommunications.map(writeTelecom) }),
  }
  const places: readonly (string | undefined)[] = institutions.length === 0 ? [undefined] : institutions
  const references = places.map((xon, index) => {
    const role = `${id}-role-${index + 1}`
    const place = `${id}-organization-${index + 1}`
    if (xon !== undefined) contained.push(organization(place, xon))
    contained.push({
      resourceType: 'PractitionerRole',
      id: role,
      ...(person === undefined ? {} : { practitioner: { reference: `#${id}-person` } }),
      ...(xon === undefined ? {} : { organization: { reference: `#${place}` } }),
      ...(index === 0 ? whole : {}),
    })
    return { reference: `#${role}` }
  })
  return [...references, ...persons.slice(1).map((xcn, index) => another(`${id}-person-${index + 2}`, xcn, contained))]
}

/** XDS has one person per author; a second is told as an author of its own. */
function another(id: string, xcn: string, contained: Json[]): Reference {
  contained.push(practitioner(id, xcn))
  return { reference: `#${id}` }
}

function readRoleCode({ coding, text }: CodeableConcept): readonly string[] {
  const coded = coding?.find(({ code }) => code !== undefined && code !== '')
  if (coded?.code === undefined) return listed(text)
  const assigned = readAssigned({ value: coded.code, ...(coded.system === undefined ? {} : { system: coded.system }) })
  return [assigned === undefined ? coded.code : formatCx(assigned)]
}

function writeRoleCode(text: string): CodeableConcept {
  const coded = parseCx(text)
  if (coded === undefined || formatCx(coded) !== text) return { text }
  return { coding: [{ system: `urn:oid:${withoutOidUrn(coded.authority)}`, code: coded.value }] }
}

/** How XTN spells the kinds of address FHIR names: components before the value (HL7 V2.5: 2.A.89). */
const telecomForms: readonly (readonly [string, string])[] = [
  ['email', '^^Internet^'],
  ['phone', '^^PH^^^^^^^^^'],
  ['fax', '^^FX^^^^^^^^^'],
]

function readTelecoms(telecoms: readonly ContactPoint[] = []): readonly string[] {
  return telecoms.flatMap(({ system, value = '' }) => {
    const form = telecomForms.find(([known]) => known === system)?.[1] ?? ''
    return value === '' ? [] : [form + value]
  })
}

function writeTelecom(xtn: string): ContactPoint {
  for (const [system, form] of telecomForms) {
    const value = xtn.slice(form.length)
    if (xtn.startsWith(form) && value !== '' && !value.includes('^')) return { system, value }
  }
  return { system: 'other', value: xtn }
}
