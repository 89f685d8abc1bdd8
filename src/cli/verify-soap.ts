import type { GatewayError } from '../core/errors.ts'
import { securitySubcode } from '../http/soap/policy-fault.ts'
import { signatureHolds } from '../trust/algorithms.ts'
import { type MessageRules, verifyMessage } from '../trust/soap/verify-message.ts'
import type { Envelope } from '../wire/soap.ts'
import type { MessagePattern } from '../wire/wss.ts'
import { defaultXmlLimits, readTree } from '../wire/xml.ts'
import { instantOf, millisecondsOf, oneOf, optionsOf } from './arguments.ts'
import { CliError } from './exit.ts'
import { largestInput } from './input.ts'
import { opened, requireAddressing, shapeOf } from './soap-reading.ts'
import { anchorsFrom } from './trust-files.ts'
import { accepted, isoOf, type Judge, kindOf, type Verdict, verdictOn } from './verdict.ts'

const options = {
  addressing: { type: 'string', default: 'strict' },
  trust: { type: 'string', multiple: true, default: [] as string[] },
  pattern: { type: 'string' },
  at: { type: 'string' },
  crl: { type: 'string', multiple: true, default: [] as string[] },
  skew: { type: 'string', default: '60' },
  'max-age': { type: 'string', default: '300' },
  'allow-sha1': { type: 'boolean', default: false },
} as const

const patterns: readonly MessagePattern[] = ['ID_AUTH_SOAP_01', 'ID_AUTH_SOAP_02', 'INTEGRITY_SOAP_01']

/** Judges a SOAP 1.2 message, and its signature where a pattern of ModI is named. Throws CliError for wrong arguments. */
export async function soapJudge(args: readonly string[]): Promise<Judge> {
  const values = optionsOf(args, options, ['trust', 'crl'])
  const { pattern, trust } = values
  const mode = oneOf('addressing', values.addressing, ['strict', 'lenient'])
  if ((pattern === undefined) !== (trust.length === 0)) {
    throw new CliError('usage', '--pattern and --trust belong together: which signature is wanted, and by whose key')
  }
  const at = instantOf(values.at)
  const rules: MessageRules | undefined =
    pattern === undefined
      ? undefined
      : {
          pattern: oneOf('pattern', pattern, patterns),
          trust: await anchorsFrom(trust, values.crl),
          demands: {},
          sha1: values['allow-sha1'],
          clock: { now: () => at },
          clockSkewMs: millisecondsOf('skew', values.skew),
          maxAgeMs: millisecondsOf('max-age', values['max-age']),
          check: signatureHolds,
        }
  return (input) => {
    let read: Verdict['read'] = {}
    try {
      const tree = readTree(input, { ...defaultXmlLimits, maxBytes: largestInput })
      read = shapeOf(tree)
      const message = opened(tree)
      read = message.read
      requireAddressing(message.envelope, mode)
      return accepted(rules === undefined ? read : { ...read, signature: signatureOf(message.envelope, rules) })
    } catch (error) {
      return verdictOn(error, codeOf, read)
    }
  }
}

function signatureOf(envelope: Envelope, rules: MessageRules) {
  const { certificate, covered, created, expires, signer } = verifyMessage(envelope, rules)
  return { pattern: rules.pattern, signer, certificate, covered, created: isoOf(created), expires: isoOf(expires) }
}

function codeOf(error: GatewayError): string {
  return securitySubcode(error) ?? kindOf(error)
}
