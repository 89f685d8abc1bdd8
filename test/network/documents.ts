import { createHash } from 'node:crypto'
import type { Citizen } from './citizens.ts'
import { codiceFiscale } from './citizens.ts'
import { type Author, type Code, cx, type DocumentFacts, type Identifier } from './entry.ts'
import type { Kind } from './kinds.ts'
import { authority, organization } from './organizations.ts'
import { pdfWith } from './pdf.ts'
import { type Random, random } from './random.ts'
import { confidentiality } from './value-sets.ts'

/** What is decided about a document before it is made up. */
export interface Wanted {
  readonly citizen: Citizen
  /** The identifier it is filed under. */
  readonly under: Identifier
  /** Code of the organization that keeps it; documents of Sistema TS are kept by INI whoever prescribes. */
  readonly keeper: string
  readonly kind: Kind
  /** Which of the citizen's documents of this keeper. */
  readonly number: number
  readonly events?: readonly Code[]
  readonly confidentiality?: Code
}

const repositoryOfIni = '2.16.840.1.113883.2.9.2.0.4.5.3'
const surnames = ['Verdi', 'Neri', 'Gialli', 'Bruni', 'Azzurri', 'Violetti', 'Rosati', 'Grigi']
const names = ['Marco', 'Anna', 'Paolo', 'Lucia', 'Giulio', 'Marta']
const places: Readonly<Record<string, readonly [string, string, string][]>> = {
  '090': [
    ['Presidio Ospedaliero Arno', '2.16.840.1.113883.2.9.4.1.2', '090633'],
    ['Poliambulatorio Elsa', '2.16.840.1.113883.2.9.4.1.3', '090202000041'],
    ['Azienda Sanitaria Esempio Centro', '2.16.840.1.113883.2.9.4.1.1', '090202'],
  ],
  '050': [
    ['Ospedale Brenta', '2.16.840.1.113883.2.9.4.1.2', '050501'],
    ['Distretto Piave', '2.16.840.1.113883.2.9.4.1.3', '050502000017'],
  ],
  '120': [
    ['Ospedale Aniene', '2.16.840.1.113883.2.9.4.1.2', '120267'],
    ['Casa della Comunità Sabina', '2.16.840.1.113883.2.9.4.1.3', '120203000108'],
  ],
  '150': [
    ['Ospedale Sebeto', '2.16.840.1.113883.2.9.4.1.2', '150413'],
    ['Distretto Volturno', '2.16.840.1.113883.2.9.4.1.3', '150205000023'],
  ],
}
// No municipality has a code that begins with X: these professionals cannot exist.
const doctors = ['BLDSRA66E50X501', 'NRENNA70A41X612', 'GLLPLA59D12X833', 'BRNLCU81R55X100', 'ZRRGLI64H03X219']

/** A document that depends on nothing but the seed's name and what is wanted. */
export function makeDocument(seed: string, wanted: Wanted): DocumentFacts {
  const { citizen, under, keeper, kind, number, events = [], confidentiality: secrecy = confidentiality('N') } = wanted
  const draw = random([seed, citizen.key, under.value, keeper, kind.type.code, String(number)].join('/'))
  const prescription = prescriptionNumber(seed, wanted)
  const { arc } = organization(keeper)
  const created = moment(draw, citizen)
  const uniqueId =
    kind.prescription === undefined
      ? `${arc}.4.4^R${keeper}D${created.slice(0, 8)}${String(draw.integer(0, 99_999_999)).padStart(8, '0')}`
      : `${authority.prescription}^${prescription}${kind.prescription}`
  const { size, hash } = fingerprint(seed, uniqueId)
  const author = makeAuthor(draw, wanted)
  return {
    uniqueId,
    repositoryUniqueId: kind.prescription === undefined ? `${arc}.4.5.${draw.pick(['910', '911'])}` : repositoryOfIni,
    keeper: kind.prescription === undefined ? keeper : '000',
    patient: under,
    title: kind.title,
    ...(draw.chance(0.1) && { comments: 'Documento di prova: nessuna persona reale' }),
    mimeType: kind.prescription === undefined ? 'application/pdf+text/x-cda-r2+xml' : 'text/x-cda-r2+xml',
    hash,
    size,
    creationTime: created,
    serviceStartTime: shift(created, -draw.integer(10, 4000)),
    serviceStopTime: shift(created, -draw.integer(0, 9)),
    classCode: kind.class,
    typeCode: kind.type,
    formatCode: kind.format,
    facilityType: draw.pick(kind.facilities),
    practiceSetting: draw.pick(kind.settings),
    confidentiality: secrecy,
    events: [...(kind.events ? [draw.pick(kind.events)] : []), ...events],
    author,
    ...(draw.chance(0.3) && { legalAuthenticator: `${author.person.value}^^^^^^^^&${author.person.authority}&ISO` }),
    sourcePatientInfo: keeper === '050' ? patientInfo(citizen, under) : [],
    references: citesPrescription(kind, draw)
      ? [`${prescription}^^^&${authority.prescription}&ISO^urn:ihe:iti:xds:2013:order`]
      : [],
    ...(kind.administrativeRequest !== undefined && { administrativeRequest: kind.administrativeRequest }),
    descriptions: kind.type.code === '57833-6' ? ['019655^Bentelan^2.16.840.1.113883.2.9.6.1.5'] : [],
  }
}

/**
 * The bytes of a document: what its hash and size are true of. A PDF with a CDA injected, or a CDA by itself where Sistema
 * TS makes it (ini.md §3.1).
 */
export function documentBytes(seed: string, uniqueId: string): Buffer {
  const cda = Buffer.from(clinicalDocument(random(`${seed}/bytes/${uniqueId}`), uniqueId))
  if (uniqueId.startsWith(`${authority.prescription}^`)) return cda
  return pdfWith(`Documento di prova ${uniqueId}`, 'cda.xml', cda)
}

/** A CDA of nobody: it says which document it is, and some lines of text. */
function clinicalDocument(draw: Random, uniqueId: string): string {
  const [root, extension] = uniqueId.split('^')
  const lines = Array.from({ length: draw.integer(40, 400) }, () => draw.next().toString(36).slice(2).padEnd(12, '0'))
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><realmCode code="IT"/>' +
    '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>' +
    `<id root="${root}"${extension === undefined ? '' : ` extension="${extension}"`}/>` +
    '<title>Documento di prova</title><languageCode code="it-IT"/><component><structuredBody><component><section>' +
    `<title>Esito</title><text><paragraph>${lines.join('</paragraph>\n<paragraph>')}</paragraph></text>` +
    '</section></component></structuredBody></component></ClinicalDocument>\n'
  )
}

function fingerprint(seed: string, uniqueId: string): { size: number; hash: string } {
  const bytes = documentBytes(seed, uniqueId)
  return { size: bytes.length, hash: createHash('sha1').update(bytes).digest('hex') }
}

function makeAuthor(draw: Random, { citizen, kind, under, keeper }: Wanted): Author {
  const [name, system, code] = draw.pick(places[regionOf(keeper, citizen)] ?? places['090'] ?? [])
  const role = draw.pick(kind.roles)
  const institution = { name, system, code }
  if (role === 'ASS') return { person: under, institution, role }
  return {
    person: { value: codiceFiscale(draw.pick(doctors)), authority: authority.codiceFiscale },
    ...(draw.chance(0.5) && { name: { family: draw.pick(surnames), given: draw.pick(names) } }),
    institution,
    role,
    ...(draw.chance(0.3) && { specialty: kind.settings[0]?.display ?? kind.title }),
    ...(draw.chance(0.2) && { mail: 'medico@asl.example' }),
  }
}

function citesPrescription(kind: Kind, draw: Random): boolean {
  if (kind.answersPrescription) return draw.chance(0.5)
  // A dispensing is of the prescription whose number it bears.
  return kind.prescription?.startsWith('_ERO') ?? false
}

/**
 * Fifteen characters: the region, the lot and its kind, a number (sistema-ts.md §A.3). A prescription and what answers
 * it share one: those of a citizen with the same place in the row.
 */
function prescriptionNumber(seed: string, { citizen, keeper, kind, number }: Wanted): string {
  const family = kind.prescription?.slice(4) ?? 'SPEC'
  const draw = random([seed, citizen.key, keeper, 'prescription', family, String(number)].join('/'))
  return `${regionOf(keeper, citizen)}0A4${String(draw.integer(0, 999_999_999)).padStart(9, '0')}`
}

/** Where a document comes from: those of Sistema TS, which INI keeps, from the citizen's own doctor. */
function regionOf(keeper: string, { assistedBy }: Citizen): string {
  return keeper === '000' ? assistedBy : keeper
}

function patientInfo(citizen: Citizen, under: Identifier): readonly string[] {
  return [
    `PID-3|${cx(under)}`,
    `PID-5|${citizen.family}^${citizen.given}`,
    `PID-7|${citizen.birthDate.replaceAll('-', '')}`,
    `PID-8|${citizen.gender === 'female' ? 'F' : 'M'}`,
  ]
}

/** Some moment of the citizen's life since 2012, and before the autumn of 2026. */
function moment(draw: Random, citizen: Citizen): string {
  const from = Math.max(Date.UTC(2012, 0, 1), Date.parse(citizen.birthDate) + 86_400_000)
  const to = Date.UTC(2026, 9, 1)
  return timestamp(from + Math.floor(draw.next() * (to - from)))
}

function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\D/g, '').slice(0, 14)
}

/** The same form, moved by minutes. */
export function shift(time: string, minutes: number): string {
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)(..)(..)(..)$/.exec(time) ?? []
  return timestamp(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) + minutes * 60_000)
}
