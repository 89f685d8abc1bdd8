import { createCipheriv, createHash, createHmac, type KeyObject, pbkdf2Sync, randomBytes } from 'node:crypto'
import { context, element, identifier, integer, nothing, octets, sequence, set } from './der.ts'

const iterations = 2_048

/**
 * A PKCS#12 file (RFC 7292) as today's tools write it: certificates, own first, and key each under PBES2 with AES-256, and
 * HMAC-SHA-256 over both. All certificates are in PEM.
 */
export function pkcs12(certificates: readonly string[], key: KeyObject, password: string): Buffer {
  const ders = certificates.map((pem) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'))
  const localKeyId = createHash('sha1')
    .update(ders[0] ?? '')
    .digest()
  const named = set(sequence(identifier('1.2.840.113549.1.9.21'), set(octets(localKeyId))))
  const certificateBags = ders.map((der, index) =>
    bag('3', sequence(identifier('1.2.840.113549.1.9.22.1'), context(0, octets(der))), ...(index === 0 ? [named] : [])),
  )
  const shrouded = key.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: password })
  const contents = sequence(
    sequence(identifier('1.2.840.113549.1.7.6'), context(0, encrypted(sequence(...certificateBags), password))),
    data(sequence(bag('2', shrouded, named))),
  )
  return sequence(integer(3), data(contents), authentication(contents, password))
}

function bag(kind: string, value: Buffer, ...attributes: Buffer[]): Buffer {
  return sequence(identifier(`1.2.840.113549.1.12.10.1.${kind}`), context(0, value), ...attributes)
}

function data(content: Buffer): Buffer {
  return sequence(identifier('1.2.840.113549.1.7.1'), context(0, octets(content)))
}

/** EncryptedData (RFC 5652 §8) under PBES2 (RFC 8018 §6.2). */
function encrypted(content: Buffer, password: string): Buffer {
  const salt = randomBytes(16)
  const vector = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, iterations, 32, 'sha256'), vector)
  const scheme = sequence(
    identifier('1.2.840.113549.1.5.13'),
    sequence(
      sequence(
        identifier('1.2.840.113549.1.5.12'),
        sequence(octets(salt), integer(iterations), sequence(identifier('1.2.840.113549.2.9'), nothing)),
      ),
      sequence(identifier('2.16.840.1.101.3.4.1.42'), octets(vector)),
    ),
  )
  const text = element(0x80, cipher.update(content), cipher.final())
  return sequence(integer(0), sequence(identifier('1.2.840.113549.1.7.1'), scheme, text))
}

/** MacData; its key is derived as RFC 7292 appendix B says, of which SHA-256 needs one round. */
function authentication(contents: Buffer, password: string): Buffer {
  const block = 64
  const salt = randomBytes(block)
  const secret = Buffer.from(`${password}\0`, 'utf16le').swap16()
  const filled = Buffer.alloc(Math.ceil(secret.length / block) * block, secret)
  let key = Buffer.concat([Buffer.alloc(block, 3), salt, filled])
  for (let round = 0; round < iterations; round++) key = createHash('sha256').update(key).digest()
  const mac = createHmac('sha256', key).update(contents).digest()
  const digest = sequence(sequence(identifier('2.16.840.1.101.3.4.2.1'), nothing), octets(mac))
  return sequence(digest, octets(salt), integer(iterations))
}
