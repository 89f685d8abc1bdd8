/** Why a key or certificate file cannot be used. */
export type KeyErrorReason =
  | 'file-missing'
  | 'file-unreadable'
  | 'file-too-large'
  | 'certificate-missing'
  | 'certificate-malformed'
  /** Certificates come along, and none of them issued the one of the key. */
  | 'certificates-not-a-chain'
  | 'key-missing'
  | 'key-malformed'
  /** More than one private key where one is meant. */
  | 'key-ambiguous'
  | 'key-of-another-certificate'
  /** Neither RSA nor ECDSA over P-256, P-384 or P-521. */
  | 'key-of-unsupported-kind'
  | 'key-too-short'
  /** The key is encrypted and no passphrase file is named. */
  | 'passphrase-missing'
  /** Or the encrypted bytes were damaged: the two look the same. */
  | 'passphrase-wrong'
  | 'pkcs12-malformed'
  /** Encrypted or protected in a way we do not know, or content other than keys and certificates. */
  | 'pkcs12-unsupported'

/** A key or certificate file that cannot be used: which file and why, never what is in it. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
  readonly reason: KeyErrorReason
  /** The file that is at fault, as it was named. */
  readonly path: string

  constructor(reason: KeyErrorReason, path: string) {
    super(`The file ${path} cannot be used: ${reason}`)
    this.reason = reason
    this.path = path
  }
}
