import { X509Certificate } from 'node:crypto'
import type { JudgeCertificate } from './client/send.ts'
import type { Federation } from './config/federation.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import type { Clock } from './core/ports.ts'
import { fileSigner } from './keys/file-signer.ts'
import { KeyError } from './keys/key-error.ts'
import { filesOf, type KeyPair, type KeySource, readKeyPair } from './keys/key-files.ts'
import { remoteSigner } from './keys/remote-signer.ts'
import { anchorReader, callbackPartiesOf, partiesOf } from './parties.ts'
import { endingOf, readSistemaTs, type SistemaTsMaterial, sistemaTsFiles } from './sistema-ts/material.ts'
import { bearersOf, tokenFiles } from './tokens.ts'
import type { Party } from './trust/parties.ts'
import type { Signer } from './trust/signer.ts'
import { distrust, type TrustAnchors } from './trust/x509/chain.ts'
import type { NamedCertificate } from './trust/x509/expiry.ts'

/** Everything that is read from files of keys, certificates and lists, as of one moment. */
export interface TrustMaterial {
  readonly parties: readonly Party[]
  /** Those who call back and are nobody elsewhere. */
  readonly callbacks: readonly Party[]
  readonly signer: Signer
  /** Our side of every TLS connection, PEM. */
  readonly tls: { readonly cert: string; readonly key: string }
  /** Who vouches for the servers of each community, by name. */
  readonly servers: ReadonlyMap<string, TrustAnchors>
  /** What Sistema TS is spoken to with, by the name of the community. */
  readonly sistemaTs: ReadonlyMap<string, SistemaTsMaterial>
  /** Certificates whose end somebody must be told of in time. */
  readonly ending: readonly NamedCertificate[]
}

type Identity = Federation['gateway']['identity']

/** How long a signer process may take for one signature, and how many it is asked for at a time. */
const remote = { deadlineMs: 2_000, concurrency: 16, queue: 1_024 } as const

/** Reads it all. Throws ConfigError with the file that is at fault. `signal` ends the connection to a signer process. */
export async function loadTrustMaterial(config: LoadedConfig, signal: AbortSignal): Promise<TrustMaterial> {
  const { gateway, communities } = config.federation
  const anchorsOf = anchorReader(config)
  const tls = await usable(() => readKeyPair(sourceOf(gateway.identity.tls, config)))
  const signer = await usable(() => signerOf(gateway.identity.signing, config, signal))
  const servers = communities.map(({ name, trust }) => {
    return [name, anchorsOf({ anchors: trust.tls, revocationLists: trust.tlsRevocationLists })] as const
  })
  const parties = partiesOf(config.federation, anchorsOf)
  const callbacks = callbackPartiesOf(config.federation, anchorsOf)
  const sistemaTs = await sistemaTsMaterial(config)
  return {
    parties,
    callbacks,
    signer,
    tls: { cert: pemOf(tls), key: tls.key.export({ type: 'pkcs8', format: 'pem' }).toString() },
    servers: new Map(servers),
    sistemaTs,
    ending: [
      { name: 'gateway/tls', certificate: tls.certificate },
      { name: 'gateway/signing', certificate: signer.certificate },
      ...servers.flatMap(([name, { anchors }]) => named(`${name}/tls`, anchors)),
      ...[...sistemaTs].flatMap(([name, one]) => endingOf(name, one)),
      ...[...parties, ...callbacks].flatMap(({ name, callers, assertions }) => [
        ...named(`${name}/callers`, callers?.trust.anchors ?? []),
        ...named(`${name}/assertions`, assertions?.trust.anchors ?? []),
      ]),
    ],
  }
}

async function sistemaTsMaterial(config: LoadedConfig): Promise<Map<string, SistemaTsMaterial>> {
  const read = new Map<string, SistemaTsMaterial>()
  for (const { name, sistemaTs } of config.federation.communities) {
    if (sistemaTs !== undefined) read.set(name, await readSistemaTs(sistemaTs, config))
  }
  return read
}

function named(name: string, certificates: readonly X509Certificate[]): NamedCertificate[] {
  return certificates.map((certificate, index) => ({
    name: certificates.length === 1 ? name : `${name}/${index + 1}`,
    certificate,
  }))
}

function pemOf({ certificate, intermediates }: KeyPair): string {
  return [certificate, ...intermediates].map((one) => one.toString()).join('')
}

async function usable<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof KeyError) throw new ConfigError([{ path: error.path, message: error.reason }])
    throw error
  }
}

async function signerOf(signing: Identity['signing'], config: LoadedConfig, signal: AbortSignal): Promise<Signer> {
  if (!('signer' in signing)) return fileSigner(await readKeyPair(sourceOf(signing, config)))
  const port = /^127\.0\.0\.1:([0-9]{1,5})$/.exec(signing.signer)?.[1]
  const address = port === undefined ? { socket: config.locate(signing.signer) } : { port: Number(port) }
  return await remoteSigner({ address, ...remote, signal })
}

function sourceOf(identity: Identity['tls'], { locate }: LoadedConfig): KeySource {
  const passphrase = identity.passphrase === undefined ? {} : { passphrase: locate(identity.passphrase) }
  if ('pkcs12' in identity) return { pkcs12: locate(identity.pkcs12), ...passphrase }
  return { certificate: locate(identity.certificate), key: locate(identity.key), ...passphrase }
}

/** Every file whose change calls for reading again. */
export function trustFiles(config: LoadedConfig): readonly string[] {
  const { gateway, communities, consumers } = config.federation
  const { tls, signing } = gateway.identity
  const trusts = [...communities, ...consumers].map(({ trust }) => trust)
  const files = trusts.flatMap((trust) => {
    const identification = 'identification' in trust ? trust.identification : undefined
    const message = 'message' in trust ? trust.message : undefined
    return [trust.callers, trust.assertions, identification, message]
  })
  const authorities = [...files, gateway.workflowStatus?.callers].flatMap((one) =>
    one === undefined ? [] : [...one.anchors, ...one.intermediates, ...one.revocationLists],
  )
  const servers = communities.flatMap(({ trust, modi }) => [
    ...trust.tls,
    ...trust.tlsRevocationLists,
    ...(modi?.pdnd?.tls ?? []),
  ])
  const sistemaTs = communities.flatMap((one) => {
    return one.sistemaTs === undefined ? [] : sistemaTsFiles(one.sistemaTs, config.locate)
  })
  const own = ['signer' in signing ? [] : filesOf(sourceOf(signing, config)), filesOf(sourceOf(tls, config))].flat()
  return [
    ...new Set([
      ...own,
      ...sistemaTs,
      ...[...authorities, ...servers, ...tokenFiles(bearersOf(consumers))].map(config.locate),
    ]),
  ]
}

/** Judges the servers of one community by its own anchors and lists, as they are at that moment. */
export function serverJudge(name: string, material: () => TrustMaterial, clock: Clock): JudgeCertificate {
  return (certificate, supplied) => {
    const trust = material().servers.get(name)
    if (trust === undefined) return 'certificate-not-issued-by-an-anchor-of-the-issuer'
    const others = supplied.map((one) => new X509Certificate(one))
    return distrust(new X509Certificate(certificate), others, trust, { use: 'server' }, clock.now())
  }
}
