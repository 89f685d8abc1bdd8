import { administrativeRequests } from '../../contracts/affinity-domain/administrative-requests.ts'
import { classCodes, classScheme } from '../../contracts/affinity-domain/document-classes.ts'
import { formerDocumentTypes, loinc, typeCodes } from '../../contracts/affinity-domain/document-types.ts'
import { eventScheme, otherEventCodes } from '../../contracts/affinity-domain/event-codes.ts'
import { formatCodes, formatScheme } from '../../contracts/affinity-domain/format-codes.ts'
import { organizations } from '../../contracts/affinity-domain/organizations.ts'
import {
  facilityTypeScheme,
  practiceSettingCodes,
  practiceSettingScheme,
} from '../../contracts/affinity-domain/settings.ts'
import type { Code, Slot } from '../../src/core/model/code.ts'
import type { HomeCommunityId, Oid } from '../../src/core/model/identifiers.ts'
import type { AvailabilityStatus, DocumentEntry } from '../../src/core/model/metadata.ts'
import { authorities, isEni, isNumericCodiceFiscale, isStp, type PatientId } from '../../src/core/model/patient.ts'
import { formatCx, formatXcn, formatXon } from '../../src/wire/hl7/cx.ts'
import { type Prescription, processState } from '../../src/wire/sistema-ts/prescription.ts'
import { timestampOfTs } from '../../src/wire/sistema-ts/time.ts'
import { entryUuidOf } from './digest.ts'
import { type DocumentKind, kinds, orderReference, uniqueIdOf } from './documents.ts'

/** A prescription, whose list it stood in, and whether Sistema TS says that it was dispensed outside the health service. */
export interface Filed {
  readonly prescription: Prescription
  readonly patientId: PatientId
  readonly paid: boolean
}

export interface EntryOptions {
  readonly home: HomeCommunityId
  readonly repositoryUniqueId: string
  readonly practiceSetting: string
}

/** `undefined` where nothing tells whether drugs or services are prescribed: then the document cannot be named. */
function suffixOf({ header }: Prescription): 'FARM' | 'SPEC' | undefined {
  if (header.tipoPrescrizione === 'F') return 'FARM'
  return header.tipoPrescrizione === 'P' ? 'SPEC' : undefined
}

/**
 * The documents there are of a prescription: itself, and its dispensing once something is told of one. A number without a
 * prescription yet (states 1 and 2) has none. Undefined for a prescription that does not tell its kind.
 */
export function kindsOf(prescription: Prescription): readonly DocumentKind[] | undefined {
  const state = processState(prescription.header.statoProcesso)
  if (state === 'lot-requested' || state === 'lot-requested-by-prescriber') return []
  const suffix = suffixOf(prescription)
  if (suffix === undefined) return undefined
  const dispensed = state === 'dispensed' || state === 'partly-dispensed'
  return dispensed && tellsDispensing(prescription) ? [`PRE${suffix}`, `ERO${suffix}`] : [`PRE${suffix}`]
}

function tellsDispensing({ header, lines }: Prescription): boolean {
  if (header.dataErogazione !== undefined) return true
  return lines.some((line) => line.codProdPrestErog !== undefined || line.quantitaErogata !== undefined)
}

/**
 * A prescription that its doctor cancelled is withdrawn: nobody may act upon it. One that has expired, or was dispensed,
 * is what was prescribed all the same, and the record keeps it (sistema-ts.md A.3).
 */
function statusOf({ header }: Prescription): AvailabilityStatus {
  return processState(header.statoProcesso) === 'cancelled-by-prescriber' ? 'deprecated' : 'approved'
}

/** The entry of one document of a prescription: made when it is retrieved, so without creation time, hash and size. */
export async function entryOf(
  { prescription, patientId, paid }: Filed,
  kind: DocumentKind,
  { home, repositoryUniqueId, practiceSetting }: EntryOptions,
): Promise<DocumentEntry> {
  const { header, nre } = prescription
  const facts = kinds[kind]
  const uniqueId = uniqueIdOf({ nre, kind })
  const isDispensing = kind.startsWith('ERO')
  const typeDisplay = typeCodes[facts.type] ?? formerDocumentTypes[facts.type]?.display ?? ''
  const isDrugs = kind.endsWith('FARM')
  const owner = ownerOf(header.codiceAss) ?? patientId
  const started = timestampOfTs(
    isDispensing ? (header.dataErogazione ?? header.dataCompilazione) : header.dataCompilazione,
  )
  return {
    kind: 'on-demand',
    entryUuid: await entryUuidOf(uniqueId),
    home,
    uniqueId,
    repositoryUniqueId,
    status: statusOf(prescription),
    patientId: owner,
    sourcePatientId: formatCx(owner),
    mimeType: 'text/x-cda-r2+xml',
    title: [{ value: typeDisplay }],
    comments: [],
    languageCode: 'it-IT',
    ...(started === undefined ? {} : { serviceStartTime: started }),
    sourcePatientInfo: [],
    authors: [authorOf(prescription, isDispensing)],
    typeCode: coded(facts.type, loinc, typeDisplay),
    classCode: coded(facts.class, classScheme, classCodes[facts.class]),
    formatCode: coded(facts.format, formatScheme, formatCodes[facts.format]),
    healthcareFacilityTypeCode: coded('SistemaTS', facilityTypeScheme, 'SistemaTS'),
    practiceSettingCode: coded(practiceSetting, practiceSettingScheme, practiceSettingCodes[practiceSetting]),
    confidentialityCodes: [coded('N', '2.16.840.1.113883.5.25', 'Normal')],
    eventCodes: kind === 'PREFARM' ? [regime(paid)] : [],
    referenceIds: [orderReference(nre)],
    extra: { slots: slotsOf(prescription, { isDrugs, paid }) },
  }
}

function coded(code: string, scheme: string, display: string | undefined): Code {
  return { code, scheme, ...(display === undefined ? {} : { display }) }
}

/** Whether a prescription of drugs is at the charge of the health service (ini.md §4.5). */
function regime(paid: boolean): Code {
  const code = paid ? 'pay' : 'PUBLICPOL'
  return coded(code, eventScheme, otherEventCodes[code])
}

/**
 * Whose the prescription is, where it says so in clear: the real service leaves that empty (sistema-ts.md A.4). Codes of
 * test persons fail the check character, so only the form is asked for.
 */
function ownerOf(value: string | undefined): PatientId | undefined {
  const authority = value === undefined ? undefined : authorityOf(value)
  return value === undefined || authority === undefined ? undefined : { value, authority }
}

function authorityOf(value: string): Oid | undefined {
  if (isStp(value)) return authorities.stp
  if (isEni(value)) return authorities.eni
  return /^[A-Z0-9]{16}$/.test(value) || isNumericCodiceFiscale(value) ? authorities.codiceFiscale : undefined
}

/** Who wrote it: the substitute where there is one (SAC24); of a dispensing nobody is told. Sistema TS stands for the place. */
function authorOf({ header }: Prescription, isDispensing: boolean): DocumentEntry['authors'][number] {
  const doctor = isDispensing ? undefined : (header.cfMedico2 ?? header.cfMedico1)
  return {
    persons: doctor === undefined ? [] : [formatXcn({ id: doctor, authority: authorities.codiceFiscale })],
    institutions: [
      formatXon({ name: organizations['970'] ?? '', code: '970', authority: '2.16.840.1.113883.2.9.2' as Oid }),
    ],
    roles: [],
    specialties: [],
    telecommunications: [],
  }
}

/** Catalogues that products and services are described by (ini.md §4.10). */
const catalogues = { drug: '2.16.840.1.113883.2.9.6.1.5', group: '2.16.840.1.113883.2.9.6.1.51' } as const

function slotsOf({ lines }: Prescription, { isDrugs, paid }: { isDrugs: boolean; paid: boolean }): readonly Slot[] {
  const request = paid ? 'NOSSN' : 'SSN'
  const descriptions = isDrugs
    ? lines.flatMap((line) => [
        ...described(line.codProdPrest, line.descrProdPrest, catalogues.drug),
        ...described(line.codGruppoEquival, line.descrGruppoEquival, catalogues.group),
      ])
    : []
  return [
    { name: 'urn:ita:2022:administrativeRequest', values: [`${request}^${administrativeRequests[request]}`] },
    ...(descriptions.length === 0 ? [] : [{ name: 'urn:ita:2022:description', values: [...new Set(descriptions)] }]),
  ]
}

/** Nothing is described whose text would not fit between the separators. */
function described(code: string | undefined, text: string | undefined, catalogue: string): readonly string[] {
  if (code === undefined || text === undefined || /[\^&]/.test(code + text)) return []
  return [`${code}^${text}^${catalogue}`]
}
