import { existsSync, readFileSync } from 'node:fs'
import { CliError } from './exit.ts'

/** What the command line reads of the description that `npm run federation` writes. */
export interface FederationFile {
  /** `config` is the path of the gateway's configuration. */
  readonly gateway: { readonly iti18: string; readonly iti38: string; readonly config: string }
  readonly communities: readonly { readonly name: string; readonly home: string }[]
}

/** The running development federation. Throws CliError. */
export function federationFile(path: string): FederationFile {
  if (!existsSync(path))
    throw new CliError(
      'unreachable',
      `no federation is running (${path} is missing); start one with: npm run federation`,
    )
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as Partial<FederationFile>
    if (file.gateway !== undefined && file.communities !== undefined) return file as FederationFile
  } catch {
    // Half written, or no such file at all: told as the same.
  }
  throw new CliError('unreachable', `${path} does not describe a federation; start one with: npm run federation`)
}

/** Where the SOAP services of a gateway stand: at the address that is given, or the federation's. Throws CliError. */
export function gatewayOrigin(url: string | undefined, federation: string): string {
  if (url === undefined) return new URL(federationFile(federation).gateway.iti18).origin
  const address = URL.parse(url)
  if (address?.protocol === 'https:') return address.origin
  throw new CliError('usage', '--url must be the address of a gateway, such as https://localhost:8443')
}
