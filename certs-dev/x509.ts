import { webcrypto } from 'node:crypto'

export type X509 = typeof import('@peculiar/x509')

/** @peculiar/x509 is wired by tsyringe, which insists on the metadata part of Reflect; three functions satisfy it. */
export async function loadX509(): Promise<X509> {
  if (!('getMetadata' in Reflect)) {
    const kept = new WeakMap<object, Map<unknown, unknown>>()
    const read = (key: unknown, target: object): unknown => kept.get(target)?.get(key)
    Object.assign(Reflect, {
      defineMetadata(key: unknown, value: unknown, target: object) {
        const values = kept.get(target) ?? new Map<unknown, unknown>()
        kept.set(target, values.set(key, value))
      },
      getMetadata: read,
      getOwnMetadata: read,
    })
  }
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto as Crypto)
  return x509
}
