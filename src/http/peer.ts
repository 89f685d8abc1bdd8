import type { TLSSocket } from 'node:tls'
import type { Peer } from '../core/model/call.ts'

/** What the certificate of a connection says, before anybody is recognised by it. */
export interface PeerCertificate {
  readonly commonName?: string
  /** Distinguishing name, one line. */
  readonly subject: string
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string
  /** The certificate, DER. */
  readonly raw: Buffer
}

/** Maps a certificate to a party of the configuration; a stranger gets no name. */
export type Identify = (certificate: PeerCertificate) => Peer

/** The certificate the peer proved possession of; undefined on a connection without one. */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate?.()
  if (certificate === undefined || !socket.authorized) return undefined
  const lines = certificate.subject.split('\n')
  const names = lines.filter((line) => line.startsWith('CN='))
  const [name] = names
  return {
    ...(names.length === 1 && name !== undefined ? { commonName: name.slice(3) } : {}),
    subject: lines.join(', '),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    raw: certificate.raw,
  }
}
