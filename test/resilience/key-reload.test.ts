import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fileSigner } from '../../src/keys/file-signer.ts'
import { filesOf, readKeyPair } from '../../src/keys/key-files.ts'
import { reloadable } from '../../src/keys/reloadable.ts'
import { remoteSigner } from '../../src/keys/remote-signer.ts'
import { readTlsMaterial } from '../../src/keys/tls-material.ts'
import { signatureHolds } from '../../src/trust/algorithms.ts'
import type { Signer } from '../../src/trust/signer.ts'
import { type Authority, certificateAuthority, type Identity, listen } from '../support/tls.ts'

let authority: Authority
let first: Identity
let second: Identity

beforeAll(async () => {
  authority = await certificateAuthority('Reload')
  first = await authority.issue({ cn: 'first' })
  second = await authority.issue({ cn: 'second' })
})

const data = Buffer.from('what is signed')

function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'reload-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Ends watches and signers with the test. */
function untilFinished(): AbortSignal {
  const ending = new AbortController()
  onTestFinished(() => ending.abort())
  return ending.signal
}

async function holds(signer: Signer): Promise<boolean> {
  return signatureHolds(signer.algorithm, data, signer.certificate.publicKey, await signer.sign(data))
}

const program = fileURLToPath(new URL('../support/signer-process.ts', import.meta.url))

/** Starts a signer process with a key and waits until it listens. Its key file is gone by then. */
async function startSigner(folder: string, { cert, key }: Identity, where: readonly string[]): Promise<ChildProcess> {
  const [certificateFile, keyFile] = [join(folder, 'signer.crt'), join(folder, 'signer.key')]
  writeFileSync(certificateFile, cert)
  writeFileSync(keyFile, key)
  const args = [program, '--certificate', certificateFile, '--key', keyFile, ...where]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => expect.fail('the signer process did not start')),
  ])
  unlinkSync(keyFile)
  lines.set(child, String(line))
  return child
}

const lines = new WeakMap<ChildProcess, string>()

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

describe('a key in a process of its own', () => {
  const limits = { deadlineMs: 5_000, concurrency: 4, queue: 16 }

  it('signs for a gateway that cannot read it', async () => {
    const folder = scratch()
    const socket = join(folder, 'signer.sock')
    await startSigner(folder, first, ['--socket', socket])
    // The only copy is in the memory of the other process.
    expect(existsSync(join(folder, 'signer.key'))).toBe(false)
    const signer = await remoteSigner({ ...limits, address: { socket }, signal: untilFinished() })
    expect(signer.certificate.raw).toEqual(new X509Certificate(first.cert).raw)
    expect(signer.algorithm).toBe('ES256')
    expect(await Promise.all(Array.from({ length: 12 }, () => holds(signer)))).not.toContain(false)
  })

  it('signs over a port of this machine too', async () => {
    const child = await startSigner(scratch(), first, ['--port', '0'])
    const { port } = JSON.parse(lines.get(child) ?? '') as { port: number }
    expect(await holds(await remoteSigner({ ...limits, address: { port }, signal: untilFinished() }))).toBe(true)
  })

  it('is missed while its process is dead, and signs on when it is back', async () => {
    const folder = scratch()
    const socket = join(folder, 'signer.sock')
    const child = await startSigner(folder, first, ['--socket', socket])
    const signer = await remoteSigner({ ...limits, address: { socket }, signal: untilFinished() })
    expect(await holds(signer)).toBe(true)
    // The process takes no step any more, so that this signature is under way when it dies.
    child.kill('SIGSTOP')
    const underWay = holds(signer)
    const away = { code: 'internal', details: { reason: 'signer-unavailable', phase: 'connection' } }
    const missed = expect(underWay).rejects.toMatchObject(away)
    await kill(child)
    await missed
    await expect(holds(signer)).rejects.toMatchObject(away)
    await startSigner(folder, first, ['--socket', socket])
    expect(await holds(signer)).toBe(true)
  })

  it('is noticed when it is another than before, and taken when the signer is loaded anew', async () => {
    const folder = scratch()
    const socket = join(folder, 'signer.sock')
    const child = await startSigner(folder, first, ['--socket', socket])
    const signal = untilFinished()
    const signer = await reloadable(() => remoteSigner({ ...limits, address: { socket }, signal }), {
      onFailed: (error) => expect.fail(String(error)),
    })
    expect(await holds(signer.current())).toBe(true)
    await kill(child)
    await startSigner(folder, second, ['--socket', socket])
    await expect(holds(signer.current())).rejects.toMatchObject({ details: { reason: 'signer-key-changed' } })
    expect(await signer.reload()).toBe(true)
    expect(signer.current().certificate.subject).toBe('CN=second')
    expect(await holds(signer.current())).toBe(true)
  })
})

describe('a signing key that is renewed while it is in use', () => {
  it('never signs beside the certificate of another', async () => {
    const folder = scratch()
    const source = { certificate: join(folder, 'c'), key: join(folder, 'k') }
    const write = ({ cert, key }: Identity): void => {
      writeFileSync(source.certificate, cert)
      writeFileSync(source.key, key)
    }
    write(first)
    const replaced = Promise.withResolvers<void>()
    const signer = await reloadable(async () => fileSigner(await readKeyPair(source)), {
      onReloaded: () => replaced.resolve(),
      onFailed: () => undefined,
      watch: { paths: filesOf(source), everyMs: 2, signal: untilFinished() },
    })
    let renewed = false
    void replaced.promise.then(() => {
      renewed = true
    })
    write(second)
    const seen = new Set<string>()
    for (let last = false; !last; ) {
      last = renewed
      const now = signer.current()
      seen.add(now.certificate.subject)
      expect(await holds(now)).toBe(true)
      await new Promise(setImmediate)
    }
    expect(seen).toEqual(new Set(['CN=first', 'CN=second']))
  })

  it('stays when the new one is half written or of another certificate, until it is right', async () => {
    const folder = scratch()
    const source = { certificate: join(folder, 'c'), key: join(folder, 'k') }
    writeFileSync(source.certificate, first.cert)
    writeFileSync(source.key, first.key)
    let failed = Promise.withResolvers<unknown>()
    const replaced = Promise.withResolvers<void>()
    const signer = await reloadable(async () => fileSigner(await readKeyPair(source)), {
      onReloaded: () => replaced.resolve(),
      onFailed: (error) => failed.resolve(error),
      watch: { paths: filesOf(source), everyMs: 2, signal: untilFinished() },
    })
    for (const [path, text, reason] of [
      [source.key, second.key.slice(0, 80), 'key-malformed'],
      [source.key, second.key, 'key-of-another-certificate'],
      [source.certificate, '', 'certificate-missing'],
    ] as const) {
      writeFileSync(path, text)
      expect(await failed.promise).toMatchObject({ reason, path: reason.startsWith('key') ? source.key : path })
      expect(await holds(signer.current())).toBe(true)
      expect(signer.current().certificate.subject).toBe('CN=first')
      failed = Promise.withResolvers()
    }
    writeFileSync(source.certificate, second.cert)
    await replaced.promise
    expect(signer.current().certificate.subject).toBe('CN=second')
  })
})

describe('a server whose certificate is renewed under load', () => {
  it('drops no request and shows the new certificate to whoever connects anew', async () => {
    const folder = scratch()
    const at = (name: string) => join(folder, name)
    // As a mounted secret: the files are links through `..data`, which is turned in one step.
    for (const [version, { cert, key }] of [['v1', first] as const, ['v2', second] as const]) {
      mkdirSync(at(version))
      writeFileSync(at(`${version}/tls.crt`), cert)
      writeFileSync(at(`${version}/tls.key`), key)
    }
    symlinkSync('v1', at('..data'))
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, at(name))
    const source = { certificate: at('tls.crt'), key: at('tls.key') }
    writeFileSync(at('ca.pem'), authority.ca)
    const load = () => readTlsMaterial(source, [at('ca.pem')])

    const server = https.createServer({ ...(await load()) }, (_request, response) => {
      // The answer takes a while, so that renewal finds requests under way.
      setImmediate(() => response.end('ok'))
    })
    await using listening = await listen(server)
    const replaced = Promise.withResolvers<void>()
    await reloadable(load, {
      onReloaded(material) {
        server.setSecureContext(material)
        replaced.resolve()
      },
      onFailed: (error) => replaced.reject(error),
      watch: { paths: [...filesOf(source), at('ca.pem')], everyMs: 2, signal: untilFinished() },
    })

    // A resumed session shows no certificate.
    const kept = new https.Agent({ keepAlive: true, maxCachedSessions: 0 })
    onTestFinished(() => kept.destroy())
    const ask = (agent: https.Agent | false): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = https.get(listening.origin, { agent, ca: authority.ca }, (response) => {
          const certificate = (response.socket as TLSSocket).getPeerX509Certificate()
          response.resume().on('end', () => resolve(certificate?.subject ?? 'no certificate'))
        })
        request.on('error', reject)
      })

    expect(new Set(await Promise.all([ask(kept), ask(kept), ask(kept), ask(false)]))).toEqual(new Set(['CN=first']))
    let renewed = false
    const turned = replaced.promise.then(() => {
      renewed = true
    })
    symlinkSync('v2', at('..next'))
    renameSync(at('..next'), at('..data'))
    rmSync(at('v1'), { recursive: true })
    const names = new Set<string>()
    while (!renewed) for (const name of await Promise.all([ask(kept), ask(kept), ask(false)])) names.add(name)
    await turned
    for (const name of names) expect(['CN=first', 'CN=second']).toContain(name)
    expect(await ask(kept)).toBe('CN=first')
    expect(await ask(false)).toBe('CN=second')
  })
})
