import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Contract, clientOf } from '../../contracts/openapi/generate.ts'
import { errorCodes } from '../../src/core/errors.ts'
import type { Community } from '../../src/core/ports.ts'
import { apiProblems, formProblems } from '../../src/http/api/problem.ts'
import { problemPages } from '../../src/http/api/problem-pages.ts'
import { answer, assertion, entry, homes, neighbours } from '../support/builders.ts'
import { handles } from '../support/handles.ts'
import { breaches, faultsOf, openapi, schemaNamed } from '../support/openapi.ts'
import { contract, portalDoors } from '../support/portal-doors.ts'

const bytes = Buffer.from('<ClinicalDocument/>')
const kept = entry('kept', { repositoryUniqueId: '1.2.3', home: homes.tuscany })
const tuscany: Community = {
  ...neighbours.tuscany,
  registry: { query: async () => answer({ entries: [kept] }) },
  repository: {
    mostAtOnce: 1,
    async retrieve([reference]) {
      if (reference?.uniqueId !== kept.uniqueId) return { documents: [], issues: [] }
      const content = {
        ...{ size: bytes.length, sha1: 'aa' },
        async *read() {
          yield Uint8Array.from(bytes)
        },
        [Symbol.asyncDispose]: async () => undefined,
      }
      return {
        documents: [{ repositoryUniqueId: '1.2.3', uniqueId: kept.uniqueId, mimeType: 'application/xml', content }],
        issues: [],
      }
    },
  },
}

let isReady = true
let doors: Awaited<ReturnType<typeof portalDoors>>
beforeAll(async () => {
  doors = await portalDoors({ communities: [tuscany], ready: async () => isReady })
})
afterAll(() => doors[Symbol.asyncDispose]())

const handle = (uniqueId = kept.uniqueId) => {
  return handles.seal({ home: homes.tuscany, repositoryUniqueId: '1.2.3', uniqueId }, assertion())
}
const json = [['content-type', 'application/json']] as const
const question = Buffer.from(
  JSON.stringify({ patient: { value: 'PROVAX80A01H501M', authority: '2.16.840.1.113883.2.9.4.3.2' } }),
)

describe('every route answers as the contract has it', () => {
  const documents = '/api/v1/documents/{handle}'
  it.each([
    ['/api/v1/caller', 'get', 200, () => ({ path: '/api/v1/caller' })],
    ['/api/v1/federated-queries', 'post', 200, () => ({ body: question, headers: json })],
    ['/api/v1/federated-queries', 'post', 415, () => ({ body: question })],
    ['/api/v1/federated-queries', 'post', 400, () => ({ body: Buffer.from('{}'), headers: json })],
    [documents, 'get', 200, () => ({ path: `/api/v1/documents/${handle()}` })],
    [documents, 'head', 200, () => ({ path: `/api/v1/documents/${handle()}` })],
    [documents, 'get', 404, () => ({ path: `/api/v1/documents/${handle('1.2^none')}` })],
    [documents, 'get', 404, () => ({ path: `/api/v1/documents/${handle()}?form=cda` })],
    [documents, 'get', 400, () => ({ path: `/api/v1/documents/${handle()}?form=paper` })],
    ['/status', 'get', 200, () => ({ path: '/status' })],
  ] as const)('%s %s: %i', async (path, method, status, sent) => {
    const received = await doors.send({ path, method: method.toUpperCase(), ...sent() })
    expect(received.status).toBe(status)
    expect(breaches([path, method], received)).toEqual([])
  })

  it('/status get: 503 while nothing can be accounted for', async () => {
    isReady = false
    const received = await doors.send({ path: '/status' })
    expect(received).toMatchObject({ status: 503, headers: { 'content-type': 'application/problem+json' } })
    expect(breaches(['/status', 'get'], received)).toEqual([])
    isReady = true
  })

  it('takes what the contract shows as an example', () => {
    const { example } =
      JSON.parse(contract).paths['/api/v1/federated-queries'].post.requestBody.content['application/json']
    expect(faultsOf(schemaNamed('FederatedQuery'), example)).toEqual([])
    expect(faultsOf(schemaNamed('FederatedQuery'), { ...example, name: 'x' })).not.toEqual([])
  })
})

describe('the contract', () => {
  const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  )

  it('keeps to the rules of the Italian guidelines that can be read off it', () => {
    expect(openapi.openapi).toMatch(/^3\./)
    expect(openapi.info).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      contact: { name: expect.any(String) },
      'x-summary': expect.any(String),
      'x-api-id': expect.any(String),
    })
    for (const { description, url } of openapi.servers) {
      expect(url).toMatch(/^https:/)
      expect(description).not.toBe('')
    }
    expect(Object.keys(openapi.paths)).toContain('/status')
    for (const path of Object.keys(openapi.paths))
      expect(path).toMatch(/^(?:\/(?:[a-z0-9]+(?:-[a-z0-9]+)*|\{[a-z-]+\}))+$/)
  })

  it('tells every failure as a problem, with the allowance where there is one', () => {
    const { responses } = openapi.components
    for (const { responses: own, path } of operations) {
      for (const [status, told] of Object.entries(own)) {
        if (Number(status) < 400) continue
        const answer = told.$ref === undefined ? told : responses[told.$ref.split('/').at(-1) ?? '']
        expect(Object.keys(answer?.content ?? {})).toEqual(['application/problem+json'])
        const names = Object.keys(answer?.headers ?? {})
        expect(names).toContain('Cache-Control')
        if (path !== '/status') {
          for (const name of ['Limit', 'Remaining', 'Reset']) expect(names).toContain(`X-RateLimit-${name}`)
        }
        if (['429', '503'].includes(status)) expect(names).toContain('Retry-After')
      }
    }
  })

  it('gives numbers a format, and puts nothing personal and no secret into an address', () => {
    const numbers: unknown[] = []
    JSON.parse(contract, (_name, value) => {
      if (value?.type === 'integer' || value?.type === 'number') numbers.push(value.format)
      return value
    })
    expect(numbers.length).toBeGreaterThan(10)
    expect(numbers).not.toContain(undefined)
    const names = operations.flatMap(({ parameters = [] }) => parameters.map(({ name = '' }) => name))
    for (const name of names) expect(name).not.toMatch(/patient|token|key|password|secret/i)
  })

  it('refers to what it has only', () => {
    const whole = JSON.parse(contract)
    const references = [...contract.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path = '']) => path)
    const missing = references.filter((path) => path.split('/').reduce((at, name) => at?.[name], whole) === undefined)
    expect(missing).toEqual([])
  })

  it('makes the client that is checked in', () => {
    const client = readFileSync(new URL('../../clients/typescript/crocevia.ts', import.meta.url), 'utf8')
    expect(clientOf(JSON.parse(contract) as Contract)).toBe(client)
  })
})

describe('the pages', () => {
  it('serve the contract as it stands', async () => {
    const received = await doors.send({ path: '/openapi.json' })
    expect(received).toMatchObject({ status: 200, text: contract, headers: { 'cache-control': 'no-store' } })
  })

  it('show every operation and every schema, and load nothing from elsewhere', async () => {
    const { headers, text } = await doors.send({ path: '/docs' })
    for (const path of Object.keys(openapi.paths)) expect(text).toContain(path)
    for (const name of Object.keys(openapi.components.schemas)) expect(text).toContain(`id="schema-${name}"`)
    expect(text).not.toMatch(/(?:src|href)="(?!\/)/)
    const policy = String(headers['content-security-policy'])
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; connect-src 'self'/,
    )
    expect(policy).not.toContain('unsafe')
  })

  it('explain every problem by itself', async () => {
    const words = new Set([...Object.values(apiProblems), ...Object.values(formProblems)].map(({ word }) => word))
    expect(errorCodes.length).toBeLessThanOrEqual(problemPages.length)
    for (const word of [...words, 'too-many-requests', 'keys-unavailable', 'path-unknown', 'method-not-allowed']) {
      const received = await doors.send({ path: `/problems/${word}` })
      expect(received.status).toBe(200)
      expect(received.text).toContain(`urn:crocevia:problem:${word}`)
    }
    expect((await doors.send({ path: '/problems/none-such' })).status).toBe(404)
    expect((await doors.send({ path: '/problems' })).text).toContain('/problems/token-invalid')
  })
})
