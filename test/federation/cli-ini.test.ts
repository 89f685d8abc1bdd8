import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { exitCodes } from '../../src/cli/exit.ts'
import type { IniOutcome } from '../../src/cli/ini.ts'
import { ini } from '../../src/cli/ini.ts'
import type { ToldExchange } from '../../src/cli/ini-exchange.ts'
import { citizens } from '../network/citizens.ts'
import { writeFederationFile } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'

const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
const lazio = citizens.lazio.identifiers[0].value
const tuscan = citizens.tuscan.identifiers[0].value
const named = (name: string) => `2.16.840.1.113883.2.9.2.90.4.4^${name}`

let network: Network
let folder: string
let federation: string
let config: string

beforeAll(async () => {
  network = await startNetwork()
  folder = await mkdtemp(join(tmpdir(), 'crocevia-ini-'))
  federation = await writeFederationFile(network, join(folder, 'federation.json'))
  config = await widened()
})
afterEach(() => network.ini.behave('normal'))
afterAll(async () => {
  await network[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The gateway's configuration with the one address that it does without, beside it for the paths it names. */
async function widened(): Promise<string> {
  const given = JSON.parse(await readFile(network.gateway.config, 'utf8')) as {
    readonly communities: readonly { readonly name: string; readonly options: object }[]
  }
  const communities = given.communities.map((one) => {
    const { disclosures } = network.ini.urls
    return one.name === 'ini' ? { ...one, options: { ...one.options, disclosures } } : one
  })
  const path = join(dirname(network.gateway.config), 'widened.json')
  await writeFile(path, JSON.stringify({ ...given, communities }))
  return path
}

interface Done extends IniOutcome {
  readonly exchanges: readonly ToldExchange[]
}

/** The command in this process, and what it wrote. */
async function run(...args: string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  let stdout = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text, ...rest: unknown[]) => {
    stdout += String(text)
    for (const written of rest) if (typeof written === 'function') written()
    return true
  })
  try {
    return { code: await ini([...args, '--config', config]), stdout }
  } finally {
    write.mockRestore()
  }
}

/** What came of an operation, by default about somebody whom Lazio assists. */
async function done(operation: string, ...args: string[]): Promise<Done & { readonly code: number }> {
  const about = args.includes('--patient') ? [] : ['--patient', lazio]
  const { code, stdout } = await run(...operation.split(' '), ...args, ...about, '--json')
  return { code, ...(JSON.parse(stdout) as Done) }
}

const pathsOf = ({ exchanges }: Done) => exchanges.map(({ url }) => new URL(url).pathname)

describe('crocevia ini', () => {
  it('searches by the configuration of the federation that runs, and prints blocks for people', async () => {
    const child = spawn(process.execPath, [main, 'ini', 'search', '--patient', lazio, '--federation', federation], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(exitCodes.success)
    expect(stdout).toMatch(/^https:.*\/FSEInteroperabilitaWeb\/DocumentRegistry_Service$/m)
    expect(stdout).toMatch(/^ {2}action +urn:ihe:iti:2007:RegistryStoredQuery$/m)
    expect(stdout).toMatch(/^ {2}message +urn:uuid:[0-9a-f-]{36}$/m)
    expect(stdout).toMatch(
      new RegExp(`^ {2}claims +Regione Toscana \\(090\\); AAS, TREATMENT, READ; by .*; about ${lazio}`, 'm'),
    )
    expect(stdout).toMatch(/^ {2}answered +success, HTTP 200, \d+ ms$/m)
    expect(stdout).toMatch(/^success: \d+ documents, \d+ ms$/m)
  })

  it('tells a refusal with its explanation, and ends as refused', async () => {
    const refused = await done('search', '--role', 'OGC')
    expect(refused).toMatchObject({ code: exitCodes.refused, status: 'refused', error: { code: 'community-rejected' } })
    expect(refused.exchanges).toMatchObject([{ http: 500, status: 'refused', claims: { role: 'OGC' } }])
    expect(refused.exchanges[0]?.codes).toMatchObject([
      {
        code: 'PFA14',
        explanation: { whose: 'ours', retry: 'after-mending', meaning: expect.stringContaining('service') },
      },
    ])
    const { stdout } = await run('search', '--patient', lazio, '--role', 'OGC')
    expect(stdout).toMatch(/^ {2}error +PFA14: This role has not the rights to access the service$/m)
    expect(stdout).toMatch(/^ +What to do: /m)
    expect(stdout).toMatch(/^ +Whose doing: ours\. Try again: by hand/m)
  })

  it('leaves those to us whom we assist', async () => {
    const { exchanges, ...found } = await done('search', '--patient', tuscan)
    expect(found).toMatchObject({ code: exitCodes.success, said: expect.stringContaining('leaves it to us') })
    expect(exchanges[0]?.codes.map(({ code }) => code)).toEqual(['QND2'])
  })

  it('registers, looks up, updates, replaces and deletes, each at its own address with its own claims', async () => {
    const [first, second] = [named('CLI-A'), named('CLI-B')]
    const registered = await done('register', '--unique-id', first)
    expect(registered).toMatchObject({ code: exitCodes.success, said: 'done', found: [{ uniqueId: first }] })
    expect(registered.exchanges[0]?.claims).toMatchObject({ role: 'AAS', purpose: 'TREATMENT', action: 'CREATE' })

    const again = await done('register', '--unique-id', first)
    expect(again).toMatchObject({ code: exitCodes.success, status: 'success' })
    expect(again.exchanges).toMatchObject([
      { status: 'failure', codes: [{ code: 'R224', explanation: { next: expect.stringContaining('success') } }] },
    ])

    const references = await done('references', '--document', first)
    expect(pathsOf(references)).toEqual(['/FSEFindDocumentReferencesWeb/DocumentRegistry_Service'])
    expect(references.found).toEqual([expect.stringMatching(/^urn:uuid:/)])
    const documents = await done('documents', '--document', first)
    expect(documents.exchanges[0]?.claims).toMatchObject({ purpose: 'UPDATE', action: 'READ' })
    expect(documents.found).toMatchObject([{ uniqueId: first, type: '11502-2' }])

    const updated = await done('update', '--document', first, '--title', 'Altro')
    expect(pathsOf(updated).at(-1)).toBe('/FSEMetadataUpdateWeb/DocumentRegistry_Service')
    expect((await done('documents', '--document', first)).found).toContainEqual(
      expect.objectContaining({ title: 'Altro', version: '2' }),
    )
    const hidden = await done('update', '--document', first, '--event', 'P99')
    expect(hidden.exchanges.at(-1)?.claims).toMatchObject({ purpose: 'ACCESS UPDATE', action: 'UPDATE' })

    const replaced = await done('replace', '--document', first, '--unique-id', second)
    expect(replaced.code).toBe(exitCodes.success)
    const deleted = await done('delete', '--document', second)
    expect(pathsOf(deleted)).toEqual([
      '/FSEFindDocumentReferencesWeb/DocumentRegistry_Service',
      '/FSEDeleteWeb/XDSDeletetWSService',
    ])
    expect(deleted.exchanges.at(-1)?.claims).toMatchObject({ purpose: 'UPDATE', action: 'DELETE' })
    const nothing = await done('delete', '--document', second)
    expect(nothing).toMatchObject({ code: exitCodes.success, said: expect.stringContaining('no change was sent') })
    expect((await done('update', '--document', second)).code).toBe(exitCodes.failure)
  })

  it('retrieves a document into a file that its owner alone may read', async () => {
    const { found } = await done('search', '--type', '60591-5')
    const [document] = found as readonly { uniqueId: string; repositoryUniqueId: string }[]
    const { uniqueId = '', repositoryUniqueId = '' } = document ?? {}
    const out = join(folder, 'document.pdf')
    const got = await done(
      'retrieve',
      '--document',
      uniqueId,
      '--repository',
      repositoryUniqueId,
      '--out',
      out,
      '--show',
    )
    expect(got).toMatchObject({ code: exitCodes.success, said: '1 document' })
    expect(got.exchanges.map(({ action }) => action?.split(':').at(-1))).toEqual([
      'RegistryStoredQuery',
      'RetrieveDocumentSet',
    ])
    const bytes = await readFile(out)
    expect(got.found).toMatchObject([
      { file: out, sha1: createHash('sha1').update(bytes).digest('hex'), size: bytes.length },
    ])
    expect((await stat(out)).mode & 0o777).toBe(0o600)
    expect(got.exchanges[1]?.answer?.body).toContain('RetrieveDocumentSetResponse')
    const missing = await done('retrieve', '--document', `${uniqueId}X`, '--repository', repositoryUniqueId)
    expect(missing.code).toBe(exitCodes.failure)
  })

  it('shows messages without what could be used again', async () => {
    for (const more of [[], ['--json']]) {
      const { stdout } = await run('search', '--patient', lazio, '--show', ...more)
      expect(stdout).toMatch(/SignatureValue.*\[masked, \d+ characters\]/)
      expect(stdout).toContain('AdhocQueryRequest')
      expect(stdout).toContain('AdhocQueryResponse')
      expect(stdout).not.toContain('PRIVATE KEY')
      const certificate = await readFile(join(network.certificates, 'gateway/signing.crt.pem'), 'utf8')
      expect(stdout).not.toContain(certificate.split('\n')[1])
    }
  })

  it('asks for consents, and sets them without touching those that are not spoken of', async () => {
    network.ini.consents.reset()
    const before = await done('consents query', '--patient', tuscan, '--role', 'OGC')
    expect(before.exchanges[0]?.claims).toMatchObject({ role: 'OGC', purpose: 'CONSENT', action: 'READ' })
    const set = await done('consents set', '--patient', tuscan, '--role', 'OGC', '--withdraw', 'C2')
    expect(set).toMatchObject({ code: exitCodes.success, exchanges: [{}, { claims: { action: 'UPDATE' } }] })
    const { listed: _, ...after } = await done('consents query', '--patient', tuscan, '--role', 'OGC')
    expect(after.found).toMatchObject({
      consents: [
        { name: 'C1', given: true },
        { name: 'C2', given: false },
        { name: 'C3', given: true },
      ],
    })
    network.ini.consents.reset()
  })

  it('reads information notices and what was declared about organs, and tells of a retrieval', async () => {
    const notice = await done('disclosure get', '--patient', tuscan, '--role', 'OGC', '--id', '1')
    expect(notice).toMatchObject({ code: exitCodes.success, said: expect.stringContaining('notice 1') })
    const [identifier] = citizens.tuscan.identifiers
    network.ini.organDonation.declare(identifier, { given: true, date: '2026-01-02', place: 'Firenze' })
    const declared = await done('organ-donation get', '--patient', tuscan, '--role', 'OGC')
    expect(declared).toMatchObject({ code: exitCodes.success, found: { given: true } })
    const where = ['--document', named('A'), '--repository', '2.16.840.1.113883.2.9.2.90.4.5.910']
    const told = await done('notify-retrieve', ...where, '--assisted-by', '120')
    expect(told).toMatchObject({ code: exitCodes.success, said: 'taken' })
    expect(told.exchanges[0]?.claims).toBeUndefined()
  })

  it('lists an index that is to be transferred, and reads of it, as nobody but a new region may', async () => {
    const unmoved = await done('transfer list')
    expect(unmoved).toMatchObject({ code: exitCodes.failure, status: 'failure' })
    expect(unmoved.exchanges[0]?.codes[0]?.explanation?.source).toContain('#2479')
    network.ini.transfers.move('lazio', { from: '120', to: '090' })
    const { found, exchanges } = await done('transfer list')
    const { ids, transferId } = found as { readonly ids: readonly string[]; readonly transferId: string }
    expect(ids.length).toBeGreaterThan(10)
    expect(exchanges[0]?.claims).toMatchObject({ role: 'NOR', purpose: 'SYSADMIN', transfer: transferId })
    const [one = '', other = ''] = ids
    const read = await done('transfer read', '--entry', one, '--entry', other, '--transfer-id', transferId)
    expect(read).toMatchObject({ code: exitCodes.success, said: '2 documents' })
    await expect(run('transfer', 'list', '--patient', lazio, '--role', 'AAS')).rejects.toMatchObject({ exit: 'usage' })
  })

  it('says who could not be heard, INI or the region behind it', async () => {
    await network.ini.behave('down')
    const down = await done('search')
    expect(down).toMatchObject({ code: exitCodes.unreachable, status: 'unreachable', exchanges: [{}, {}] })
    await network.ini.behave('garbage')
    expect((await done('search')).code).toBe(exitCodes.unreachable)
    await network.ini.behave('normal')
    await network.regions['region-120'].behave('down')
    const unheard = await done('search')
    await network.regions['region-120'].behave('normal')
    expect(unheard).toMatchObject({ code: exitCodes.failure, exchanges: [{ codes: [{ code: 'CRF1' }] }] })
  })

  it('does nothing at the production host unless that is meant, and where there is no address', async () => {
    const given = JSON.parse(await readFile(config, 'utf8')) as {
      readonly communities: readonly { readonly name: string; readonly options: object }[]
    }
    const path = join(dirname(config), 'production.json')
    const communities = given.communities.map((one) => {
      return one.name === 'ini' ? { ...one, options: { base: 'https://FSEservice.sanita.finanze.it' } } : one
    })
    await writeFile(path, JSON.stringify({ ...given, communities }))
    await expect(ini(['search', '--patient', lazio, '--config', path])).rejects.toThrow(/--production/)
    const retrieval = ['retrieve', '--patient', lazio, '--document', 'a', '--repository', '1.2', '--production']
    await expect(ini([...retrieval, '--config', path])).rejects.toThrow(/say no retrieve/)
    await expect(ini(['search', '--patient', lazio, '--config', path, '--community', 'tuscany'])).rejects.toThrow(
      /--community/,
    )
  })
})
