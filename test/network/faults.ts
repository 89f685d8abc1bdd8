import { randomUUID } from 'node:crypto'
import { escapeXml } from './xml.ts'

export const soap12 = 'http://www.w3.org/2003/05/soap-envelope'
export const soap11 = 'http://schemas.xmlsoap.org/soap/envelope/'
export const wsa = 'http://www.w3.org/2005/08/addressing'
export const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
export const wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
export const anonymous = `${wsa}/anonymous`

/** What a SOAP counterpart answers when there is nothing to answer. Each dialect spells it in its own way. */
export class SoapFault extends Error {
  override readonly name = 'SoapFault'
  readonly code: 'Sender' | 'Receiver' | 'VersionMismatch' | 'MustUnderstand'
  /** Qualified by `wsa`, `wsse` or `wsu`, outermost first. */
  readonly subcodes: readonly string[]
  /** The code of INI, where INI has one for it (ini.md §6.1). */
  readonly iniCode?: string
  /** What is wrong with whoever asks, rather than with the message. */
  readonly security: boolean

  constructor(
    code: SoapFault['code'],
    reason: string,
    more: { subcodes?: readonly string[]; iniCode?: string; security?: boolean } = {},
  ) {
    super(reason)
    this.code = code
    this.subcodes = more.subcodes ?? []
    this.security = more.security ?? false
    if (more.iniCode !== undefined) this.iniCode = more.iniCode
  }
}

/** Something is wrong with the claim about who asks (WSS 1.1 §12; families PST, PIT, PFC, PFA at INI). */
export function securityFault(
  subcode:
    | 'InvalidSecurity'
    | 'InvalidSecurityToken'
    | 'FailedAuthentication'
    | 'FailedCheck'
    | 'MessageExpired'
    | 'SecurityTokenUnavailable',
  reason: string,
  iniCode?: string,
): SoapFault {
  const prefix = subcode === 'MessageExpired' ? 'wsu' : 'wsse'
  return new SoapFault('Sender', reason, {
    subcodes: [`${prefix}:${subcode}`],
    security: true,
    ...(iniCode !== undefined && { iniCode }),
  })
}

/** Something is wrong with the addressing headers (WS-Addressing SOAP Binding §6). */
export function addressingFault(reason: string, ...subcodes: readonly string[]): SoapFault {
  return new SoapFault('Sender', reason, { subcodes: subcodes.map((name) => `wsa:${name}`) })
}

/** `standard` follows WSS and WS-Addressing; `ini` is the shape INI and the registries behind it use (ini.md §1.6). */
export type Dialect = 'standard' | 'ini'

export interface Written {
  readonly status: number
  readonly body: string
}

export function writeFault(fault: SoapFault, dialect: Dialect, relatesTo: string | undefined): Written {
  if (fault.code === 'VersionMismatch') return versionMismatch(fault)
  if (dialect === 'ini' && fault.security) return iniSecurityFault(fault)
  const ini = dialect === 'ini' && fault.code === 'Receiver'
  const ofAddressing = fault.subcodes.some((name) => name.startsWith('wsa:'))
  const header = [
    `<wsa:To>${anonymous}</wsa:To>`,
    `<wsa:Action>${wsa}/${ofAddressing ? 'fault' : 'soap/fault'}</wsa:Action>`,
    `<wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>`,
    relatesTo === undefined ? '' : `<wsa:RelatesTo>${escapeXml(relatesTo)}</wsa:RelatesTo>`,
  ].join('')
  return {
    status: fault.code === 'Sender' ? 400 : 500,
    body: envelope(
      header,
      `<env:Fault><env:Code><env:Value>env:${fault.code}</env:Value>${subcodes(fault.subcodes)}</env:Code>` +
        reason(ini ? 'General Failure' : fault.message) +
        (ini ? resourceUnknown(fault.message) : '') +
        '</env:Fault>',
    ),
  }
}

/** What INI answers when something inside it is broken. */
function resourceUnknown(description: string): string {
  return (
    '<env:Detail><wsrf-r:ResourceUnknownFault xmlns:wsrf-r="http://docs.oasis-open.org/wsrf/r-2" xmlns:wsrf-bf="http://docs.oasis-open.org/wsrf/bf-2">' +
    `<wsrf-bf:Timestamp>${new Date().toISOString()}</wsrf-bf:Timestamp>` +
    `<wsrf-bf:Description>${escapeXml(description)}</wsrf-bf:Description>` +
    '</wsrf-r:ResourceUnknownFault></env:Detail>'
  )
}

/**
 * As INI was seen to write it: no header, the receiver blamed, the prefix `wsse` bound to a mistyped address. Where no
 * code of INI's is known for the matter, none is made up.
 */
function iniSecurityFault({ message, iniCode }: SoapFault): Written {
  const time = new Date().toISOString().replace('T', ' ')
  const name = iniCode?.startsWith('PST') ? 'SecurityTokenUnavailable' : 'InvalidSecurityToken'
  return {
    status: 500,
    body: envelope(
      undefined,
      `<env:Fault><env:Code><env:Value>env:Receiver</env:Value></env:Code>${reason(message)}<env:Detail>` +
        `<wsse:${name} xmlns:wsse="http://docs.oasis- open.org/wsrf/r-2" xmlns:wsrf-bf="http://docs.oasis-open.org/wsrf/bf-2">` +
        `<wsrf-bf:Timestamp>${time}</wsrf-bf:Timestamp>` +
        (iniCode === undefined ? '' : `<wsrf-bf:ErrorCode>${iniCode}</wsrf-bf:ErrorCode>`) +
        `<wsrf-bf:Description>${escapeXml(message)}</wsrf-bf:Description>` +
        `</wsse:${name}></env:Detail></env:Fault>`,
    ),
  }
}

/** Says in SOAP 1.1, which the caller understands, that only SOAP 1.2 will do (SOAP 1.2 Part 1 §A). */
function versionMismatch({ message }: SoapFault): Written {
  return {
    status: 500,
    body:
      `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${soap11}"><env:Header>` +
      `<up:Upgrade xmlns:up="${soap12}"><up:SupportedEnvelope qname="up:Envelope"/></up:Upgrade></env:Header>` +
      `<env:Body><env:Fault><faultcode>env:VersionMismatch</faultcode><faultstring>${escapeXml(message)}</faultstring>` +
      '</env:Fault></env:Body></env:Envelope>',
  }
}

export function envelope(header: string | undefined, body: string): string {
  const head = header === undefined ? '' : `<env:Header>${header}</env:Header>`
  return (
    `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${soap12}" xmlns:wsa="${wsa}" ` +
    `xmlns:wsse="${wsse}" xmlns:wsu="${wsu}">${head}<env:Body>${body}</env:Body></env:Envelope>`
  )
}

function reason(text: string): string {
  return `<env:Reason><env:Text xml:lang="en">${escapeXml(text)}</env:Text></env:Reason>`
}

function subcodes([outer, ...inner]: readonly string[]): string {
  return outer === undefined ? '' : `<env:Subcode><env:Value>${outer}</env:Value>${subcodes(inner)}</env:Subcode>`
}
