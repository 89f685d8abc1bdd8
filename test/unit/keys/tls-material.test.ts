import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { readTlsMaterial } from '../../../src/keys/tls-material.ts'
import { folder, type Hierarchy, hierarchy, noOpenssl, openssl, type Pair } from './fixtures.ts'

let ours: Hierarchy
let theirs: Hierarchy
let gateway: Pair
let peer: Pair

beforeAll(async () => {
  ours = await hierarchy('Ours')
  theirs = await hierarchy('Theirs')
  gateway = await ours.issue('P-256', 'gateway')
  peer = await theirs.issue('rsa-2048', 'localhost')
})

describe('the material of a TLS channel', () => {
  it('makes both sides of a mutual handshake, intermediates included', async () => {
    const { write } = folder()
    const client = await readTlsMaterial(
      { certificate: write('c', gateway.certificate + ours.intermediate), key: write('k', gateway.pem) },
      [write('their-root', theirs.root)],
    )
    const server = await readTlsMaterial(
      { certificate: write('sc', peer.certificate + theirs.intermediate), key: write('sk', peer.pem) },
      [write('our-roots', theirs.root + ours.root)],
    )
    expect(server.ca).toHaveLength(2)
    const listening = createServer({ ...server, requestCert: true, rejectUnauthorized: true }, (socket) => {
      socket.end(String(socket.getPeerCertificate().subject.CN))
    }).listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const { port } = listening.address() as AddressInfo
    const socket = connect({ ...client, port, host: '127.0.0.1', servername: 'localhost' })
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toBe('gateway')
    expect(socket.authorized).toBe(true)
    socket.destroy()
    listening.close()
  })

  it('is the same from PKCS#12', async (ctx) => {
    const files = folder()
    const pem = {
      certificate: files.write('c', gateway.certificate + ours.intermediate),
      key: files.write('k', gateway.pem),
    }
    const made = await openssl(
      ...['pkcs12', '-export', '-in', pem.certificate, '-inkey', pem.key, '-passout', 'pass:segreto'],
      ...['-out', files.at('all.p12')],
    )
    if (!made) ctx.skip(noOpenssl)
    const authorities = [files.write('a', theirs.root)]
    const pkcs12 = { pkcs12: files.at('all.p12'), passphrase: files.write('p', 'segreto') }
    expect(await readTlsMaterial(pkcs12, authorities)).toEqual(await readTlsMaterial(pem, authorities))
  })

  it('needs an authority in each file that is named for them', async () => {
    const { write } = folder()
    const source = { certificate: write('c', gateway.certificate), key: write('k', gateway.pem) }
    const empty = write('empty', '')
    await expect(readTlsMaterial(source, [write('a', ours.root), empty])).rejects.toMatchObject({
      reason: 'certificate-missing',
      path: empty,
    })
  })
})
