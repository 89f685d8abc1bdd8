import { ensureCertificates } from '../../certs-dev/make.ts'

/** Tests use the development identities; they are made once and kept. */
export default async function setup(): Promise<void> {
  await ensureCertificates()
}
