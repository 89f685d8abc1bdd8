import type { Federation } from '../config/federation.ts'

/** Files that vouch for certificates in one place, under the keys that name them. */
export interface AuthorityGroup {
  readonly anchors: Listed
  readonly intermediates: Listed
  readonly lists: Listed
}

/** A key of the configuration, and the files it names. */
export type Listed = readonly [what: string, names: readonly string[]]

/** A server of somebody else, and who vouches for it. */
export interface Server {
  readonly what: string
  readonly url: URL
  readonly serves: 'messages' | 'fhir' | 'key-set' | 'anything'
  readonly anchors: readonly string[]
  readonly lists: readonly string[]
}

/** What the parties of a configuration name. */
export interface Named {
  readonly groups: readonly AuthorityGroup[]
  readonly keySets: readonly (readonly [what: string, name: string])[]
  readonly servers: readonly Server[]
}

/**
 * Finds what is named by its form, wherever it stands: who has `anchors` or `tls` is vouched for, and an https address
 * beside them is a server's. In the options of an adapter every https address is a server of that community.
 */
export function namedIn({ communities, consumers }: Federation): Named {
  const named = { groups: [] as AuthorityGroup[], keySets: [] as [string, string][], servers: [] as Server[] }
  for (const [index, { options, ...entry }] of communities.entries()) {
    const { tls, tlsRevocationLists } = entry.trust
    const at = `communities[${index}]`
    for (const [what, url] of addressesIn(options, `${at}.options`)) {
      const serves = /\bfhir$/i.test(what) ? 'fhir' : 'messages'
      named.servers.push({ what, url, serves, anchors: tls, lists: tlsRevocationLists })
    }
    collect(entry, at, named)
  }
  collect(consumers, 'consumers', named)
  return named
}

function addressesIn(value: unknown, at: string): (readonly [string, URL])[] {
  const url = typeof value === 'string' && value.startsWith('https:') ? URL.parse(value) : null
  if (url !== null) return [[at, url]]
  return entriesOf(value, at).flatMap(([where, , one]) => addressesIn(one, where))
}

function collect(
  value: unknown,
  at: string,
  named: { groups: AuthorityGroup[]; keySets: [string, string][]; servers: Server[] },
): void {
  const entries = entriesOf(value, at)
  const members = new Map(entries.map(([, key, one]) => [key, one]))
  const listed = (key: string): Listed => [`${at}.${key}`, texts(members.get(key))]
  const pairs = [
    ['anchors', 'intermediates', 'revocationLists'],
    ['tls', '', 'tlsRevocationLists'],
  ] as const
  for (const [anchors, intermediates, lists] of pairs) {
    const group = { anchors: listed(anchors), intermediates: listed(intermediates), lists: listed(lists) }
    if (group.anchors[1].length === 0) continue
    named.groups.push(group)
    for (const key of ['url', 'endpoint'] as const) {
      for (const [what, url] of addressesIn(members.get(key), `${at}.${key}`)) {
        const serves = key === 'url' ? 'key-set' : 'anything'
        named.servers.push({ what, url, serves, anchors: group.anchors[1], lists: group.lists[1] })
      }
    }
  }
  const file = members.get('file')
  if (at.endsWith('.jwks') && typeof file === 'string') named.keySets.push([`${at}.file`, file])
  for (const [where, , one] of entries) collect(one, where, named)
}

function entriesOf(value: unknown, at: string): (readonly [where: string, key: string, value: unknown])[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).map(([key, one]) => [Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`, key, one])
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
