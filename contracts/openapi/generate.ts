import { readFileSync, writeFileSync } from 'node:fs'
import { clientRuntime } from './client-runtime.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly (string | number)[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

interface Parameter {
  readonly $ref?: string
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly description?: string
  readonly required?: boolean
  readonly schema: Schema
}

interface Media {
  readonly schema: Schema
  readonly 'x-events'?: Readonly<Record<string, Schema>>
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
}

/** What the generator reads of a contract. */
export interface Contract {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly parameters: Readonly<Record<string, Parameter>>
  }
}

const width = 120

/** The TypeScript client of a contract (OpenAPI 3.1), one file without dependencies. The same bytes for the same contract. */
export function clientOf(contract: Contract): string {
  const { components, paths } = contract
  const types = Object.entries(components.schemas).map(([name, schema]) => declaration(name, schema))
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationOf(path, method, operation, components.parameters)),
  )
  const more = operations.flatMap(({ types }) => types)
  const methods = operations.flatMap(({ code }) => code)
  return `// Generated from contracts/openapi/gateway.json by contracts/openapi/generate.ts; not to be edited.

${[...types, ...more].join('\n\n')}
${clientRuntime}
/** The operations of the gateway. They reject with ProblemError for what it refuses. */
export function croceviaClient(options: ClientOptions) {
  return {
${methods.join('\n')}
  }
}
`
}

function declaration(name: string, schema: Schema): string {
  const comment = commentOf(schema, '')
  if (schema.properties !== undefined) return `${comment}export interface ${name} ${objectType(schema, '')}`
  return `${comment}export type ${name} = ${typeOf(schema, '', `export type ${name} = `.length)}`
}

function objectType({ properties = {}, required = [] }: Schema, indent: string): string {
  const inner = `${indent}  `
  const members = Object.entries(properties).map(([name, schema]) => {
    const head = `${inner}readonly ${name}${required.includes(name) ? '' : '?'}: `
    return `${commentOf(schema, inner)}${head}${typeOf(schema, inner, head.length)}`.replaceAll(': \n', ':\n')
  })
  return `{\n${members.join('\n')}\n${indent}}`
}

function typeOf(schema: Schema, indent: string, taken: number): string {
  const { $ref, enum: words, items, properties, type } = schema
  if ($ref !== undefined) return nameOf($ref)
  if (words !== undefined)
    return unionOf(
      words.map((word) => `'${word}'`),
      indent,
      taken,
    )
  if (items !== undefined) {
    const inner = typeOf(items, indent, taken)
    return items.enum === undefined ? `readonly ${inner}[]` : `readonly (${inner})[]`
  }
  if (properties !== undefined) return objectType(schema, indent)
  return type === 'integer' ? 'number' : (type ?? 'unknown')
}

function unionOf(words: readonly string[], indent: string, taken: number): string {
  const line = words.join(' | ')
  if (taken + line.length <= width) return line
  return words.map((word) => `\n${indent}  | ${word}`).join('')
}

function commentOf({ description }: Schema, indent: string): string {
  return description === undefined ? '' : `${indent}/** ${description} */\n`
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1)
}

function operationOf(
  path: string,
  method: string,
  { operationId, parameters = [], requestBody, responses, summary }: Operation,
  shared: Contract['components']['parameters'],
): { readonly types: readonly string[]; readonly code: readonly string[] } {
  const all = parameters.map((one) => (one.$ref === undefined ? one : (shared[nameOf(one.$ref)] ?? one)))
  const fixed = all.filter((one) => one.in === 'path')
  const free = all.filter((one) => one.in !== 'path')
  const body = requestBody?.content['application/json']?.schema
  const content = responses['200']?.content ?? {}
  const options = `${pascal(operationId)}Options`
  const named = [
    ...fixed.map(({ name }) => `${name}: string`),
    ...(body === undefined ? [] : [`body: ${typeOf(body, '', 0)}`]),
    `more: ${options} = {}`,
  ]
  const address = `\`${fixed.reduce((text, { name }) => text.replace(`{${name}}`, `\${encodeURIComponent(${name})}`), path)}\``
  const path0 = fixed.length === 0 ? `'${path}'` : address
  const query = free.filter((one) => one.in === 'query')
  const headers = free.filter((one) => one.in === 'header')
  const sending = (accept: string) => `      const response = await send(options, {
        method: '${method.toUpperCase()}',
        path: ${path0},
${query.length === 0 ? '' : `        query: { ${query.map(({ name }) => `${name}: more.${camel(name)}`).join(', ')} },\n`}        headers: {
${[`accept: '${accept}'`, ...headers.map(({ name }) => `'${name.toLowerCase()}': more.${camel(name)}`)].map((line) => `          ${line},`).join('\n')}
        },
${body === undefined ? '' : '        body,\n'}        signal: more.signal,
      })`
  const head = (summary: string, name: string, result: string) => {
    const line = `    async ${name}(${named.join(', ')}): ${result} {`
    const broken = `    async ${name}(\n${named.map((one) => `      ${one},`).join('\n')}\n    ): ${result} {`
    return `    /** ${summary}. */\n${line.length <= width ? line : broken}`
  }
  const typed = Object.entries(content).find(([type]) => type.endsWith('json'))
  const accept = typed?.[0] ?? '*/*'
  const result = typed === undefined ? 'Response' : typeOf(typed[1].schema, '', 0)
  const plain = `${head(summary, operationId, `Promise<${result}>`)}
${sending(accept)}
      return ${typed === undefined ? 'response' : `(await response.json()) as ${result}`}
    },`
  const told = content['text/event-stream']?.['x-events']
  const members = [
    ...free.map(({ description = '', name, schema }) => {
      return `  /** ${description}. */\n  readonly ${camel(name)}?: ${typeOf(schema, '', 0)}`
    }),
    '  readonly signal?: AbortSignal',
  ]
  const optional = `/** What \`${operationId}\` may be told beside. */\nexport interface ${options} {\n${members.join('\n')}\n}`
  if (told === undefined) return { types: [optional], code: [plain] }
  const event = `${pascal(operationId)}Event`
  const union = Object.entries(told).map(
    ([name, schema]) => `\n  | { readonly event: '${name}'; readonly data: ${typeOf(schema, '', 0)} }`,
  )
  const streamed = `${head(`${summary}, and hear of each answer as it comes`, `*${operationId}Events`, `AsyncGenerator<${event}>`)}
${sending('text/event-stream')}
      yield* eventsOf<${event}>(response)
    },`
  return {
    types: [optional, `/** An event of \`${operationId}\`. */\nexport type ${event} =${union.join('')}`],
    code: [plain, streamed],
  }
}

function pascal(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** `Emergency-Reason` as `emergencyReason`. */
function camel(name: string): string {
  const bare = name.replace(/^X-/, '')
  return bare.charAt(0).toLowerCase() + bare.slice(1).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

if (import.meta.main) {
  const contract = JSON.parse(readFileSync(new URL('gateway.json', import.meta.url), 'utf8')) as Contract
  writeFileSync(new URL('../../clients/typescript/crocevia.ts', import.meta.url), clientOf(contract))
}
