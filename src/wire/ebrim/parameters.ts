import { GatewayError } from '../../core/errors.ts'
import type { CodeQuery, Slot } from '../../core/model/code.ts'
import type { AvailabilityStatus } from '../../core/model/metadata.ts'
import { type PatientId, patientId } from '../../core/model/patient.ts'
import type { AllOfAnyOf, AnyOf, ObjectKey } from '../../core/model/stored-query.ts'
import { type TimeRange, timestamp } from '../../core/model/timestamp.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { associationTypes, availability, entryKinds } from './names.ts'
import { quote, readCodeQuery, readItems, writeCodeQuery, writeLists } from './parameter-values.ts'

/** The slots of a query, taken one by one by the parameters that know them; what remains nobody here knows. */
export class ParameterSlots {
  readonly #slots: Slot[]

  constructor(slots: readonly Slot[]) {
    this.#slots = [...slots]
  }

  take(name: string): Slot[] {
    const taken = this.#slots.filter((slot) => slot.name === name)
    for (const slot of taken) this.#slots.splice(this.#slots.indexOf(slot), 1)
    return taken
  }

  get rest(): readonly Slot[] {
    return this.#slots
  }
}

export interface WriteOptions {
  /** Whether the codes of a parameter stand each in a rim:Value of its own, or together as far as they fit. */
  readonly codeLists: 'one-per-value' | 'joined'
}

/** One parameter, or a group of them, both ways. `read` gives undefined when it is absent. Throws `parameter-*`. */
export interface Parameter<T> {
  readonly read: (slots: ParameterSlots) => T | undefined
  readonly write: (value: T, options: WriteOptions) => Slot[]
  /** What to call it when it is missing. */
  readonly name: string
}

export function required<T>(parameter: Parameter<T>): Parameter<T> {
  return {
    ...parameter,
    read(slots) {
      const value = parameter.read(slots)
      if (value === undefined) throw new GatewayError('parameter-missing', `${parameter.name} is required`)
      return value
    },
  }
}

/** The items of a parameter that may be given once, in one list or several. */
function takeItems(slots: ParameterSlots, name: string): string[] | undefined {
  const taken = slots.take(name)
  if (taken.length > 1) throw new GatewayError('parameter-count', `${name} may be given only once`)
  return taken[0]?.values.flatMap((value) => readItems(value, name))
}

/** A parameter that is there but empty would otherwise pass for one that asks for anything. */
function takeList(slots: ParameterSlots, name: string): string[] | undefined {
  const items = takeItems(slots, name)
  if (items?.length === 0) throw new GatewayError('parameter-missing', `${name} has no value`)
  return items
}

function takeSingle(slots: ParameterSlots, name: string): string | undefined {
  const items = takeList(slots, name)
  if (items !== undefined && items.length > 1) throw new GatewayError('parameter-count', `${name} takes a single value`)
  return items?.[0]
}

export function patient(name: string): Parameter<PatientId> {
  return {
    name,
    read(slots) {
      const text = takeSingle(slots, name)
      if (text === undefined) return undefined
      const id = parseCx(text)
      if (id === undefined) throw new GatewayError('parameter-invalid', `${name} must have the form ID^^^&OID&ISO`)
      return patientId(id.value, id.authority)
    },
    write: (id) => [{ name, values: [quote(formatCx(id))] }],
  }
}

export function text(name: string): Parameter<string> {
  return {
    name,
    read: (slots) => takeSingle(slots, name),
    write: (value) => [{ name, values: [quote(value)] }],
  }
}

/** Any of several items, each of which `read` understands; one it answers undefined to is passed over. */
function anyOf<T>(
  name: string,
  item: { readonly read: (text: string) => T | undefined; readonly write: (value: T) => string },
  joins: (options: WriteOptions) => boolean,
): Parameter<AnyOf<T>> {
  return {
    name,
    read(slots) {
      const values = takeList(slots, name)
        ?.map(item.read)
        .filter((value) => value !== undefined)
      if (values?.length === 0) throw new GatewayError('parameter-missing', `${name} has no value known here`)
      return values
    },
    write: (values, options) => [{ name, values: writeLists(values.map(item.write), joins(options)) }],
  }
}

const asItIs = { read: (text: string) => text, write: (text: string) => text }
const never = () => false
const joined = (options: WriteOptions) => options.codeLists === 'joined'

export function texts(name: string): Parameter<AnyOf<string>> {
  return anyOf(name, asItIs, never)
}

export function codes(name: string): Parameter<AnyOf<CodeQuery>> {
  return anyOf(name, { read: (item) => readCodeQuery(item, name), write: writeCodeQuery }, joined)
}

/** Statuses and kinds nobody here knows are ignored (ITI TF-2: 3.18.4.1.2.3.6); something must be left. */
export function statuses(name: string): Parameter<AnyOf<AvailabilityStatus>> {
  const known = (uri: string) => (availability.knows(uri) ? availability.word(uri) : undefined)
  return anyOf(name, { read: known, write: availability.spell }, joined)
}

export function kinds(name: string): Parameter<AnyOf<'stable' | 'on-demand'>> {
  const known = (uuid: string) => (entryKinds.knows(uuid) ? entryKinds.word(uuid) : undefined)
  return anyOf(name, { read: known, write: entryKinds.spell }, never)
}

export function associations(name: string): Parameter<AnyOf<string>> {
  return anyOf(name, { read: associationTypes.word, write: associationTypes.spell }, never)
}

/** A parameter whose slot may be repeated: all of the slots, any item of each. */
function allOfAnyOf<T>(
  name: string,
  item: { readonly read: (text: string) => T; readonly write: (value: T) => string },
  joins: (options: WriteOptions) => boolean,
): Parameter<AllOfAnyOf<T>> {
  return {
    name,
    read(slots) {
      const groups = slots
        .take(name)
        .map((slot) => slot.values.flatMap((value) => readItems(value, name)).map(item.read))
      if (groups.some((group) => group.length === 0))
        throw new GatewayError('parameter-missing', `${name} has no value`)
      return groups.length === 0 ? undefined : groups
    },
    write: (groups, options) =>
      groups.map((group) => ({ name, values: writeLists(group.map(item.write), joins(options)) })),
  }
}

export function codeGroups(name: string): Parameter<AllOfAnyOf<CodeQuery>> {
  return allOfAnyOf(name, { read: (item) => readCodeQuery(item, name), write: writeCodeQuery }, joined)
}

export function textGroups(name: string): Parameter<AllOfAnyOf<string>> {
  return allOfAnyOf(name, asItIs, never)
}

/** `…From` and `…To`. A time is written as a number, which is what the registries that check its type ask for. */
export function timeRange(name: string): Parameter<TimeRange> {
  const time = (slots: ParameterSlots, end: string) => {
    const value = takeSingle(slots, end)
    return value === undefined ? undefined : timestamp(value)
  }
  return {
    name,
    read(slots) {
      const from = time(slots, `${name}From`)
      const to = time(slots, `${name}To`)
      if (from === undefined && to === undefined) return undefined
      return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
    },
    write: ({ from, to }) => [
      ...(from === undefined ? [] : [{ name: `${name}From`, values: [from] }]),
      ...(to === undefined ? [] : [{ name: `${name}To`, values: [to] }]),
    ],
  }
}

/** Exactly one of several parameters that name the same objects in different ways. */
export function objectKey(
  names: Readonly<Partial<Record<ObjectKey['by'], string>>>,
  { single }: { readonly single: boolean },
): Parameter<ObjectKey> {
  const alternatives = Object.entries(names) as readonly (readonly [ObjectKey['by'], string])[]
  const name = alternatives.map(([, parameter]) => parameter).join(' or ')
  return {
    name: `Exactly one of ${name}`,
    read(slots) {
      const given = alternatives.flatMap(([by, parameter]) => {
        const ids = takeList(slots, parameter)
        return ids === undefined ? [] : [{ by, ids }]
      })
      if (given.length > 1) throw new GatewayError('parameter-count', `Only one of ${name} may be given`)
      const [key] = given
      if (single && key !== undefined && key.ids.length > 1)
        throw new GatewayError('parameter-count', `${name} takes a single value`)
      return key
    },
    write({ by, ids }) {
      const parameter = names[by]
      if (parameter === undefined) throw new GatewayError('parameter-invalid', `This query knows no ${by}`)
      return [{ name: parameter, values: single ? ids.map(quote) : writeLists(ids, false) }]
    },
  }
}

/** How each field of `T` is spelled. */
export type Fields<T> = { readonly [Field in keyof T]-?: Parameter<Exclude<T[Field], undefined>> }

/** Several parameters that stand together as one object. It is never absent, only empty. */
export function group<T extends object>(fields: Fields<T>): Parameter<T> {
  const entries = Object.entries(fields) as readonly (readonly [string, Parameter<unknown>])[]
  return {
    name: entries.map(([, parameter]) => parameter.name).join(', '),
    read(slots) {
      const value: Record<string, unknown> = {}
      for (const [field, parameter] of entries) {
        const read = parameter.read(slots)
        if (read !== undefined) value[field] = read
      }
      return value as T
    },
    write(value, options) {
      const given = value as Readonly<Record<string, unknown>>
      return entries.flatMap(([field, parameter]) =>
        given[field] === undefined ? [] : parameter.write(given[field], options),
      )
    },
  }
}
