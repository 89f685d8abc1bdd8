import { z } from 'zod'
import { contract } from './portal-doors.ts'

interface Described {
  readonly $ref?: string
}

interface Answer extends Described {
  readonly headers?: Readonly<Record<string, Described>>
  readonly content?: Readonly<
    Record<string, { readonly schema: unknown; readonly 'x-events'?: Readonly<Record<string, unknown>> }>
  >
}

/** What the tests read of the contract. */
export const openapi = JSON.parse(contract) as {
  readonly openapi: string
  readonly info: Readonly<Record<string, unknown>>
  readonly servers: readonly { readonly url: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>
    readonly responses: Readonly<Record<string, Answer>>
    readonly headers: Readonly<Record<string, unknown>>
  }
}

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name?: string }[]
  readonly responses: Readonly<Record<string, Answer>>
}

/** What of a value is not as a schema of the contract has it, as sentences. */
export function faultsOf(schema: unknown, value: unknown): readonly string[] {
  const text = JSON.stringify({ $defs: openapi.components.schemas, ...(schema as object) })
  const bound = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Parameters<
    typeof z.fromJSONSchema
  >[0]
  const { error } = z.fromJSONSchema(bound).safeParse(value)
  return error?.issues.map(({ message, path }) => `${path.join('.')}: ${message}`) ?? []
}

export const schemaNamed = (name: string): unknown => ({ $ref: `#/components/schemas/${name}` })

/** The answer that an operation has for a status. */
export function answerOf(path: string, method: string, status: number): Answer | undefined {
  const answer = openapi.paths[path]?.[method]?.responses[String(status)]
  const name = answer?.$ref?.split('/').at(-1)
  return name === undefined ? answer : openapi.components.responses[name]
}

/** What is wrong with an answer as the contract has it: its status, its type, its headers, its body. */
export function breaches(
  [path, method]: readonly [path: string, method: string],
  {
    headers,
    status,
    text,
  }: { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly text: string },
): readonly string[] {
  const answer = answerOf(path, method, status)
  if (answer === undefined) return [`${method} ${path} has no answer ${status}`]
  const type = String(headers['content-type']).split(';')[0] ?? ''
  const content = answer.content?.[type] ?? answer.content?.['*/*']
  const missing = Object.keys(answer.headers ?? {}).filter((name) => headers[name.toLowerCase()] === undefined)
  return [
    ...missing.map((name) => `the header ${name} is missing`),
    ...(content === undefined ? [`${type} is not a type of ${status}`] : []),
    ...(content !== undefined && type.endsWith('json') ? faultsOf(content.schema, JSON.parse(text)) : []),
    ...(type === 'text/event-stream' ? eventsIn(text).flatMap((one) => eventFaults(one, content?.['x-events'])) : []),
  ]
}

export interface ToldEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The events of a stream. */
export function eventsIn(text: string): readonly ToldEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const [, event] = /^event: (.*)$/m.exec(block) ?? []
    const [, data] = /^data: (.*)$/m.exec(block) ?? []
    return event === undefined || data === undefined ? [] : [{ event, data: JSON.parse(data) }]
  })
}

function eventFaults({ data, event }: ToldEvent, events: Readonly<Record<string, unknown>> = {}): readonly string[] {
  const schema = events[event]
  return schema === undefined ? [`there is no event ${event}`] : faultsOf(schema, data)
}
