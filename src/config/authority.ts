import { z } from 'zod'

/** The path of a file, relative to the folder of the configuration. */
export const file = z.string().min(1)

/** A key and its certificate: two PEM files (the certificate's may hold the chain), or one PKCS#12 file. */
export const keyFiles = z.union([
  z.strictObject({ certificate: file, key: file, passphrase: file.optional() }),
  z.strictObject({ pkcs12: file, passphrase: file }),
])

/** A regular expression, as text. */
export const pattern = z.string().refine((text) => {
  try {
    return text !== '' && new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}, 'must be a regular expression')

const policies = z.array(z.string().regex(/^[0-2](\.(0|[1-9][0-9]*))+$/, 'must be an OID')).min(1)

/** Who vouches for certificates. Without `revocationLists` revocation is not checked. */
export const authority = {
  /** Authorities, or the certificates themselves. */
  anchors: z.array(file).min(1),
  /** Authorities under the anchors, for peers that do not send them. */
  intermediates: z.array(file).default([]),
  /** Files with the lists (CRLs) of every authority that issues this party's certificates. */
  revocationLists: z.array(file).default([]),
  /** Certificate policies of which a certificate must carry one. */
  policies: policies.optional(),
}
