import type { GatewayError } from '../core/errors.ts'

const longestReason = 8000

/**
 * Whether trying again cannot help: the other side has judged (INI's `R*` and `P*`, a registry's errors), or what is to be
 * delivered is unfit. That somebody stopped waiting says nothing about the delivery.
 */
export function isFinal({ code, fault }: GatewayError): boolean {
  return code === 'community-rejected' || (fault === 'caller' && code !== 'caller-gone')
}

/** What an operator is to read: the code, and what the other side said word for word, or else our own sentence. */
export function reasonOf({ code, message, issues }: GatewayError): string {
  const told = issues.map((issue) => `${issue.code} ${issue.text}`).join('; ')
  const reason = `${code}: ${told === '' ? message : told}`.toWellFormed().replaceAll('\0', '\uFFFD')
  return reason.length <= longestReason ? reason : `${reason.slice(0, longestReason - 1).toWellFormed()}…`
}
