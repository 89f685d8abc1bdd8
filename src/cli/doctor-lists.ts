import type { LoadedConfig } from '../config/load.ts'
import { commonNameOf } from '../trust/x509/certificate.ts'
import { expiryThresholds } from '../trust/x509/expiry.ts'
import type { RevocationList } from '../trust/x509/revocation.ts'
import { readableFacts } from './doctor-expiry.ts'
import type { FileContents } from './doctor-files.ts'
import { namedIn } from './doctor-named.ts'
import { dayOf, type Finding, fail, ok, warn } from './finding.ts'

const dayMs = 86_400_000

/** Tells of each list whether the next one is due. */
export function listFindings(
  lists: Iterable<{ readonly what: string; readonly list: RevocationList }>,
  { graceMs, now }: { readonly graceMs: number; readonly now: number },
): readonly Finding[] {
  return [...lists].map(({ what, list: { nextUpdate, thisUpdate } }) => {
    const due = `the next list is due on ${dayOf(nextUpdate)}`
    const fetch = 'fetch the newest list of that authority, and see to it that it is fetched regularly'
    if (thisUpdate > now)
      return fail(what, `made on ${dayOf(thisUpdate)}, in the future`, 'check the clock of this machine')
    if (now > nextUpdate + graceMs) {
      return fail(what, `stale: ${due}; no certificate of its authority is accepted any more`, fetch)
    }
    if (now > nextUpdate) {
      return warn(what, `stale: ${due}; relied upon until ${dayOf(nextUpdate + graceMs)} (revocationGraceMs)`, fetch)
    }
    const threshold = thresholdOf(nextUpdate - now, nextUpdate - thisUpdate)
    return threshold === undefined ? ok(what, due) : warn(what, `${due}, in less than ${threshold} days`, fetch)
  })
}

/** Thresholds that a list of that period is not below from its first day on. */
function thresholdOf(leftMs: number, periodMs: number): number | undefined {
  return expiryThresholds.findLast((days) => days > 0 && periodMs > 2 * days * dayMs && leftMs <= days * dayMs)
}

/** Authorities without a list where lists are configured: every certificate of theirs is refused. */
export function coverageFindings(
  { federation, locate }: LoadedConfig,
  { certificates, lists }: FileContents,
): readonly Finding[] {
  return namedIn(federation).groups.flatMap(({ anchors, intermediates, lists: [what, names] }) => {
    if (names.length === 0) return []
    const own = names.flatMap((name) => lists.get(locate(name))?.list ?? [])
    // A list that cannot be read is told of by itself.
    if (own.length < names.length) return []
    const authorities = [...anchors[1], ...intermediates[1]]
      .flatMap((name) => certificates.get(locate(name))?.certificates ?? [])
      .filter((authority) => readableFacts(authority)?.basicConstraints.ca === true)
    return authorities
      .filter((authority) => !own.some((list) => list.isBy(authority)))
      .map((authority) => {
        const found = `no list of ${commonNameOf(authority) ?? authority.fingerprint256}: all its certificates are refused`
        return fail(what, found, 'add the list of that authority')
      })
  })
}
