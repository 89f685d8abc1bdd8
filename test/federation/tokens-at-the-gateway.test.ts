import { readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { paths, startGateway } from '../../src/gateway.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { startOpenIdProvider } from '../network/openid-provider.ts'
import { identityOf } from '../support/api-server.ts'
import { clinician } from '../support/builders.ts'
import { certificates, communityInput, type FederationInput, writeGatewayConfig } from '../support/gateway-config.ts'
import { creation } from '../support/jwt.ts'

const audience = 'https://crocevia.example'
const away = 'https://127.0.0.1:1/'

it('guards the REST doors beside the SOAP ones, also after its keys were read again', async () => {
  await using provider = await startOpenIdProvider({
    certificates,
    clients: [{ id: 'desktop', audiences: [audience] }],
  })
  const { file, folder } = await writeGatewayConfig([communityInput('tuscany', 'tuscany', { registry: away })])
  const input = JSON.parse(await readFile(file, 'utf8')) as FederationInput
  const jwks = { url: provider.urls.jwks, anchors: [join(certificates, 'ca.pem')] }
  const tokens = { profile: 'portal', issuer: provider.issuer, audience: [audience], jwks } as const
  const consumers = input.consumers?.map(({ name, trust: { callers } }) => ({ name, trust: { callers, tokens } }))
  await writeFile(file, JSON.stringify({ ...input, consumers }))
  {
    await using gateway = await startGateway(loadConfig(file))
    const ask = async (path: string) => {
      const claims = { ...creation, action_id: 'READ', sub: clinician }
      const token = await provider.issue({ client: 'desktop', audience, claims })
      return await new Promise<{ status: number; text: string }>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: gateway.ports.soap, path, agent: false, ...identityOf('portal') }
        const outgoing = request({ ...options, headers: { authorization: `Bearer ${token}` } }, (incoming) => {
          let text = ''
          incoming.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }))
        })
        outgoing.on('error', reject).end()
      })
    }
    expect(await ask('/api/v1/caller')).toMatchObject({
      status: 200,
      text: expect.stringContaining('"party":"portal"'),
    })
    expect(await ask('/api/v1/nothing')).toMatchObject({ status: 404, text: expect.stringContaining('path-unknown') })
    expect(await ask(`${paths.iti18}?wsdl`)).toMatchObject({
      status: 200,
      text: expect.stringContaining('definitions'),
    })
    await provider.behave('down')
    expect(await gateway.reload()).toBe(true)
    expect((await ask('/api/v1/caller')).status).toBe(200)
  }
  const store = await sqliteStore({ path: join(folder, 'store.sqlite') })
  const records = (await store.read({ after: 0, limit: 10 })).map(({ record }) => record)
  expect(records).toMatchObject([{ transaction: 'caller' }, { transaction: 'caller' }])
  await store[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
