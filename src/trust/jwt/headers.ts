import { refused } from '../refusal.ts'
import { inKebab } from './claims.ts'

/** The header lines of a message as they came, repeated ones included: a `Headers` object, or pairs. Names in any case. */
export type HeaderLines = Iterable<readonly [name: string, value: string]>

/** Every value of a header, in order. */
export function valuesOf(headers: HeaderLines, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  return [...headers].filter(([one]) => one.toLowerCase() === wanted).map(([, value]) => value)
}

/** The value of a header that may come once; undefined when it does not come. Throws Refusal `<name>-is-repeated`. */
export function onlyValue(headers: HeaderLines, name: string): string | undefined {
  const values = valuesOf(headers, name)
  if (values.length > 1) throw refused('header', `${inKebab(name)}-is-repeated`)
  return values[0]
}

/** The token in `Authorization: <scheme> <token>` (RFC 9110 §11.4). Throws Refusal when it is missing or in another form. */
export function authorizedToken(headers: HeaderLines): { readonly scheme: 'bearer' | 'dpop'; readonly token: string } {
  const value = onlyValue(headers, 'authorization')
  if (value === undefined || value === '') throw refused('missing', 'authorization-is-missing')
  const [, scheme = '', token] = /^([A-Za-z]+) ([^\s]+)$/.exec(value) ?? []
  const known = scheme.toLowerCase()
  if (token === undefined || (known !== 'bearer' && known !== 'dpop')) {
    throw refused('header', 'authorization-is-no-bearer-token')
  }
  return { scheme: known, token }
}

/** `Authorization: Bearer <token>` and no other scheme (RFC 6750 §2.1). Throws Refusal. */
export function bearerToken(headers: HeaderLines): string {
  const { scheme, token } = authorizedToken(headers)
  if (scheme !== 'bearer') throw refused('header', 'authorization-is-no-bearer-token')
  return token
}

/** A token that stands in a header by itself, without a scheme. Throws Refusal when it is missing or has one. */
export function bareToken(headers: HeaderLines, name: string): string {
  const value = onlyValue(headers, name)
  if (value === undefined || value === '') throw refused('missing', `${inKebab(name)}-is-missing`)
  if (/\s/.test(value)) throw refused('header', `${inKebab(name)}-is-no-bare-token`)
  return value
}
