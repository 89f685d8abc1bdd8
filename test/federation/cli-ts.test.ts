import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { CliError, exitCodes } from '../../src/cli/exit.ts'
import { ts } from '../../src/cli/ts.ts'
import { citizens } from '../network/citizens.ts'
import { type Network, startNetwork } from '../network/network.ts'
import type { SistemaTs } from '../network/sistema-ts.ts'

const patient = citizens.tuscan.identifiers[0].value
const doctor = 'GLLPLA59D12X833E'

let network: Network
let sistemaTs: SistemaTs

async function started(options: Parameters<typeof startNetwork>[0] & object): Promise<void> {
  network = await startNetwork(options)
  if (network.sistemaTs === undefined) throw new Error('Sistema TS was not started')
  sistemaTs = network.sistemaTs
}

/** The command in this process; `usage` errors reject. */
async function run(...args: string[]) {
  let stdout = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text, ...rest: unknown[]) => {
    stdout += String(text)
    for (const written of rest) if (typeof written === 'function') written()
    return true
  })
  try {
    return { code: await ts([...args, '--config', network.gateway.config]), stdout: () => stdout }
  } finally {
    write.mockRestore()
  }
}

describe('crocevia ts, as a region', () => {
  beforeAll(() => started({ sistemaTs: {} }))
  afterAll(() => network[Symbol.asyncDispose]())
  afterEach(() => sistemaTs.behave('normal'))
  const subject = ['--subject', 'RSSMRA80A01H501U']

  it('lists and looks at prescriptions, and shows what went over the wire without secrets', async () => {
    const { code, stdout } = await run('list', '--patient', patient, ...subject)
    expect(code).toBe(exitCodes.success)
    expect(stdout()).toMatch(/^POST https:\/\/127\.0\.0\.1:\d+\/DemRicettaRicercaErogatoreServicesWeb\//)
    expect(stdout()).toMatch(/pinCode>\[masked, 172 characters\]/)
    expect(stdout()).toMatch(/SignatureValue>\[masked, \d+ characters\]/)
    expect(stdout()).not.toContain(sistemaTs.account.pinCode)
    expect(stdout()).toContain('0900A4900000001  to-be-dispensed')
    const one = await run('view', '--nre', '0900A4900000001', '--patient', patient, ...subject)
    expect(one.stdout()).toContain('success: outcome 0000')
  })

  it('tells of a citizen', async () => {
    const { stdout } = await run('citizen', '--patient', citizens['two-codes'].identifiers[1]?.value ?? '', ...subject)
    expect(stdout()).toMatch(/valid, codice-fiscale/)
    expect(stdout()).toMatch(/replaced/)
    expect(stdout()).toMatch(/assisted by urn:oid:2\.16\.840\.1\.113883\.2\.9\.2\.90/)
  })

  it('asks for the history of a number and for the numbers of a doctor', async () => {
    const history = await run('history', '--nre', '0900A4900000001', ...subject)
    expect(history.code).toBe(exitCodes.success)
    const used = await run('used-numbers', '--doctor', doctor, '--from', '2026-01-01', '--to', '2026-12-31', ...subject)
    expect(used.code).toBe(exitCodes.success)
    expect(sistemaTs.lockingAttempts).toEqual([])
  })

  it('speaks JSON', async () => {
    const { stdout } = await run('list', '--patient', patient, '--json', ...subject)
    const told = JSON.parse(stdout()) as { status: string; exchanges: { answer: { http: number } }[] }
    expect(told.status).toBe('success')
    expect(told.exchanges.map(({ answer }) => answer.http)).toEqual([200])
  })

  it('fails as Sistema TS does, in its words', async () => {
    await sistemaTs.behave('refuse')
    const { code, stdout } = await run('list', '--patient', patient, ...subject)
    expect(code).toBe(exitCodes.failure)
    expect(stdout()).toContain('9001: Servizio non disponibile')
  })

  it('is unreachable when nobody listens', async () => {
    await sistemaTs.behave('down')
    expect((await run('list', '--patient', patient, ...subject)).code).toBe(exitCodes.unreachable)
  })

  it.each([
    ['an operation that locks', ['visualizzaErogato', '--nre', '0900A4900000001', ...subject]],
    ['nobody who asks', ['list', '--patient', patient]],
    ['nobody who is asked about', ['list', ...subject]],
    ['another community', ['list', '--patient', patient, '--community', 'ini', ...subject]],
    [
      'a session, which is for direct users',
      ['session', 'check', '--token', 'x'.repeat(36), '--url', 'https://x', ...subject],
    ],
  ])('does not know what to do with %s', async (_what, args) => {
    await expect(run(...args)).rejects.toBeInstanceOf(CliError)
  })
})

describe('crocevia ts, as a direct user', () => {
  let folder: string
  beforeAll(async () => {
    await started({ sistemaTs: { as: 'user' } })
    folder = await mkdtemp(join(tmpdir(), 'crocevia-ts-cli-'))
  })
  afterAll(async () => {
    await network[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('asks for a session, which goes into a file and onto no screen, looks at it, and ends it', async () => {
    const file = join(folder, 'session')
    const created = await run('session', 'create', '--token-file', file)
    expect(created.code).toBe(exitCodes.success)
    const token = (await readFile(file, 'utf8')).trim()
    expect(token).toBe(sistemaTs.sessions.all.at(-1)?.token)
    expect((await stat(file)).mode & 0o077).toBe(0)
    const checked = await run('session', 'check', '--token', token)
    expect(checked.stdout()).toMatch(/good, from \d{4}-/)
    const revoked = await run('session', 'revoke', '--token', token)
    expect(revoked.code).toBe(exitCodes.success)
    const again = await run('session', 'revoke', '--token', token)
    expect(again.code).toBe(exitCodes.failure)
    const { account } = sistemaTs
    for (const { stdout } of [created, checked, revoked, again]) {
      for (const secret of [token, account.password, account.pinCode]) expect(stdout()).not.toContain(secret)
      expect(stdout()).not.toContain(Buffer.from(`${account.user}:${account.password}`).toString('base64'))
      expect(stdout()).toMatch(/valore[^>]*>\[masked/)
    }
  })

  it('lists prescriptions with a session of its own', async () => {
    const { code, stdout } = await run('list', '--patient', patient)
    expect(code).toBe(exitCodes.success)
    expect(stdout()).toMatch(/Authorization2F: \[masked\]/)
    for (const { token } of sistemaTs.sessions.all) expect(stdout()).not.toContain(token)
  })
})

describe('crocevia ts with a wrong password', () => {
  beforeAll(() => started({ sistemaTs: { as: 'user', community: { secrets: { password: 'Sbagliata1' } } } }))
  afterAll(() => network[Symbol.asyncDispose]())

  it('is refused once, and says that trying again may lock the account', async () => {
    const { code, stdout } = await run('list', '--patient', patient)
    expect(code).toBe(exitCodes.refused)
    expect(stdout()).toMatch(/HTTP 401/)
    expect(stdout()).toMatch(/accounts lock/)
    expect(stdout()).not.toContain('Sbagliata1')
    expect(sistemaTs.credentials.refusals).toBe(1)
  })
})
