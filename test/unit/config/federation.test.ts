import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError, checkConfig, loadConfig } from '../../../src/config/load.ts'

const listen = { host: '127.0.0.1', port: 0 }
const pair = { certificate: 'c.pem', key: 'k.pem' }

function community(name: string, region: number, more: object = {}) {
  return {
    home: `urn:oid:2.16.840.1.113883.2.9.2.${region}`,
    name,
    adapter: 'region',
    options: { query: 'https://x.example/' },
    trust: { tls: ['ca.pem'] },
    ...more,
  }
}

function config(more: { gateway?: object; communities?: unknown; consumers?: unknown } = {}) {
  return {
    gateway: {
      home: 'urn:oid:2.16.840.1.113883.2.9.2.90',
      organization: { code: '090', name: 'Regione Toscana' },
      listen,
      operator: listen,
      identity: { tls: pair, signing: pair },
      application: { id: 'a', vendor: 'v', version: '1' },
      store: { path: 'store.sqlite' },
      ...more.gateway,
    },
    communities: more.communities ?? [community('tuscany', 90), community('region-050', 50)],
    ...(more.consumers === undefined ? {} : { consumers: more.consumers }),
  }
}

function faultsOf(value: unknown): readonly (readonly [path: string, message: string])[] {
  try {
    checkConfig(value)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ path, message }) => [path, message])
    throw error
  }
  return []
}
const paths = (value: unknown) => faultsOf(value).map(([path]) => path)
const callers = (name: string) => ({ anchors: ['ca.pem'], names: [name] })

describe('a configuration', () => {
  it('is filled with its defaults', () => {
    const { gateway, communities, consumers } = checkConfig(config())
    expect(gateway).toMatchObject({ deadlineMs: 20_000, routing: 'assisted', addressing: 'strict', logLevel: 'info' })
    expect(communities[0]).toMatchObject({ guard: { timeoutMs: 8_000, concurrency: 16 }, connections: 16 })
    expect(consumers).toEqual([])
  })

  it('tells all its faults at once, each with its path', () => {
    const broken = config({
      gateway: { home: 'x', listen: { port: 70_000 }, organization: { code: '90', name: '' }, surplus: 1 },
      communities: [
        community('Region', 50, { guard: { timeoutMs: 1 }, trust: { tls: [] } }),
        community('a', 60, { trust: { tls: ['ca.pem'], callers: callers('(') } }),
      ],
    })
    expect(new Set(paths(broken))).toEqual(
      new Set([
        'gateway',
        'gateway.home',
        'gateway.listen.port',
        'gateway.organization.code',
        'gateway.organization.name',
        'communities',
        'communities[0].name',
        'communities[0].guard.timeoutMs',
        'communities[0].trust.tls',
        'communities[1].trust.callers.names[0]',
      ]),
    )
  })

  it('tells all faults between its parts at once', () => {
    const broken = config({
      gateway: { deadlineMs: 8_000 },
      communities: [community('a', 50), community('a', 50, { guard: { timeoutMs: 100 } })],
    })
    expect(faultsOf(broken)).toEqual([
      ['communities[0].guard.timeoutMs', 'must be shorter than gateway.deadlineMs'],
      ['communities[1].home', 'is listed twice'],
      ['communities', 'two parties are called a'],
      ['communities', 'must list the gateway’s own community'],
    ])
  })

  it('does not call a consumer as a community is called', () => {
    const consumer = {
      name: 'tuscany',
      trust: { callers: callers('^A1#'), assertions: { issuers: ['090'], anchors: ['ca.pem'], signers: ['^S1#'] } },
    }
    expect(faultsOf(config({ consumers: [consumer] }))).toEqual([['communities', 'two parties are called tuscany']])
    expect(faultsOf(config({ consumers: [{ ...consumer, name: 'portal' }] }))).toEqual([])
  })

  it.each([
    ['', 'which every name would fit'],
    ['(', 'which is none'],
    ['\\#', 'which is none in Unicode mode, where it is used'],
  ])('refuses the pattern %j, %s', (pattern) => {
    const one = community('tuscany', 90, { trust: { tls: ['ca.pem'], callers: callers(pattern) } })
    expect(paths(config({ communities: [one] }))).toEqual(['communities[0].trust.callers.names[0]'])
  })

  it.each(['urn:oid:2.16.840.1', 'urn:oid:1.0'])('takes the home %s', (home) => {
    expect(faultsOf(config({ gateway: { home }, communities: [community('a', 1, { home })] }))).toEqual([])
  })
  it.each(['2.16.840.1', 'urn:oid:3.1', 'urn:oid:1.02', 'urn:oid:', `urn:oid:1.${'2'.repeat(63)}`])(
    'refuses the home %s',
    (home) => {
      expect(paths(config({ gateway: { home } }))).toContain('gateway.home')
    },
  )

  it.each([undefined, null, 1, 'x', [], {}])('is an object with its parts, not %j', (value) => {
    expect(faultsOf(value).length).toBeGreaterThan(0)
  })

  it('is told to a person by paths', () => {
    expect(new ConfigError([{ path: 'a.b', message: 'is bad' }]).message).toBe('✖ is bad\n  → at a.b')
  })
})

describe('a configuration file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  it('is read with the files it names, relative to its own folder', () => {
    write('ca.pem', 'the authority')
    const loaded = loadConfig(write('federation.json', JSON.stringify(config())))
    expect(loaded.federation.gateway.organization.code).toBe('090')
    expect(loaded.read('ca.pem')).toBe('the authority')
    expect(loaded.locate('store.sqlite')).toBe(join(folder, 'store.sqlite'))
    expect(loaded.locate('/var/x')).toBe('/var/x')
    expect(() => loaded.read('missing.pem')).toThrow(
      expect.objectContaining({ faults: [{ path: 'missing.pem', message: 'the file cannot be read' }] }),
    )
  })

  it.each([
    ['is missing', () => join(folder, 'none.json'), 'the file cannot be read'],
    ['is not JSON', () => write('bad.json', '{'), 'is not JSON'],
  ])('that %s is a fault like others', (_what, path, message) => {
    expect(() => loadConfig(path())).toThrow(
      expect.objectContaining({ name: 'ConfigError', faults: [{ path: path(), message }] }),
    )
  })
})
