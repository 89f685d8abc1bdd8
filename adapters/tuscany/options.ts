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
    /** ITI-42 endpoint of the registry; absent, new documents are not passed on to it. */
    register: endpoint.optional(),
    /** ITI-57 endpoint of the registry; absent, neither updates nor hidings are. */
    update: endpoint.optional(),
    /** ITI-62 endpoint of the registry; absent, removals are not. */
    delete: endpoint.optional(),
    /** Whose spelling of ITI-62's action the registry takes: INI's, which the WSDL of Tuscany's services has too, or IHE's. */
    deleteAction: z.enum(['ini', 'ihe']).default('ini'),
    /** How requests for documents are packaged; answers are taken either way. */
    packaging: z.enum(['mtom', 'plain']).default('mtom'),
    /** Base address of the FHIR R4 face (ITI-67, ITI-78). */
    fhir: endpoint.optional(),
    /** Whether the FHIR face takes changes too, as transactions. */
    transactions: z.boolean().default(false),
    /** Where the FHIR face hands out documents (attachment.url); by default `[fhir]/Binary`. No public source names it. */
    binaries: endpoint.optional(),
    /** Asks the FHIR face for a person's identifiers and region of assistance (ITI-78). */
    patients: z.boolean().default(false),
    /** Identifier system of the region of assistance in Patient.managingOrganization; no public source names it. */
    regionSystem: z.string().default('urn:oid:2.16.840.1.113883.2.9.2'),
    /** Where INI's notifications are passed on, as the same SOAP 1.1 messages; absent, they are only kept. */
    notifications: endpoint.optional(),
    messageId: z.enum(['urn:uuid', 'uuid', 'bare']).default('urn:uuid'),
    codeLists: z.enum(['one-per-value', 'joined']).default('one-per-value'),
  })
  .refine(({ protocol, registry }) => protocol !== 'xds' || registry !== undefined, {
    path: ['registry'],
    message: 'is needed for protocol xds',
  })
  .refine(({ protocol, transactions }) => protocol === 'fhir' || !transactions, {
    path: ['transactions'],
    message: 'is for protocol fhir',
  })
  .refine(({ protocol, ...options }) => protocol === 'xds' || !changesByXds(options), {
    path: ['protocol'],
    message: 'must be xds where register, update or delete is given',
  })
  .refine(({ protocol, patients, fhir }) => (protocol !== 'fhir' && !patients) || fhir !== undefined, {
    path: ['fhir'],
    message: 'is needed for protocol fhir and for patients',
  })

export type TuscanyOptions = z.infer<typeof tuscanyOptions>

/** Whether any change is passed on by XDS.b. */
export function changesByXds(options: {
  readonly register?: string | undefined
  readonly update?: string | undefined
  readonly delete?: string | undefined
}): boolean {
  return [options.register, options.update, options.delete].some((url) => url !== undefined)
}
