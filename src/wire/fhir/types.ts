import { type ErrorCode, GatewayError } from '../../core/errors.ts'

/** What a JSON value must look like as far as we read it: keys that are not listed may hold anything. */
type Shape = 'string' | 'number' | 'boolean' | 'any' | readonly [Shape] | { readonly [key: string]: Shape }

/** The type of a value that has a shape. Every element is optional, as it is when received. */
type Told<S> = S extends 'string'
  ? string
  : S extends 'number'
    ? number
    : S extends 'boolean'
      ? boolean
      : S extends 'any'
        ? unknown
        : S extends readonly [infer Item]
          ? readonly Told<Item>[]
          : { readonly [Key in keyof S]?: Told<S[Key]> }

const coding = { system: 'string', code: 'string', display: 'string' } as const
const concept = { coding: [coding], text: 'string' } as const
const identifier = { use: 'string', type: concept, system: 'string', value: 'string' } as const
const reference = { reference: 'string', type: 'string', identifier, display: 'string' } as const
const name = { family: 'string', given: ['string'], text: 'string' } as const
const telecom = { system: 'string', value: 'string' } as const
const address = {
  line: ['string'],
  city: 'string',
  district: 'string',
  state: 'string',
  postalCode: 'string',
  country: 'string',
} as const
const person = { identifier: [identifier], name: [name], telecom: [telecom] } as const

/** The shapes of FHIR R4 (4.0.1) that the gateway reads and writes, each as far as it does. */
export const shapes = {
  text: 'string',
  number: 'number',
  concept,
  coding,
  codings: [coding],
  concepts: [concept],
  identifier,
  identifiers: [identifier],
  reference,
  references: [reference],
  extensions: [{ url: 'string', valueString: 'string', valueOid: 'string' }],
  relations: [{ code: 'string', target: reference }],
  contained: [{ resourceType: 'string', id: 'string' }],
  person,
  organization: { identifier: [identifier], name: 'string', telecom: [telecom] },
  role: { practitioner: reference, organization: reference, code: [concept], specialty: [concept], telecom: [telecom] },
  patient: {
    ...person,
    resourceType: 'string',
    id: 'string',
    gender: 'string',
    birthDate: 'string',
    address: [address],
    managingOrganization: reference,
  },
  documentReference: {
    resourceType: 'string',
    id: 'string',
    content: [{ attachment: {} }],
    context: { period: {} },
  },
  bundle: {
    resourceType: 'string',
    type: 'string',
    link: [{ relation: 'string', url: 'string' }],
    entry: [{ fullUrl: 'string', resource: { resourceType: 'string' }, search: { mode: 'string' } }],
  },
  transactionResponse: {
    resourceType: 'string',
    type: 'string',
    entry: [{ response: { status: 'string', outcome: 'any' } }],
  },
  outcome: {
    resourceType: 'string',
    issue: [
      {
        severity: 'string',
        code: 'string',
        details: concept,
        diagnostics: 'string',
        expression: ['string'],
        location: ['string'],
      },
    ],
  },
} as const satisfies Record<string, Shape>

export type Coding = Told<typeof coding>
export type CodeableConcept = Told<typeof concept>
export type Identifier = Told<typeof identifier>
export type Reference = Told<typeof reference>
export type HumanName = Told<typeof name>
export type ContactPoint = Told<typeof telecom>
export type Address = Told<typeof address>
export type Extension = Told<(typeof shapes.extensions)[0]>
export type Person = Told<typeof person>
export type Organization = Told<typeof shapes.organization>
export type PractitionerRole = Told<typeof shapes.role>
export type Patient = Told<typeof shapes.patient>
export type Bundle = Told<typeof shapes.bundle>
export type OperationOutcome = Told<typeof shapes.outcome>

/** A JSON object whose elements nobody has looked at. */
export type Json = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as what its shape says. Throws a GatewayError of the given code that names the place and no value. */
export function told<const S extends Shape>(
  shape: S,
  value: unknown,
  place: string,
  code: ErrorCode = 'metadata-invalid',
): Told<S> {
  const fault = misfit(shape, value, place)
  if (fault !== undefined) throw new GatewayError(code, `${fault} is not of the type FHIR gives it`)
  return value as Told<S>
}

function misfit(shape: Shape, value: unknown, place: string): string | undefined {
  if (typeof shape === 'string') return shape === 'any' || typeof value === shape ? undefined : place
  if (isList(shape)) {
    if (!Array.isArray(value)) return place
    for (const item of value) {
      const fault = misfit(shape[0], item, place)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  if (!isObject(value)) return place
  for (const key of Object.keys(shape)) {
    const inner = shape[key]
    if (inner === undefined || !Object.hasOwn(value, key)) continue
    const fault = misfit(inner, value[key], `${place}.${key}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape)
}

/** Whether nothing lies deeper than `levels`: what is walked and printed recursively must have a floor. */
export function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    if (!isShallow(item, levels - 1)) return false
  }
  return true
}

/** Whether two JSON values say the same; the order of keys does not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]))
  }
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
}
