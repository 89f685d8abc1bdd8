import { isOid } from '../../core/model/identifiers.ts'

/** Media type of FHIR R4 in JSON (FHIR R4: 2.6). */
export const fhirJson = 'application/fhir+json'

/** The system of identifiers that are URIs themselves (RFC 3986). */
export const uriSystem = 'urn:ietf:rfc:3986'

/** Marks an identifier as entryUUID or uniqueId (MHD 4.2.4, MHDIdentifierType). */
export const identifierTypeSystem = 'https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType'

/** Extension that names the community a document lives in (MHD, CP-ITI-1326). */
export const homeCommunityIdUrl = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-HomeCommunityId'

const mhd = 'https://profiles.ihe.net/ITI/MHD/'

/** Profiles of MHD 4.2 that resources of ours may claim. */
export const mhdProfiles = {
  comprehensiveDocument: `${mhd}StructureDefinition/IHE.MHD.Comprehensive.DocumentReference`,
  minimalDocument: `${mhd}StructureDefinition/IHE.MHD.Minimal.DocumentReference`,
  comprehensiveSubmissionSet: `${mhd}StructureDefinition/IHE.MHD.Comprehensive.SubmissionSet`,
  minimalSubmissionSet: `${mhd}StructureDefinition/IHE.MHD.Minimal.SubmissionSet`,
  comprehensiveFolder: `${mhd}StructureDefinition/IHE.MHD.Comprehensive.Folder`,
  minimalFolder: `${mhd}StructureDefinition/IHE.MHD.Minimal.Folder`,
} as const

/** Tells the two kinds of List apart (MHD 4.2.4, MHDlistTypes). */
export const listTypeSystem = `${mhd}CodeSystem/MHDlistTypes`

/** Extensions of a List (MHD 4.2.4). */
export const listExtensions = {
  designationType: `${mhd}StructureDefinition/ihe-designationType`,
  sourceId: `${mhd}StructureDefinition/ihe-sourceId`,
  intendedRecipient: `${mhd}StructureDefinition/ihe-intendedRecipient`,
} as const

/**
 * Our own extensions of a DocumentReference: each community that told of the document, since when what is told of it
 * may have changed, and what has replaced it.
 */
export const ownExtensions = {
  source: 'urn:crocevia:fhir:source',
  asOf: 'urn:crocevia:fhir:as-of',
  replacedBy: 'urn:crocevia:fhir:replaced-by',
} as const

/** Systems of the codes in an OperationOutcome: our own words, and those of XDS. */
export const issueSystems = { own: 'urn:crocevia:problem', xds: 'urn:ihe:iti:xds:errorCode' } as const

/** Reference ids of this kind go into context.encounter, all others into context.related (MHD: 2:3.67.4.2.2.1.5). */
export const encounterIdType = 'urn:ihe:iti:xds:2015:encounterId'

/** Code systems that FHIR knows by an address and the rest of the world by an OID. */
const systemsByOid: ReadonlyMap<string, string> = new Map([
  ['2.16.840.1.113883.6.1', 'http://loinc.org'],
  ['2.16.840.1.113883.6.96', 'http://snomed.info/sct'],
  ['2.16.840.1.113883.5.25', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'],
])
const oidsBySystem = new Map([...systemsByOid].map(([oid, system]) => [system, oid]))

const oidUrn = 'urn:oid:'

export function withoutOidUrn(uri: string): string {
  return uri.startsWith(oidUrn) ? uri.slice(oidUrn.length) : uri
}

/** A coding scheme of XDS as FHIR writes it: FHIR's own address, `urn:oid:…`, or as told. */
export function systemOf(scheme: string): string {
  return systemsByOid.get(scheme) ?? (isOid(scheme) ? oidUrn + scheme : scheme)
}

/** A code system of FHIR as a coding scheme of XDS: an OID where one is known, else as told. */
export function schemeOf(system: string): string {
  return oidsBySystem.get(system) ?? withoutOidUrn(system)
}

/** Every spelling of a coding scheme a FHIR server may hold it under. */
export function systemsOf(scheme: string): readonly string[] {
  const own = systemsByOid.get(scheme)
  const urn = isOid(scheme) ? oidUrn + scheme : scheme
  return own === undefined ? [urn] : [urn, own]
}
