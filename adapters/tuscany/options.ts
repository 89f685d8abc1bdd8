import { z } from 'zod'

const endpoint = z.url({ protocol: /^https$/ })

/** How the Tuscan record is reached. */
export const tuscanyOptions = z
  .strictObject({
    /** Which face of the record answers queries. */
    protocol: z.enum(['xds', 'fhir']).default('xds'),
    /** ITI-18 endpoint of the registry. */
    registry: endpoint.optional(),
    /** ITI-43 endpoint of the repositories; absent, our own documents cannot be retrieved. */
    repository: endpoint.optional(),
    /** How requests for documents are packaged; answers are taken either way. */
    packaging: z.enum(['mtom', 'plain']).default('mtom'),
    /** Base address of the FHIR R4 face (ITI-67, ITI-78). */
    fhir: endpoint.optional(),
    /** Asks the FHIR face for a person's identifiers and region of assistance (ITI-78). */
    patients: z.boolean().default(false),
    /** Identifier system of the region of assistance in Patient.managingOrganization; no public source names it. */
    regionSystem: z.string().default('urn:oid:2.16.840.1.113883.2.9.2'),
    messageId: z.enum(['urn:uuid', 'uuid', 'bare']).default('urn:uuid'),
    codeLists: z.enum(['one-per-value', 'joined']).default('one-per-value'),
  })
  .refine(({ protocol, registry }) => protocol !== 'xds' || registry !== undefined, {
    path: ['registry'],
    message: 'is needed for protocol xds',
  })
  .refine(({ protocol, patients, fhir }) => (protocol !== 'fhir' && !patients) || fhir !== undefined, {
    path: ['fhir'],
    message: 'is needed for protocol fhir and for patients',
  })

export type TuscanyOptions = z.infer<typeof tuscanyOptions>
