import { GatewayError } from '../../src/core/errors.ts'
import { tellsAnything } from '../../src/core/model/demographics.ts'
import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import { authorities, type PatientId, patientId, samePatientId } from '../../src/core/model/patient.ts'
import type { KnownPatient, PatientLocator } from '../../src/core/ports.ts'
import { type DecodedPatient, decodePatient } from '../../src/wire/fhir/patient.ts'
import { encodePatientSearch } from '../../src/wire/fhir/search.ts'
import { type FhirTools, searchFhir } from './fhir-search.ts'

export interface FhirPatientsParts {
  /** `[base]` of the patient index's FHIR R4 face. */
  readonly baseUrl: string
  /** The identifier system of regions in `Patient.managingOrganization`. */
  readonly regionSystem: string
  /** The community of a region, by the three digits of its organization code (ini.md §4.9). */
  readonly homes: (organizationCode: string) => HomeCommunityId | undefined
  readonly tools: FhirTools
}

/**
 * A person's identifiers, region of assistance and demographics from a patient index (PDQm, ITI-78). Two people under one identifier
 * are nobody's documents: that is `community-misbehaved`, and so is an answer about somebody else.
 */
export function fhirPatients({ baseUrl, regionSystem, homes, tools }: FhirPatientsParts): PatientLocator {
  return {
    async locate(asked, call) {
      const form = encodePatientSearch(asked)
      const search = searchFhir(baseUrl, tools, { resourceType: 'Patient', form, call, patientId: asked })
      const { matches, issues } = await search.catch(unlessUnknown)
      const failed = issues.filter(({ severity }) => severity === 'error')
      if (failed.length > 0) {
        throw new GatewayError('community-rejected', 'The patient index could not search for a patient', {
          issues: failed,
        })
      }
      const [first, ...others] = matches
      if (first === undefined) return undefined
      if (others.length > 0) {
        throw new GatewayError('community-misbehaved', 'The patient index knows several people under one identifier', {
          details: { patients: matches.length },
        })
      }
      return known(decodePatient(first.resource), asked, regionOf)
    },
  }

  function regionOf({ managedBy }: DecodedPatient): HomeCommunityId | undefined {
    if (managedBy?.system !== regionSystem || managedBy.value === undefined) return undefined
    return homes(managedBy.value)
  }
}

function known(
  person: DecodedPatient,
  asked: PatientId,
  regionOf: (person: DecodedPatient) => HomeCommunityId | undefined,
): KnownPatient {
  const valid = person.identifiers.filter(({ id }) => isValid(id))
  if (!valid.some(({ id }) => samePatientId(id, asked))) {
    throw new GatewayError('community-misbehaved', 'The patient index answered about another patient')
  }
  const identifiers = distinct(valid.map(({ id }) => id))
  const inUse = valid.filter(({ old }) => !old).map(({ id }) => id)
  const assistedBy = regionOf(person)
  return {
    patient: { identifiers, active: activeOf(inUse, asked) },
    ...(assistedBy === undefined ? {} : { assistedBy }),
    ...(tellsAnything(person.demographics) ? { demographics: person.demographics } : {}),
  }
}

/** A codice fiscale before anything else; among equals, and where nothing is in use, the one asked for. */
function activeOf(inUse: readonly PatientId[], asked: PatientId): PatientId {
  const fiscal = inUse.filter(({ authority }) => authority === authorities.codiceFiscale)
  const best = fiscal.length > 0 ? fiscal : inUse
  return best.find((id) => samePatientId(id, asked)) ?? best[0] ?? asked
}

function distinct(ids: readonly PatientId[]): readonly PatientId[] {
  return ids.filter((id, index) => ids.findIndex((other) => samePatientId(id, other)) === index)
}

/** An identifier that breaks its authority's rules can be nobody's, and is not used to find anybody. */
function isValid({ value, authority }: PatientId): boolean {
  try {
    patientId(value, authority)
    return true
  } catch {
    return false
  }
}

function unlessUnknown(error: unknown): { readonly matches: readonly []; readonly issues: readonly [] } {
  if (error instanceof GatewayError && error.code === 'patient-unknown') return { matches: [], issues: [] }
  throw error
}
