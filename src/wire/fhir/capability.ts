import { documentParameters } from './document-question.ts'
import { listParameters } from './list-question.ts'
import { mhdProfiles } from './names.ts'
import { personParameters } from './person-question.ts'
import type { Json } from './types.ts'

/** What differs between gateways. */
export interface Capabilities {
  /** `[base]`. */
  readonly base: string
  readonly software: { readonly name: string; readonly version: string }
  /** RFC 3339: since when this is what the server can. */
  readonly since: string
  /** Whether people are told of: ITI-78 and ITI-83. */
  readonly patients: boolean
  /** Whether parameters that name people may stand in addresses. */
  readonly identifiersInUrls: boolean
  /** Whether pages of other origins may read answers (CORS). */
  readonly isShared: boolean
}

const ihe = 'https://profiles.ihe.net/ITI/'

const types: Readonly<Record<string, string>> = {
  patient: 'reference',
  related: 'reference',
  date: 'date',
  creation: 'date',
  period: 'date',
  birthdate: 'date',
  'author.given': 'string',
  'author.family': 'string',
  'source.given': 'string',
  'source.family': 'string',
  given: 'string',
  family: 'string',
}

const notes: Readonly<Record<string, string>> = {
  date: 'Of documents the time they were made, as creation; of lists the time of submission or of the last update.',
  related: 'By identifier: related:identifier or related.identifier, or the value alone.',
  status: 'Needed.',
  patient: 'The id of a Patient that this server told, or an identifier with the modifier identifier.',
  'patient.identifier': 'This or patient is needed.',
  period: 'Documents without a time of service are not found by it.',
  family: 'Held against the person who is found by identifier.',
  given: 'Held against the person who is found by identifier.',
  birthdate: 'Held against the person who is found by identifier.',
  gender: 'Held against the person who is found by identifier.',
}

/** The CapabilityStatement of the face (FHIR R4; MHD 4.2, PDQm and PIXm as far as they go). */
export function capabilityStatement(capabilities: Capabilities): Json {
  const { base, identifiersInUrls, isShared, patients, since, software } = capabilities
  return {
    resourceType: 'CapabilityStatement',
    url: `${base}/metadata`,
    version: software.version,
    name: 'Crocevia',
    title: 'Portal face of an interregional gateway of electronic health records',
    status: 'active',
    date: since,
    kind: 'instance',
    instantiates: [`${ihe}MHD/CapabilityStatement/IHE.MHD.DocumentResponder`],
    software,
    implementation: { description: 'Documents of all communities, as one index', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [
      {
        mode: 'server',
        documentation: identifiersInUrls
          ? 'Searches by POST [type]/_search, or by GET.'
          : 'Searches by POST [type]/_search: nothing that names a person or a document may stand in an address.',
        security: { cors: isShared, description: 'Mutual TLS, and a token that names the user and the patient.' },
        resource: [
          served('DocumentReference', documentParameters, {
            profile: mhdProfiles.minimalDocument,
            supportedProfile: [mhdProfiles.comprehensiveDocument],
          }),
          served('List', listParameters, {
            supportedProfile: [
              ...[mhdProfiles.minimalSubmissionSet, mhdProfiles.comprehensiveSubmissionSet],
              ...[mhdProfiles.minimalFolder, mhdProfiles.comprehensiveFolder],
            ],
          }),
          { type: 'Binary', interaction: [{ code: 'read' }] },
          ...(patients ? [{ ...served('Patient', personParameters), operation: [pixOperation(base)] }] : []),
          ...(patients ? [{ type: 'OperationDefinition', interaction: [{ code: 'read' }] }] : []),
        ],
      },
    ],
  }
}

function pixOperation(base: string): Json {
  return { name: 'ihe-pix', definition: `${base}/OperationDefinition/${pixOperationId}` }
}

function served(type: string, parameters: Readonly<Record<string, unknown>>, more: Json = {}): Json {
  return {
    type,
    ...more,
    interaction: [{ code: 'read' }, { code: 'search-type' }],
    searchParam: Object.keys(parameters).map((name) => {
      const documentation = notes[name]
      return { name, type: types[name] ?? 'token', ...(documentation === undefined ? {} : { documentation }) }
    }),
  }
}

/** The id of the definition of `$ihe-pix`. */
export const pixOperationId = 'patient-ihe-pix'

/** The OperationDefinition of `$ihe-pix` (PIXm, ITI-83). */
export function pixOperationDefinition({ base, since, software }: Capabilities): Json {
  const parameter = (name: string, use: string, max: string, more: Json) => ({ name, use, min: 0, max, ...more })
  return {
    resourceType: 'OperationDefinition',
    id: pixOperationId,
    url: `${base}/OperationDefinition/${pixOperationId}`,
    version: software.version,
    name: 'PatientIhePix',
    title: 'Identifiers of a person in other domains',
    status: 'active',
    kind: 'operation',
    date: since,
    affectsState: false,
    code: 'ihe-pix',
    base: `${ihe}PIXm/OperationDefinition/IHE.PIXm.pix`,
    resource: ['Patient'],
    system: false,
    type: true,
    instance: false,
    parameter: [
      {
        ...parameter('sourceIdentifier', 'in', '1', { type: 'string', searchType: 'token' }),
        min: 1,
        documentation: 'An identifier of the person the token is about: urn:oid:<authority>|<value>.',
      },
      parameter('targetSystem', 'in', '*', { type: 'uri', documentation: 'Domains whose identifiers are wanted.' }),
      parameter('targetIdentifier', 'out', '*', { type: 'Identifier' }),
      parameter('targetId', 'out', '*', { type: 'Reference' }),
    ],
  }
}
