import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { createServer as createPlainServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issuer } from '../../certs-dev/issue.ts'
import type { Finding } from '../../src/cli/finding.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { certificates, type FederationInput } from '../support/gateway-config.ts'
import { listen } from '../support/tls.ts'

const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
const path = (...names: string[]) => join(certificates, ...names)
const day = 86_400_000

let network: Network
let folder: string
let good: FederationInput

beforeAll(async () => {
  network = await startNetwork()
  folder = await mkdtemp(join(tmpdir(), 'crocevia-doctor-'))
  good = JSON.parse(await readFile(network.gateway.config, 'utf8')) as FederationInput
})
afterAll(async () => {
  await network[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The real command, in a folder that is not the project's. */
async function crocevia(args: readonly string[]) {
  const child = spawn(process.execPath, [main, 'doctor', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => {
      texts[name] += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...texts }
}

type Change = (config: FederationInput) => void

async function written(change: Change): Promise<string> {
  const config = structuredClone(good)
  change(config)
  const file = join(folder, 'gateway.json')
  await writeFile(file, JSON.stringify(config))
  return file
}

/** What the doctor says of a changed configuration; the exit code is held to it. */
async function findingsOn(change: Change, ...more: string[]): Promise<readonly Finding[]> {
  const { code, stderr, stdout } = await crocevia(['--config', await written(change), '--json', ...more])
  expect(stderr).toBe('')
  const findings = JSON.parse(stdout) as readonly Finding[]
  expect(code).toBe(findings.some(({ level }) => level === 'fail') ? 1 : 0)
  for (const { level, what, advice } of findings) if (level !== 'ok') expect(advice, what).toBeTruthy()
  return findings
}

const failures = (findings: readonly Finding[]) => findings.filter(({ level }) => level === 'fail')
const nothing: Change = () => undefined

/** The configuration's community of that name. */
function community(config: FederationInput, name: string) {
  const found = config.communities.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no community ${name}`)
  return found
}

/** Only our own community and one other, which stands at this address. */
function only(address: string): Change {
  return (config) => {
    const region = community(config, 'region-050')
    region.options = { query: address }
    config.communities = [community(config, 'tuscany'), region]
  }
}

const what = 'communities[1].options.query'
const about = (findings: readonly Finding[], subject: string) => findings.find((finding) => finding.what === subject)

describe('a good configuration', () => {
  it('passes, every endpoint answers, and nothing of a key is told', async () => {
    const findings = await findingsOn(nothing)
    expect(failures(findings)).toEqual([])
    const answered = findings.filter(({ what, level }) => what.endsWith(' tls') && level === 'ok')
    expect(answered).toHaveLength(15)
    for (const { found } of answered) expect(found).toMatch(/TLSv1\.3, A1#\d{3}#.* answered, valid until \d{4}-/)
    for (const subject of ['assertion ini', 'clock', 'gateway.store.path']) {
      expect(about(findings, subject)?.level, subject).toBe('ok')
    }
    expect(about(findings, `${what.replace('[1]', '[2]')} wsdl`)).toMatchObject({ level: 'warn', found: 'status 405' })
    const key = await readFile(path('gateway/signing.key.pem'), 'utf8')
    for (const line of key.split('\n').filter((text) => text.length > 40)) {
      expect(JSON.stringify(findings)).not.toContain(line)
    }
  })

  it('is told in lines, and without the network when it is told to', async () => {
    const before = network.regions['region-050'].asked.total
    const { code, stdout } = await crocevia(['--config', await written(nothing), '--offline'])
    expect(code).toBe(0)
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^(ok {4}|warn {2}|fail {2})\S.* {2}\S/)
    expect(stdout).not.toContain(' tls ')
    expect(network.regions['region-050'].asked.total).toBe(before)
  })
})

describe('a configuration with a fault', () => {
  it('is told of every fault of its schema and of the adapters’ options', async () => {
    const ofSchema = await findingsOn((config) => {
      config.gateway.clockSkewMs = -1
      config.gateway.home = 'somewhere'
    })
    expect(ofSchema.map(({ what, level }) => [what, level])).toEqual(
      expect.arrayContaining([
        ['gateway.clockSkewMs', 'fail'],
        ['gateway.home', 'fail'],
      ]),
    )
    const ofOptions = await findingsOn((config) => {
      community(config, 'region-050').options = { query: 'http://not.tls.example/' }
      community(config, 'ini').adapter = 'nobody'
    }, '--offline')
    const told = failures(ofOptions).map(({ what }) => what)
    expect(told).toContain('communities[2].options.query')
    expect(told).toContain('communities[1].adapter')
  })

  it('that is no JSON, or not there, fails', async () => {
    const file = join(folder, 'broken.json')
    await writeFile(file, '{')
    for (const name of [file, join(folder, 'missing.json')]) {
      const { code, stdout } = await crocevia(['--config', name])
      expect(code).toBe(1)
      expect(stdout).toMatch(/^fail {2}/)
    }
  })

  it('has its missing files and readable secrets told', async () => {
    const key = join(folder, 'open.key.pem')
    await copyFile(path('gateway/tls.key.pem'), key)
    await chmod(key, 0o644)
    const findings = await findingsOn((config) => {
      config.gateway.identity.tls = { certificate: path('gateway/tls.crt.pem'), key }
      community(config, 'region-050').trust.tls = [join(folder, 'nowhere.pem')]
      community(config, 'region-120').trust.tls = [path('portal/tls.key.pem')]
      config.gateway.store = { path: join(folder, 'nowhere', 'store.sqlite') }
    }, '--offline')
    expect(about(findings, 'gateway.identity.tls.key')).toMatchObject({
      level: 'fail',
      advice: expect.stringContaining('chmod 600'),
    })
    expect(about(findings, 'communities[2].trust.tls[0]')).toMatchObject({
      level: 'fail',
      found: expect.stringContaining('does not exist'),
    })
    expect(about(findings, 'communities[3].trust.tls[0]')?.found).toContain('certificate-missing')
    expect(about(findings, 'gateway.store.path')?.level).toBe('fail')
  })

  it('has the key of another certificate told', async () => {
    const findings = await findingsOn((config) => {
      config.gateway.identity.tls = { certificate: path('gateway/tls.crt.pem'), key: path('portal/tls.key.pem') }
    })
    expect(about(failures(findings), 'gateway.identity.tls')).toMatchObject({
      found: expect.stringContaining('key-of-another-certificate'),
    })
    expect(about(findings, 'communities[2].options.query')).toMatchObject({
      level: 'warn',
      found: expect.stringContaining('not asked'),
    })
  })

  it('has certificates told that are over, too weak or for something else', async () => {
    const signing =
      (name: string): Change =>
      (config) => {
        config.gateway.identity.signing = {
          certificate: path(name, 'signing.crt.pem'),
          key: path(name, 'signing.key.pem'),
        }
      }
    const expired = failures(await findingsOn(signing('bad/expired'), '--offline'))
    expect(expired.map(({ found }) => found)).toEqual(
      expect.arrayContaining([expect.stringContaining('expired on'), 'certificate-expired']),
    )
    const weak = failures(await findingsOn(signing('bad/weak'), '--offline'))
    expect(weak.map(({ found }) => found)).toEqual([expect.stringContaining('key-too-short')])
    const other = await findingsOn(signing('bad/wrong-policy'), '--offline')
    expect(other.filter(({ level }) => level === 'warn').map(({ found }) => found)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('policy 1.3.76.29.1.11 is missing'),
        expect.stringContaining('is of 050, not 090'),
      ]),
    )
  })

  it('has a signer process told that does not answer', async () => {
    const findings = await findingsOn((config) => {
      config.gateway.identity.signing = { signer: join(folder, 'nobody.sock') }
    }, '--offline')
    expect(about(failures(findings), 'gateway.identity.signing')?.found).toBe('signer-unavailable')
  })

  it('has revocation lists told that are stale, or of somebody else', async () => {
    const past = await issuer(new Date(Date.now() - 500 * day))
    const { pem } = await (await past('Crocevia development TLS root')).revocationList()
    const stale = join(folder, 'stale.crl.pem')
    await writeFile(stale, pem)
    const findings = await findingsOn((config) => {
      community(config, 'region-050').trust.tlsRevocationLists = [stale]
      community(config, 'region-120').trust.tlsRevocationLists = [path('ca.crl.pem')]
    }, '--offline')
    const told = failures(findings).filter(({ what }) => what.startsWith('communities[2].trust.tlsRevocationLists'))
    expect(told.map(({ found }) => found)).toEqual([
      expect.stringContaining('stale'),
      expect.stringContaining('no list of Crocevia development TLS root'),
    ])
    expect(about(findings, 'communities[3].trust.tlsRevocationLists[0]')?.level).toBe('ok')
  })
})

describe('an endpoint', () => {
  const identity: ServerOptions = { requestCert: true, rejectUnauthorized: true }
  beforeAll(async () => {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'region-050/tls.crt.pem', 'region-050/tls.key.pem'].map((name) => readFile(path(name))),
    )
    Object.assign(identity, { ca, cert, key })
  })

  it('that is down is told, and its name was found', async () => {
    const region = network.regions['region-120']
    await region.behave('down')
    const findings = await findingsOn(nothing)
    await region.behave('normal')
    expect(failures(findings).map(({ what, found }) => [what, /E[A-Z]+/.exec(found)?.[0]])).toEqual([
      ['communities[3].options.query tls', 'ECONNREFUSED'],
      ['communities[3].options.retrieve tls', 'ECONNREFUSED'],
    ])
    expect(about(findings, 'communities[3].options.query dns')?.level).toBe('ok')
  })

  it('without a name is told', async () => {
    const findings = await findingsOn(only('https://nobody.invalid/service'))
    expect(failures(findings).map((finding) => finding.what)).toEqual([`${what} dns`])
  })

  it('that nobody we trust vouches for is told with who answered', async () => {
    const findings = await findingsOn((config) => {
      community(config, 'region-050').trust.tls = [path('bad/unknown-ca/ca.pem')]
    })
    expect(failures(findings)).toEqual(
      ['query', 'retrieve'].map((option) =>
        expect.objectContaining({
          what: `communities[2].options.${option} tls`,
          found: expect.stringMatching(/A1#050#\S+ answered, valid until .*: SELF_SIGNED_CERT_IN_CHAIN/),
          advice: expect.stringContaining('make sure who answers'),
        }),
      ),
    )
  })

  it('whose certificate is revoked is told in the words of the gateway', async () => {
    const [cert, key] = await Promise.all(
      ['bad/revoked/tls.crt.pem', 'bad/revoked/tls.key.pem'].map((name) => readFile(path(name))),
    )
    await using server = await listen(createTlsServer({ ...identity, cert, key }))
    const findings = await findingsOn((config) => {
      only(`${server.origin}/x`)(config)
      community(config, 'region-050').trust.tlsRevocationLists = [path('ca.crl.pem')]
    })
    expect(about(failures(findings), `${what} tls`)?.found).toContain('certificate-revoked')
  })

  it('that does not accept our certificate is told', async () => {
    const ca = await readFile(path('bad/unknown-ca/ca.pem'))
    await using server = await listen(createTlsServer({ ...identity, ca }))
    const findings = await findingsOn(only(`${server.origin}/x`))
    expect(failures(findings)).toEqual([
      expect.objectContaining({ what: `${what} wsdl`, advice: expect.stringContaining('our certificate') }),
    ])
  })

  it('that never shakes hands is not waited for without end', async () => {
    await using server = await listen(createPlainServer())
    const findings = await findingsOn(only(`${server.origin}/x`))
    expect(about(failures(findings), `${what} tls`)?.found).toContain('no-answer-in-time')
  })

  it('that publishes its contract is asked for it; its clock is compared with ours', async () => {
    const asked: string[] = []
    await using server = await listen(
      createTlsServer(identity, (request, response) => {
        asked.push(request.url ?? '')
        response.setHeader('date', new Date(Date.now() + 600_000).toUTCString())
        response.end('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>')
      }),
    )
    const findings = await findingsOn(only(`${server.origin}/service?a=1`))
    expect(failures(findings)).toEqual([])
    expect(asked).toEqual(['/service?a=1&wsdl'])
    expect(about(findings, `${what} wsdl`)?.level).toBe('ok')
    expect(about(findings, 'clock')).toMatchObject({ level: 'warn', found: expect.stringContaining(what) })
  })
})

describe('wrong arguments of crocevia doctor', () => {
  it.each([[[]], [['--config']], [['--config', 'a.json', 'b.json']], [['--online']]])(
    'end with exit code 2: %j',
    async (args) => {
      const { code, stderr, stdout } = await crocevia(args)
      expect(code).toBe(2)
      expect(stdout).toBe('')
      expect(stderr).toContain('usage')
    },
  )
})
