import type { Clock } from '../core/ports.ts'
import { certificatesOf } from '../trust/x509/certificate.ts'
import { optionsOf } from './arguments.ts'
import { assertionFindings } from './doctor-assertion.ts'
import { examineConfig } from './doctor-config.ts'
import { endpointFindings } from './doctor-endpoints.ts'
import { type Ending, expiryFindings } from './doctor-expiry.ts'
import { examineFiles, type FileContents } from './doctor-files.ts'
import { chainFindings, examineKeys, type OwnKeys } from './doctor-keys.ts'
import { coverageFindings, listFindings } from './doctor-lists.ts'
import { CliError } from './exit.ts'
import { asLines, type Finding } from './finding.ts'
import { usage } from './usage.ts'

const options = {
  config: { type: 'string' },
  offline: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/**
 * `doctor`: checks a configuration against the world, and says of each finding what to do. Resolves to 0 when nothing
 * failed and 1 when something did. Throws CliError for wrong arguments.
 */
export async function doctor(args: readonly string[]): Promise<number> {
  const { config = process.env.FEDERATION_FILE, json, offline } = optionsOf(args, options)
  if (config === undefined) throw new CliError('usage', `--config is needed\n\n${usage}`)
  const findings = await examine(config, { offline, clock: { now: () => Date.now() } })
  await written(json ? `${JSON.stringify(findings, undefined, 2)}\n` : asLines(findings))
  const code = findings.some(({ level }) => level === 'fail') ? 1 : 0
  // A name that is still being looked up would hold the process.
  process.exit(code)
}

function written(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
}

interface Circumstances {
  readonly offline: boolean
  readonly clock: Clock
}

async function examine(path: string, { clock, offline }: Circumstances): Promise<readonly Finding[]> {
  const { config, findings } = examineConfig(path)
  if (config === undefined) return findings
  const { federation } = config
  const ending = new AbortController()
  try {
    const [files, keys] = await Promise.all([examineFiles(config), examineKeys(config, ending.signal)])
    const endpoints = offline ? [] : await endpointFindings(config, keys.tls, clock)
    const assertions = keys.signer === undefined ? [] : await assertionFindings(federation, keys.signer, clock)
    const anchors = [...files.certificates.values()].flatMap(({ certificates }) => certificates)
    const now = clock.now()
    return [
      ...findings,
      ...files.findings,
      ...keys.findings,
      ...chainFindings(keys, anchors, federation, now),
      ...expiryFindings(endingsOf(files, keys), now),
      ...listFindings(files.lists.values(), { graceMs: federation.gateway.revocationGraceMs, now }),
      ...coverageFindings(config, files),
      ...assertions,
      ...endpoints,
    ]
  } finally {
    ending.abort()
  }
}

/** Ours first: a certificate of a file that is told of already is not told of again. */
function endingsOf(files: FileContents, { signer, tls }: OwnKeys): readonly Ending[] {
  const own: Ending[] = [
    ...(tls === undefined ? [] : certificatesOf(tls.cert)).map((certificate) => {
      return { what: 'gateway.identity.tls', certificate, own: true }
    }),
    ...(signer === undefined ? [] : [signer.certificate, ...signer.intermediates]).map((certificate) => {
      return { what: 'gateway.identity.signing', certificate, own: true }
    }),
  ]
  const named = [...files.certificates.values()].flatMap(({ certificates, what }) =>
    certificates.map((certificate) => ({ what, certificate, own: what.startsWith('gateway.') })),
  )
  return [...own, ...named]
}
