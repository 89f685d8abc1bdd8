import { existsSync } from 'node:fs'

/** Tests use the development identities; they are made once and kept. */
export default async function setup(): Promise<void> {
  const make = new URL('../../certs-dev/make.ts', import.meta.url)
  if (!existsSync(make)) return
  const { ensureCertificates } = (await import(make.href)) as { ensureCertificates: () => Promise<unknown> }
  await ensureCertificates()
}
