import { createHash, randomInt } from 'node:crypto'
import { confidentialityCodes, confidentialityScheme } from '../../contracts/affinity-domain/confidentiality-codes.ts'
import { classCodes, classScheme } from '../../contracts/affinity-domain/document-classes.ts'
import {
  documentTypeTable,
  formerDocumentTypes,
  loinc,
  typeCodes,
} from '../../contracts/affinity-domain/document-types.ts'
import { accessPolicyCodes, eventScheme, otherEventCodes } from '../../contracts/affinity-domain/event-codes.ts'
import { formatCodes, formatScheme } from '../../contracts/affinity-domain/format-codes.ts'
import { classOfFormerType } from '../../contracts/affinity-domain/former-values.ts'
import {
  facilityTypeScheme,
  practiceSettingCodes,
  practiceSettingScheme,
} from '../../contracts/affinity-domain/settings.ts'
import type { Code } from '../core/model/code.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { Author, DocumentEntry } from '../core/model/metadata.ts'
import type { PatientId } from '../core/model/patient.ts'
import { type Timestamp, timestamp } from '../core/model/timestamp.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { CliError } from './exit.ts'

/** What was decided about a document; the rest is made up. */
export interface DocumentWishes {
  readonly patient: PatientId
  /** Code of the organization that keeps it. */
  readonly organization: string
  readonly home: HomeCommunityId
  /** CX of who wrote it, and their role. */
  readonly author: string
  readonly role: string
  /** LOINC. */
  readonly type: string
  readonly uniqueId?: string
  readonly repository?: string
  readonly title?: string
  readonly events: readonly string[]
  readonly confidentiality: string
  /** Number of the electronic prescription it is, or answers. */
  readonly nre?: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Documents of Sistema TS are named by the number of a prescription and this (ini.md §3.4). */
const sistemaTs: Readonly<Record<string, string>> = {
  '57832-8': '_PRESPEC',
  '57833-6': '_PREFARM',
  '81223-0': '_EROSPEC',
  '60593-1': '_EROFARM',
  '29304-3': '_EROFARM',
}

/** The usual format of a type (ini.md §4.3); `PDF` goes with any. */
const formats: Readonly<Record<string, string>> = {
  '11502-2': '2.16.840.1.113883.2.9.10.1.1',
  '68604-8': '2.16.840.1.113883.2.9.10.1.7.1',
  '11526-1': '2.16.840.1.113883.2.9.10.1.8.1',
  '11488-4': '2.16.840.1.113883.2.9.10.1.9.1',
  '34105-7': '2.16.840.1.113883.2.9.10.1.5',
  '59258-4': '2.16.840.1.113883.2.9.10.1.6.1',
  '60591-5': '2.16.840.1.113883.2.9.10.1.4.1.1',
  '57832-8': '2.16.840.1.113883.2.9.10.1.2.2',
  '57833-6': '2.16.840.1.113883.2.9.10.1.2.1',
  '81223-0': '2.16.840.1.113883.2.9.10.1.13.1.2',
  '60593-1': '2.16.840.1.113883.2.9.10.1.13.1.1',
  '29304-3': '2.16.840.1.113883.2.9.10.1.13.1.1',
}

const prescriptions = '2.16.840.1.113883.2.9.4.3.8'
const repositoryOfSistemaTs = '2.16.840.1.113883.2.9.2.0.4.5.3'

/** Whether INI keeps documents of the type, whoever made them. */
export function isOfSistemaTs(type: string): boolean {
  return Object.hasOwn(sistemaTs, type)
}

/** Metadata that the affinity domain accepts, of a document that nobody holds. Throws CliError for codes nobody knows. */
export function newDocument(wishes: DocumentWishes): DocumentEntry {
  const { patient, home, type, now } = wishes
  const typeCode = typeCodeOf(type)
  const uniqueId = wishes.uniqueId ?? uniqueIdOf(wishes)
  const content = `Documento di prova ${uniqueId}\n`
  const isNational = isOfSistemaTs(type)
  const setting = isNational ? 'AD_PSC130' : type === '11502-2' ? 'AD_PSC100' : 'AD_PSC026'
  const facility = isNational ? 'SistemaTS' : 'Ospedale'
  return {
    kind: 'stable',
    entryUuid: 'Document1',
    uniqueId,
    repositoryUniqueId: wishes.repository ?? (isNational ? repositoryOfSistemaTs : `${arcOf(home)}.4.5.910`),
    patientId: patient,
    home,
    status: 'approved',
    title: [{ value: wishes.title ?? typeCode.display ?? '' }],
    comments: [],
    mimeType: isNational ? 'text/x-cda-r2+xml' : 'application/pdf+text/x-cda-r2+xml',
    hash: createHash('sha1').update(content).digest('hex'),
    size: Buffer.byteLength(content),
    creationTime: momentOf(now),
    serviceStartTime: momentOf(now - 3_600_000),
    serviceStopTime: momentOf(now - 600_000),
    languageCode: 'it-IT',
    sourcePatientId: formatCx(patient),
    sourcePatientInfo: [],
    authors: [authorOf(wishes)],
    classCode: classCodeOf(type),
    typeCode,
    formatCode: coded(formats[type] ?? 'PDF', formatScheme, formatCodes),
    healthcareFacilityTypeCode: { code: facility, scheme: facilityTypeScheme, display: facility },
    practiceSettingCode: coded(setting, practiceSettingScheme, practiceSettingCodes),
    confidentialityCodes: [confidentialityOf(wishes.confidentiality)],
    eventCodes: wishes.events.map(eventOf),
    referenceIds: wishes.nre === undefined ? [] : [orderOf(wishes.nre)],
    extra: {
      slots: [
        { name: 'urn:ita:2017:repository-type', values: ['CONS^^^&2.16.840.1.113883.2.9.3.3.6.1.7&ISO'] },
        { name: 'urn:ita:2022:administrativeRequest', values: ['SSN^Regime SSN'] },
        { name: 'urn:ita:2022:documentSigned', values: ['true^Documento firmato'] },
      ],
    },
  }
}

/** Who wrote something at a synthetic place of their organization. */
export function authorOf({
  author,
  role,
  organization,
}: Pick<DocumentWishes, 'author' | 'role' | 'organization'>): Author {
  const [value = '', , , authority = ''] = author.split('^')
  return {
    persons: [`${value}^^^^^^^^${authority}`],
    institutions: [`Ambulatorio di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^${organization}202`],
    roles: [role],
    specialties: [],
    telecommunications: [],
  }
}

/** A document type of the affinity domain. Throws CliError; so do the others. */
export function typeCodeOf(code: string): Code {
  const display = typeCodes[code] ?? formerDocumentTypes[code]?.display
  if (display === undefined) throw new CliError('usage', `--type: the affinity domain has no document type ${code}`)
  return { code, scheme: loinc, display }
}

/** The class that goes with a document type. */
export function classCodeOf(type: string): Code {
  const known = documentTypeTable.find(({ code }) => code === type)?.classCode ?? classOfFormerType[type]
  return coded(known ?? (isOfSistemaTs(type) ? 'PRE' : 'REF'), classScheme, classCodes)
}

/** An event, known or not: the gateway is the one to judge it. */
export function eventOf(code: string): Code {
  return coded(code, eventScheme, { ...accessPolicyCodes, ...otherEventCodes })
}

export function confidentialityOf(code: string): Code {
  return coded(code, confidentialityScheme, confidentialityCodes)
}

/** The arc under which an organization names things (ini.md §3.4). */
export function arcOf(home: HomeCommunityId): string {
  return home.slice('urn:oid:'.length)
}

/** A moment as metadata tell it, in UTC. */
export function momentOf(milliseconds: number): Timestamp {
  return timestamp(new Date(milliseconds).toISOString().replace(/\D/g, '').slice(0, 14))
}

function uniqueIdOf({ type, home, nre, organization, now }: DocumentWishes): string {
  const suffix = sistemaTs[type]
  if (suffix !== undefined) return `${prescriptions}^${nre ?? `${organization}0A4${digits(9)}`}${suffix}`
  return `${arcOf(home)}.4.4^CLI${momentOf(now)}${digits(6)}`
}

function orderOf(nre: string): string {
  return `${nre}^^^&${prescriptions}&ISO^urn:ihe:iti:xds:2013:order`
}

function coded(code: string, scheme: string, table: Readonly<Record<string, string>>): Code {
  const display = Object.hasOwn(table, code) ? table[code] : undefined
  return { code, scheme, ...(display === undefined ? {} : { display }) }
}

function digits(count: number): string {
  return String(randomInt(10 ** count)).padStart(count, '0')
}
