import { z } from 'zod'

/**
 * What FHIR R4 (4.0.1) and MHD 4.2 say of the resources the gateway serves, written from the specifications and apart from
 * the code under test: elements that are not listed do not exist, and cardinalities are those of the profiles.
 */
const text = z.string().regex(/^[\s\S]*\S[\s\S]*$/)
const uri = z.string().regex(/^\S+$/)
const code = z.string().regex(/^[^\s]+(\s[^\s]+)*$/)
const id = z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/)
const dateTime = z.string().regex(/^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/)
const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
const oid = z.string().regex(/^urn:oid:[0-2](\.(0|[1-9]\d*))+$/)
const many = <T extends z.ZodType>(one: T) => z.array(one).min(1)

const coding = z.strictObject({ system: uri.optional(), code: code.optional(), display: text.optional() })
const translated = z.strictObject({
  extension: many(
    z.strictObject({
      url: z.literal('http://hl7.org/fhir/StructureDefinition/translation'),
      extension: z.tuple([
        z.strictObject({ url: z.literal('lang'), valueCode: code }),
        z.strictObject({ url: z.literal('content'), valueString: text }),
      ]),
    }),
  ),
})
const concept = z.strictObject({ coding: many(coding).optional(), text: text.optional(), _text: translated.optional() })
const identifier = z.strictObject({
  use: z.enum(['usual', 'official', 'temp', 'secondary', 'old']).optional(),
  type: concept.optional(),
  system: uri.optional(),
  value: text.optional(),
})
const reference = z
  .strictObject({
    reference: text.optional(),
    type: uri.optional(),
    identifier: identifier.optional(),
    display: text.optional(),
  })
  .refine((one) => Object.keys(one).some((name) => name !== 'type'), 'says nothing')
const extension: z.ZodType = z.lazy(() =>
  z
    .strictObject({
      url: uri,
      extension: many(extension).optional(),
      valueString: text.optional(),
      valueUri: uri.optional(),
      valueOid: oid.optional(),
      valueInstant: instant.optional(),
      valueReference: reference.optional(),
      valueIdentifier: identifier.optional(),
      valueCodeableConcept: concept.optional(),
    })
    .refine((one) => Object.keys(one).length === 2, 'has either one value or extensions'),
)
const meta = z.strictObject({ profile: many(uri).optional() })
const contained = z.looseObject({ resourceType: text, id })
const name = z.strictObject({ family: text.optional(), given: many(text).optional(), text: text.optional() })

const mhd = 'https://profiles.ihe.net/ITI/MHD/'
const attachment = z.strictObject({
  contentType: code.optional(),
  language: code.optional(),
  url: uri.optional(),
  size: z.int().nonnegative().max(2_147_483_647).optional(),
  hash: z.base64().optional(),
  title: text.optional(),
  creation: dateTime.optional(),
})
const context = z.strictObject({
  encounter: many(reference).optional(),
  event: many(concept).optional(),
  period: z.strictObject({ start: dateTime.optional(), end: dateTime.optional() }).optional(),
  facilityType: concept.optional(),
  practiceSetting: concept.optional(),
  sourcePatientInfo: reference.optional(),
  related: many(reference).optional(),
})
const isOf = (system: string) => (one: z.infer<typeof identifier>) =>
  one.type?.coding?.some(
    (known) => known.system === `${mhd}CodeSystem/IHE.MHD.MHDIdentifierType` && known.code === system,
  )

/** DocumentReference as MHD's minimal profile narrows it; where it claims the comprehensive one, as that does. */
export const documentReference = z
  .strictObject({
    resourceType: z.literal('DocumentReference'),
    id,
    meta: meta.optional(),
    contained: many(contained).optional(),
    extension: many(extension).optional(),
    masterIdentifier: identifier.extend({ value: text }),
    identifier: many(identifier).refine((all) => all.filter(isOf('entryUUID')).length === 1, 'one entryUUID'),
    status: z.enum(['current', 'superseded']),
    type: concept.optional(),
    category: z.array(concept).length(1).optional(),
    subject: reference,
    author: many(reference).optional(),
    authenticator: reference.optional(),
    relatesTo: many(
      z.strictObject({ code: z.enum(['replaces', 'transforms', 'signs', 'appends']), target: reference }),
    ).optional(),
    description: text.optional(),
    securityLabel: many(concept).optional(),
    content: z.array(z.strictObject({ attachment, format: coding.optional() })).length(1),
    context: context.optional(),
  })
  .refine(({ contained = [], ...rest }) => contained.every((one) => isReferred(one.id, [rest, contained])), 'dom-3')
  .refine((one) => !claims(one, 'IHE.MHD.Minimal.DocumentReference') || keepsMinimal(one), 'is not minimal')
  .refine(
    (one) => !claims(one, 'IHE.MHD.Comprehensive.DocumentReference') || keepsComprehensive(one),
    'not comprehensive',
  )

interface Document {
  readonly meta?: z.infer<typeof meta> | undefined
  readonly type?: unknown
  readonly category?: unknown
  readonly securityLabel?: unknown
  readonly content: readonly { readonly attachment: z.infer<typeof attachment>; readonly format?: unknown }[]
  readonly context?: z.infer<typeof context> | undefined
}

function claims(
  { meta: { profile = [] } = {} }: { readonly meta?: z.infer<typeof meta> | undefined },
  profile_: string,
) {
  return profile.includes(`${mhd}StructureDefinition/${profile_}`)
}

function keepsMinimal({ content: [first] }: Document): boolean {
  return first?.attachment.contentType !== undefined && first.attachment.url !== undefined
}

function keepsComprehensive(one: Document): boolean {
  const { category, content, securityLabel, type } = one
  const { attachment: told, format } = content[0] ?? { attachment: {} }
  const { facilityType, practiceSetting } = one.context ?? {}
  const needed = [type, category, securityLabel, format, facilityType, practiceSetting]
  return keepsMinimal(one) && ![...needed, told.language, told.creation, told.hash, told.size].includes(undefined)
}

function isReferred(id_: string, inside: unknown): boolean {
  return JSON.stringify(inside).includes(`"reference":"#${id_}"`)
}

/** A submission set or folder: List as MHD's profiles narrow it. */
export const list = z
  .strictObject({
    resourceType: z.literal('List'),
    id,
    meta: meta.optional(),
    contained: many(contained).optional(),
    extension: many(extension).optional(),
    identifier: z
      .array(identifier)
      .refine((all) => all.filter(({ use }) => use === 'usual').length === 1, 'one uniqueId')
      .refine((all) => all.filter(({ use }) => use === 'official').length === 1, 'one entryUUID'),
    status: z.enum(['current', 'retired']),
    mode: z.literal('working'),
    title: text.optional(),
    code: z.strictObject({
      coding: z.tuple([
        z.strictObject({
          system: z.literal(`${mhd}CodeSystem/MHDlistTypes`),
          code: z.enum(['submissionset', 'folder']),
        }),
      ]),
    }),
    subject: reference,
    date: dateTime.optional(),
    source: reference.optional(),
    note: many(z.strictObject({ text })).optional(),
    entry: many(z.strictObject({ item: reference })).optional(),
  })
  .refine((one) => {
    if (!claims(one, 'IHE.MHD.Comprehensive.SubmissionSet')) return true
    const has = (url: string) => JSON.stringify(one.extension ?? []).includes(`ihe-${url}`)
    return one.date !== undefined && has('sourceId') && has('designationType')
  }, 'is not comprehensive')

export const patient = z.strictObject({
  resourceType: z.literal('Patient'),
  id,
  identifier: many(identifier.extend({ system: uri, value: text })),
  active: z.boolean(),
  name: many(name).optional(),
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  birthDate: z
    .string()
    .regex(/^\d{4}(-\d\d(-\d\d)?)?$/)
    .optional(),
})

const issueTypes = [
  ...[
    'structure',
    'required',
    'value',
    'invariant',
    'security',
    'login',
    'unknown',
    'expired',
    'forbidden',
    'suppressed',
  ],
  ...[
    'processing',
    'not-supported',
    'duplicate',
    'multiple-matches',
    'not-found',
    'deleted',
    'too-long',
    'code-invalid',
  ],
  ...['extension', 'too-costly', 'business-rule', 'conflict', 'transient', 'lock-error', 'no-store', 'exception'],
  ...['timeout', 'incomplete', 'throttled', 'informational', 'invalid'],
]

export const operationOutcome = z.strictObject({
  resourceType: z.literal('OperationOutcome'),
  issue: many(
    z.strictObject({
      severity: z.enum(['fatal', 'error', 'warning', 'information']),
      code: z.enum(issueTypes),
      details: concept,
      diagnostics: text.optional(),
    }),
  ),
})

export const parameters = z.strictObject({
  resourceType: z.literal('Parameters'),
  parameter: many(
    z.strictObject({ name: text, valueIdentifier: identifier.optional(), valueReference: reference.optional() }),
  ),
})

const resources = z.discriminatedUnion('resourceType', [documentReference, list, patient, operationOutcome])

/** A search's answer (MHD: FindDocumentReferencesResponse, FindDocumentListsResponse): a total, and addresses. */
export const searchset = z
  .strictObject({
    resourceType: z.literal('Bundle'),
    type: z.literal('searchset'),
    total: z.int().nonnegative(),
    link: many(z.strictObject({ relation: z.enum(['self', 'next']), url: uri })),
    entry: many(
      z.strictObject({
        fullUrl: uri,
        resource: resources,
        search: z.strictObject({ mode: z.enum(['match', 'outcome']) }),
      }),
    ).optional(),
  })
  .refine(({ link }) => link.filter(({ relation }) => relation === 'self').length === 1, 'one self link')
  .refine(({ entry = [] }) => {
    return entry.every(
      ({ resource, search }) => (search.mode === 'outcome') === (resource.resourceType === 'OperationOutcome'),
    )
  }, 'outcomes are OperationOutcomes')
  .refine(({ entry = [] }) => new Set(entry.map(({ fullUrl }) => fullUrl)).size === entry.length, 'bdl-7')

const searchParam = z.strictObject({
  name: text,
  type: z.enum(['number', 'date', 'string', 'token', 'reference', 'composite', 'quantity', 'uri', 'special']),
  documentation: text.optional(),
})

export const capabilityStatement = z.strictObject({
  resourceType: z.literal('CapabilityStatement'),
  url: uri,
  version: text,
  name: z.string().regex(/^[A-Z][A-Za-z0-9_]{0,254}$/),
  title: text,
  status: z.literal('active'),
  date: dateTime,
  kind: z.literal('instance'),
  instantiates: many(uri),
  software: z.strictObject({ name: text, version: text }),
  implementation: z.strictObject({ description: text, url: uri }),
  fhirVersion: z.literal('4.0.1'),
  format: many(code),
  rest: z.tuple([
    z.strictObject({
      mode: z.literal('server'),
      documentation: text,
      security: z.strictObject({ cors: z.boolean(), description: text }),
      resource: many(
        z.strictObject({
          type: code,
          profile: uri.optional(),
          supportedProfile: many(uri).optional(),
          interaction: many(z.strictObject({ code: z.enum(['read', 'search-type']) })),
          searchParam: many(searchParam)
            .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'cpb-12')
            .optional(),
          operation: many(z.strictObject({ name: text, definition: uri })).optional(),
        }),
      ).refine((all) => new Set(all.map(({ type }) => type)).size === all.length, 'cpb-9'),
    }),
  ]),
})

export const operationDefinition = z.strictObject({
  resourceType: z.literal('OperationDefinition'),
  id,
  url: uri,
  version: text,
  name: z.string().regex(/^[A-Z][A-Za-z0-9_]{0,254}$/),
  title: text,
  status: z.literal('active'),
  kind: z.literal('operation'),
  date: dateTime,
  affectsState: z.boolean(),
  code,
  base: uri,
  resource: many(code),
  system: z.boolean(),
  type: z.boolean(),
  instance: z.boolean(),
  parameter: many(
    z.strictObject({
      name: code,
      use: z.enum(['in', 'out']),
      min: z.int().nonnegative(),
      max: z.string().regex(/^(\d+|\*)$/),
      documentation: text.optional(),
      type: code,
      searchType: z.literal('token').optional(),
    }),
  ),
})
