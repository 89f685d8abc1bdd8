import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CliError, exitCodes } from '../../src/cli/exit.ts'
import { notify } from '../../src/cli/notify.ts'
import { push } from '../../src/cli/push.ts'
import type { stepAsJson } from '../../src/cli/step.ts'
import { transfer } from '../../src/cli/transfer.ts'
import { citizens } from '../network/citizens.ts'
import { writeFederationFile } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { question, uniqueIds } from '../support/asking.ts'

type Shown = ReturnType<typeof stepAsJson>

const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
const patient = citizens.tuscan.identifiers[0].value

let network: Network
let folder: string
let federation: string

beforeAll(async () => {
  network = await startNetwork({ gateway: { deliveries: { firstRetryMs: 10, longestRetryMs: 10 } } })
  folder = await mkdtemp(join(tmpdir(), 'crocevia-cli-'))
  federation = await writeFederationFile(network, join(folder, 'federation.json'))
})
afterAll(async () => {
  await network[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The real command, in a folder that is not the project's. */
async function crocevia(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args, '--identities', network.certificates], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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

const commands = { push, notify, transfer }

/** The command in this process, which is quicker. */
async function run(command: keyof typeof commands, ...args: string[]) {
  let stdout = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text, ...rest: unknown[]) => {
    stdout += String(text)
    for (const written of rest) if (typeof written === 'function') written()
    return true
  })
  try {
    const where = ['--identities', network.certificates, '--federation', federation]
    return { code: await commands[command]([...args, ...where]), stdout }
  } finally {
    write.mockRestore()
  }
}

/** What a command about the Tuscan citizen did, step by step, and how it ended. */
async function done(command: keyof typeof commands, ...args: string[]) {
  const { code, stdout } = await run(command, ...args, '--patient', patient, '--json')
  const steps = JSON.parse(stdout) as readonly Shown[]
  return { code, steps, last: steps.at(-1) as Shown }
}

const found = async (role = 'AAS') => uniqueIds(await question(network, 'tuscan', { role }))
const registered = (uniqueId: string, version = '1') =>
  network.record.registered.until((one) => one.uniqueId === uniqueId && one.version === version)
const named = (name: string) => `2.16.840.1.113883.2.9.2.50.4.4^${name}`

describe('crocevia push', () => {
  it('creates a document in one line, which is in the index then', async () => {
    const { code, last } = await done('push', 'create')
    expect(last).toMatchObject({ status: 'success', issues: [], claimed: { organization: '050', action: 'CREATE' } })
    expect(code).toBe(exitCodes.success)
    const [uniqueId = ''] = last.sent.document ?? []
    expect(await found()).toContain(uniqueId)
    expect((await registered(uniqueId)).change).toBe('create')
  })

  it('is told of an address by itself, and prints a block for people', async () => {
    const { origin } = new URL(network.gateway.iti18)
    const uniqueId = named('TOLD')
    const args = ['push', 'create', '--patient', patient, '--url', origin, '--unique-id', uniqueId]
    const { code, stdout } = await crocevia(...args)
    expect(code).toBe(exitCodes.success)
    expect(stdout).toMatch(/^create \(ITI-42\): https:/)
    expect(stdout).toContain(uniqueId)
    expect(stdout).toMatch(/^ {2}answered +success, \d+ ms$/m)
    const again = await crocevia(...args, '--show')
    expect(again.code).toBe(exitCodes.failure)
    expect(again.stdout).toMatch(/^ {2}error +R224: /m)
    expect(again.stdout).toContain('SubmitObjectsRequest')
    expect(again.stdout).toContain('<ds:SignatureValue')
    expect(again.stdout).toContain('RegistryErrorList')
    expect(again.stdout).not.toContain('PRIVATE KEY')
  })

  it('tells a refusal in INI’s form, and ends as refused', async () => {
    const { code, last } = await done('push', 'create', '--role', 'NOR')
    expect(last).toMatchObject({ status: 'refused', fault: { detail: { errorCode: 'PFA14' } } })
    expect(code).toBe(exitCodes.refused)
  })

  it('sends what a file tells, several documents together', async () => {
    const file = join(folder, 'metadata.json')
    await writeFile(file, JSON.stringify({ entries: [{}, { uniqueId: named('SECOND') }] }))
    const { last } = await done('push', 'create', '--unique-id', named('FIRST'), '--metadata', file)
    expect(last).toMatchObject({ status: 'success', sent: { document: [named('FIRST'), named('SECOND')] } })
    expect(await found()).toEqual(expect.arrayContaining([named('FIRST'), named('SECOND')]))
  })

  it('updates a document, hides it and shows it again, as its author', async () => {
    const uniqueId = named('UPDATED')
    await done('push', 'create', '--unique-id', uniqueId)
    await registered(uniqueId)
    const titled = await done('push', 'update', '--unique-id', uniqueId, '--title', 'Referto corretto')
    expect(titled.steps.map(({ status }) => status)).toEqual(['success', 'success'])
    expect(titled.last).toMatchObject({ claimed: { purpose: 'UPDATE' }, sent: { 'made from': 'version 1' } })
    expect((await registered(uniqueId, '2')).entry.title).toBe('Referto corretto')

    const hidden = await done('push', 'update', '--unique-id', uniqueId, '--event', 'P99')
    expect(hidden.last).toMatchObject({ status: 'success', claimed: { purpose: 'ACCESS UPDATE' } })
    expect(await found()).not.toContain(uniqueId)
    expect(await found('ASS')).toContain(uniqueId)
    await registered(uniqueId, '3')

    const stale = await done('push', 'update', '--unique-id', uniqueId, '--title', 'Altro', '--version', '1')
    expect(stale.last.issues.map(({ code }) => code)).toEqual(['R221'])
    expect(stale.code).toBe(exitCodes.failure)

    const shown = await done('push', 'update', '--unique-id', uniqueId, '--event', 'P00', '--confidentiality', 'V')
    expect(shown.last).toMatchObject({ status: 'success', sent: { events: ['P00'], 'made from': 'version 3' } })
    expect(await found()).toContain(uniqueId)
  })

  it('updates the old way too', async () => {
    const uniqueId = named('OLD')
    await done('push', 'create', '--unique-id', uniqueId)
    await registered(uniqueId)
    const { last } = await done('push', 'update', '--unique-id', uniqueId, '--title', 'Altro', '--old-way')
    expect(last).toMatchObject({ status: 'success', action: 'urn:ihe:iti:2007:RegisterDocumentSet-b' })
    expect((await registered(uniqueId, '2')).entry.title).toBe('Altro')
  })

  it('replaces the current version of a document, and removes what took its place', async () => {
    const [older, newer] = [named('OLDER'), named('NEWER')]
    await done('push', 'create', '--unique-id', older)
    await registered(older)
    await done('push', 'update', '--unique-id', older, '--title', 'Altro')
    await registered(older, '2')
    const replaced = await done('push', 'replace', '--target', older, '--unique-id', newer)
    expect(replaced.last).toMatchObject({ status: 'success', issues: [] })
    const index = await found()
    expect(index).toContain(newer)
    expect(index).not.toContain(older)
    const removed = await done('push', 'remove', '--unique-id', newer)
    expect(removed.steps.map(({ status }) => status)).toEqual(['success', 'success'])
    expect(await found()).not.toContain(newer)
    const nothing = await done('push', 'remove', '--unique-id', newer)
    expect(nothing.steps.map(({ status }) => status)).toEqual(['failure'])
    expect(nothing.code).toBe(exitCodes.failure)
  })

  it.each([
    ['nothing to be done', []],
    ['something that nobody does', ['destroy', '--patient', patient]],
    ['nobody', ['create']],
    ['an update of nothing', ['update', '--patient', patient]],
    ['a removal of nothing', ['remove', '--patient', patient]],
    ['a replacement of nothing', ['replace', '--patient', patient]],
    ['a party that is none', ['create', '--patient', patient, '--as', 'nobody']],
    ['an organization that has no voice', ['create', '--patient', patient, '--for', '010']],
    ['a type that is none', ['create', '--patient', patient, '--type', 'x']],
    ['a file that is not there', ['create', '--patient', patient, '--metadata', 'nothing.json']],
    ['an address that is none', ['create', '--patient', patient, '--url', 'http://localhost']],
  ])('is used wrongly with %s', async (_what, args) => {
    const ended = run('push', ...args)
    await expect(ended).rejects.toBeInstanceOf(CliError)
    await expect(ended).rejects.toMatchObject({ exit: 'usage' })
  })

  it('ends as unreachable when no gateway answers', async () => {
    const ended = run('push', 'create', '--patient', patient, '--url', 'https://127.0.0.1:1')
    await expect(ended).rejects.toMatchObject({ exit: 'unreachable' })
  })
})

describe('crocevia notify', () => {
  it('hides a document at once', async () => {
    const uniqueId = named('HIDDEN')
    await done('push', 'create', '--unique-id', uniqueId)
    expect(await found()).toContain(uniqueId)
    const { code, last } = await done('notify', 'hiding', '--document', uniqueId)
    expect(last).toMatchObject({ what: 'NotifyHiding', status: 'success', issues: [] })
    expect(last.claimed).toBeUndefined()
    expect(code).toBe(exitCodes.success)
    expect(await found()).not.toContain(uniqueId)
    expect(await found('ASS')).toContain(uniqueId)
  })

  it.each([
    ['submit', ['--document', named('A'), '--repository', '2.16.840.1.113883.2.9.2.50.4.5.910']],
    ['retrieve', ['--document', named('A'), '--repository', '2.16.840.1.113883.2.9.2.50.4.5.910', '--type', '11502-2']],
    ['consent', ['--give', 'C1', '--withdraw', 'C2']],
  ])('tells of what is called %s', async (kind, args) => {
    const { code, last } = await done('notify', kind, ...args)
    expect(last).toMatchObject({ status: 'success', issues: [] })
    expect(code).toBe(exitCodes.success)
  })

  it('is refused to whoever is not INI', async () => {
    const { code, last } = await done('notify', 'hiding', '--document', named('A'), '--as', 'region-050')
    expect(last.status).toBe('refused')
    expect(code).toBe(exitCodes.refused)
  })
})

describe('the crocevia command', () => {
  it.each([
    [exitCodes.success, ['notify', 'consent', '--patient', patient, '--give', 'C3']],
    [exitCodes.refused, ['transfer', 'search', '--patient', patient, '--role', 'AAS']],
    [exitCodes.usage, ['push', 'create']],
  ])('ends with %i, and tells on standard error only what kept it from asking', async (wanted, args) => {
    const { code, stdout, stderr } = await crocevia(...args, '--federation', federation)
    expect(code).toBe(wanted)
    expect([stdout === '', stderr === '']).toEqual(wanted === exitCodes.usage ? [true, false] : [false, true])
  })
})

describe('crocevia transfer', () => {
  it('searches, reads in chunks and keeps, then removes', async () => {
    const search = await done('transfer', 'search')
    expect(search.code).toBe(exitCodes.success)
    const ids = search.last.listed ?? []
    expect(ids.length).toBeGreaterThan(40)

    const size = Math.ceil(ids.length / 2)
    const kept = await done('transfer', 'run', '--chunk', String(size), '--keep')
    expect(kept.steps.map(({ status }) => status)).toEqual(['success', 'success', 'success'])
    expect(kept.steps.slice(1).flatMap(({ listed = [] }) => listed)).toHaveLength(ids.length)

    const moved = await done('transfer', 'run', '--chunk', String(size))
    expect(moved.steps.map(({ what }) => what)).toEqual([
      'search everything (ITI-18)',
      'read chunk 1 of 2 (ITI-18)',
      'remove chunk 1 of 2 (ITI-62)',
      'read chunk 2 of 2 (ITI-18)',
      'remove chunk 2 of 2 (ITI-62)',
    ])
    expect(moved.code).toBe(exitCodes.success)
    expect((await done('transfer', 'search')).last.listed).toEqual([])
  })

  it('is refused to whoever may not', async () => {
    const { code, steps } = await done('transfer', 'run', '--role', 'AAS')
    expect(steps).toHaveLength(1)
    expect(code).toBe(exitCodes.refused)
  })
})
