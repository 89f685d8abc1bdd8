import { readBounded } from './bounded-file.ts'
import { certificatesIn, type KeySource, readKeyPair } from './key-files.ts'

/** What `node:tls` takes, all in PEM. */
export interface TlsMaterial {
  /** Our certificate and its intermediates. */
  readonly cert: string
  /** PKCS#8, not encrypted. */
  readonly key: string
  /** The authorities the other side is checked against, one text each. */
  readonly ca: string[]
}

/** Reads our side of a TLS channel and the PEM files of the authorities of the other. Throws KeyError. */
export async function readTlsMaterial(source: KeySource, authorities: readonly string[]): Promise<TlsMaterial> {
  const { certificate, intermediates, key } = await readKeyPair(source)
  const anchors = await Promise.all(
    authorities.map(async (path) => certificatesIn((await readBounded(path)).toString('latin1'), path)),
  )
  return {
    cert: [certificate, ...intermediates].map((one) => one.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ca: anchors.flat().map((one) => one.toString()),
  }
}
