import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Peer } from '../core/model/call.ts'

/** What the certificate of a connection says, before anybody is recognised by it. */
export interface PeerCertificate {
  /** Distinguishing name, one line. */
  readonly subject: string
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string
  /** The certificate, DER. */
  readonly raw: Buffer
  /** Certificates that came along with it. */
  readonly supplied: readonly X509Certificate[]
}

/** Maps a certificate to a party of the configuration; a stranger gets no name. */
export type Identify = (certificate: PeerCertificate) => Peer

/** The certificate the peer proved possession of; undefined on a connection without one. Read once per connection. */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const known = read.get(socket)
  if (known !== undefined) return known
  const certificate = socket.getPeerX509Certificate?.()
  if (certificate === undefined || !socket.authorized) return undefined
  const lines = certificate.subject.split('\n')
  const peer: PeerCertificate = {
    subject: lines.join(', '),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    raw: certificate.raw,
    supplied: suppliedWith(certificate),
  }
  read.set(socket, peer)
  return peer
}

const read = new WeakMap<TLSSocket, PeerCertificate>()

/** The most certificates of a chain that are looked at. */
const longestChain = 8

function suppliedWith(certificate: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let issuer = certificate.issuerCertificate
  while (issuer !== undefined && chain.length < longestChain && !chain.includes(issuer)) {
    chain.push(issuer)
    issuer = issuer.issuerCertificate
  }
  return chain
}
