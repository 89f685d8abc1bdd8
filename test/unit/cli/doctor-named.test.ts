import { describe, expect, it } from 'vitest'
import { namedIn } from '../../../src/cli/doctor-named.ts'
import { checkConfig } from '../../../src/config/load.ts'
import { communityInput, gatewayInput } from '../../support/gateway-config.ts'

const address = 'https://registry.example:8443/xds'

function named(options: unknown, more: Parameters<typeof communityInput>[3] = {}) {
  const own = communityInput('tuscany', 'tuscany', { registry: address })
  return namedIn(
    checkConfig(gatewayInput([own, communityInput('region-050', 'region', options, more)], 'store.sqlite')),
  )
}

describe('what a configuration names', () => {
  it('are the https addresses in the options, wherever they stand, with the anchors of that community', () => {
    const { servers } = named({
      query: 'https://a.example/x',
      deep: [{ fhir: 'https://b.example/fhir' }],
      text: 'https',
      n: 1,
    })
    const found = servers.map(({ what, url, serves, anchors }) => [what, url.href, serves, anchors.length])
    expect(found).toEqual([
      ['communities[0].options.registry', address, 'messages', 1],
      ['communities[1].options.query', 'https://a.example/x', 'messages', 1],
      ['communities[1].options.deep[0].fhir', 'https://b.example/fhir', 'fhir', 1],
    ])
  })

  it('are the authorities of everybody, under the keys that name them', () => {
    const keys = named({}).groups.map(({ anchors: [what] }) => what)
    expect(keys).toContain('communities[0].trust.tls')
    expect(keys).toContain('communities[1].trust.callers.anchors')
    expect(keys).toContain('communities[1].trust.assertions.anchors')
    expect(keys).toContain('consumers[0].trust.assertions.anchors')
  })

  it('is the server of PDND, with its own anchors', () => {
    const pdnd = {
      endpoint: 'https://auth.example/token.oauth2',
      tls: ['pdnd.pem'],
      audience: 'auth.example',
      clientId: '5b4f0d4e-1d3a-4f0e-9a25-6f2f7c1f9a01',
      kid: 'k',
    }
    const { servers } = named({}, { modi: { pdnd } })
    expect(servers.at(-1)).toMatchObject({
      what: 'communities[1].modi.pdnd.endpoint',
      anchors: ['pdnd.pem'],
      serves: 'anything',
    })
  })
})
