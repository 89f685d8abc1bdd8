import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { type Gateway, startGateway } from '../../src/gateway.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { identityOf } from '../support/api-server.ts'
import { patientOf } from '../support/asking.ts'
import { clinician } from '../support/builders.ts'
import { capabilityStatement, patient, searchset } from '../support/fhir-shapes.ts'
import { type Changes, creation, pairOf, publicJwk, signedToken } from '../support/jwt.ts'

const audience = 'https://crocevia.example'
const issuer = 'https://login.example'
const signer = pairOf('portal')

let network: Network
let gateway: Gateway
let folder: string
beforeAll(async () => {
  network = await startNetwork()
  folder = await mkdtemp(join(tmpdir(), 'crocevia-fhir-'))
  const config = JSON.parse(await readFile(network.gateway.config, 'utf8')) as {
    readonly gateway: object
    readonly consumers: readonly { readonly name: string; readonly trust: object }[]
  }
  const jwks = join(folder, 'jwks.json')
  await writeFile(jwks, JSON.stringify({ keys: [publicJwk(signer, 'test')] }))
  const tokens = { profile: 'portal', issuer, audience: [audience], jwks: { file: jwks } }
  const file = join(folder, 'gateway.json')
  await writeFile(
    file,
    JSON.stringify({
      ...config,
      gateway: {
        ...config.gateway,
        ...{ store: { path: join(folder, 'store.sqlite') }, listen: { port: 0 }, operator: { port: 0 } },
        fhir: { pageSize: 7 },
      },
      consumers: config.consumers.map((one) =>
        one.name === 'portal' ? { ...one, trust: { ...one.trust, tokens } } : one,
      ),
    }),
  )
  gateway = await startGateway(loadConfig(file))
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function bearer(key: CitizenKey, more: Changes = {}): string {
  const { authority, value } = patientOf(key)
  const iat = Math.floor(Date.now() / 1000)
  const own = { iss: issuer, aud: audience, iat, exp: iat + 300, person_id: `${value}^^^&${authority}&ISO` }
  const claims = { ...creation, action_id: 'READ', sub: clinician, resource_hl7_type: undefined, ...own, ...more }
  return `Bearer ${signedToken({ alg: 'RS256', typ: 'at+jwt', kid: 'test' }, claims, signer.key)}`
}

interface Got {
  readonly status: number
  readonly bytes: Buffer
}

function send(path: string, authorization?: string, form?: Changes): Promise<Got> {
  const body = form && new URLSearchParams(form as Record<string, string>).toString()
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...{ host: '127.0.0.1', port: gateway.ports.soap, path, method: body === undefined ? 'GET' : 'POST' },
        ...identityOf('portal'),
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

type Bundle = z.infer<typeof searchset>

function bundleIn({ bytes, status }: Got): Bundle {
  expect([status, bytes.toString('utf8', 0, 400)]).toEqual([200, expect.any(String)])
  return searchset.parse(JSON.parse(bytes.toString('utf8')))
}

function documentsIn({ entry = [] }: Bundle) {
  return entry.flatMap(({ resource }) => (resource.resourceType === 'DocumentReference' ? [resource] : []))
}

/** All pages of a citizen's current documents. */
async function everything(key: CitizenKey): Promise<ReturnType<typeof documentsIn>> {
  const { authority, value } = patientOf(key)
  const form = { 'patient.identifier': `urn:oid:${authority}|${value}`, status: 'current' }
  const all: ReturnType<typeof documentsIn>[number][] = []
  let bundle = bundleIn(await send('/fhir/DocumentReference/_search', bearer(key), form))
  const { total } = bundle
  for (;;) {
    all.push(...documentsIn(bundle))
    const next = bundle.link.find(({ relation }) => relation === 'next')?.url
    if (next === undefined) break
    bundle = bundleIn(await send(next.slice(next.indexOf('/fhir/')), bearer(key)))
  }
  expect(all).toHaveLength(total)
  return all
}

function uniqueIdOf({ masterIdentifier: { system = '', value } }: ReturnType<typeof documentsIn>[number]): string {
  return system === 'urn:ietf:rfc:3986' ? value.replace('urn:oid:', '') : `${system.replace('urn:oid:', '')}^${value}`
}

describe('a portal that asks by FHIR', () => {
  it.each(['tuscan', 'lazio', 'two-codes', 'stp', 'empty'] as const satisfies readonly CitizenKey[])(
    'gets every visible document of %s once, in pages, and no trace of a hidden one',
    async (key) => {
      const { hidden, visible } = expectations(network.seed, citizens[key], { asked: askedAbout(citizens[key]) })
      const documents = await everything(key)
      expect(documents.map(uniqueIdOf).sort()).toEqual(visible)
      for (const id of hidden) expect(JSON.stringify(documents)).not.toContain(id.split('^').at(-1))
      for (const { meta } of documents) expect(meta?.profile?.[0]).toMatch(/IHE\.MHD\./)
    },
  )

  it('retrieves what a document says it is', async () => {
    const stable = (await everything('lazio')).filter(({ content: [first] }) => first?.attachment.hash !== undefined)
    const [document] = stable
    const { hash, size, url = '' } = document?.content[0]?.attachment ?? {}
    const { bytes, status } = await send(url, bearer('lazio'))
    expect(status).toBe(200)
    expect([createHash('sha1').update(bytes).digest('base64'), bytes.length]).toEqual([hash, size])
    expect((await send(url, bearer('tuscan'))).status).toBe(404)
  })

  it('finds a person in the patient index of the region', async () => {
    const { authority, value } = patientOf('two-codes')
    const identifier = `urn:oid:${authority}|${value}`
    const bundle = bundleIn(await send('/fhir/Patient/_search', bearer('two-codes'), { identifier }))
    const [found] = (bundle.entry ?? []).map(({ resource }) => patient.parse(resource))
    expect(found?.identifier.map((id) => `${id.system}|${id.value}`)).toContain(identifier)
  })

  it('is told what the face can', async () => {
    const { bytes, status } = await send('/fhir/metadata')
    expect(status).toBe(200)
    const statement = capabilityStatement.parse(JSON.parse(bytes.toString('utf8')))
    expect(statement.implementation.url).toBe(`https://127.0.0.1:${gateway.ports.soap}/fhir`)
  })
})
