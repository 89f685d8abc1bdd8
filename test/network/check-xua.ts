import { saml } from './assertion.ts'
import type { Claimed, SignedAssertion } from './check-assertion.ts'
import { readCx } from './entry.ts'
import { securityFault } from './faults.ts'
import { children, type Element, isNamed, only } from './xml.ts'

const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const uri = 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri'
const hl7 = 'urn:hl7-org:v3'
const xsi = 'http://www.w3.org/2001/XMLSchema-instance'
const oidUrn = /^urn:oid:[0-2](\.(0|[1-9]\d*))+$/

/** Names of ITI TF-2: 3.40.4.1.2. */
const names = {
  subject: 'urn:oasis:names:tc:xspa:1.0:subject:subject-id',
  organization: 'urn:oasis:names:tc:xspa:1.0:subject:organization',
  organizationId: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  home: 'urn:ihe:iti:xca:2010:homeCommunityId',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  purpose: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  patient: 'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
} as const

/** For whom assertions must be made, and when. */
export interface XuaDemands {
  readonly audience: string
  readonly now: number
}

/**
 * Reads an assertion as a strict X-Service Provider of IHE XUA does (ihe.md §1.13): confirmed as bearer, restricted to us
 * alone, authenticated once in one way, each attribute with one value of its form. Throws SoapFault.
 */
export function readXuaClaims({ signed }: SignedAssertion, { audience, now }: XuaDemands): Claimed {
  checkConfirmation(signed, now)
  checkAudience(signed, audience)
  checkAuthentication(signed, now)
  const attribute = attributesOf(signed)
  const organizationId = attribute.text(names.organizationId)
  if (!oidUrn.test(organizationId) && !URL.canParse(organizationId)) throw wrong('organization-id is no URI')
  if (!oidUrn.test(attribute.text(names.home))) throw wrong('homeCommunityId is no OID')
  attribute.text(names.organization)
  const patient = attribute.text(names.patient)
  if (readCx(patient) === undefined) throw wrong('resource-id is no CX')
  return {
    role: attribute.code(names.role, 'Role'),
    purpose: attribute.code(names.purpose, 'PurposeOfUse'),
    // The profile has no place for what is meant to be done.
    action: 'READ',
    subject: attribute.text(names.subject),
    patient,
  }
}

function checkConfirmation(assertion: Element, now: number): void {
  const [confirmation, ...more] = children(only(assertion, saml, 'Subject') ?? assertion, saml, 'SubjectConfirmation')
  if (more.length > 0 || confirmation?.getAttribute('Method') !== bearer) throw wrong('The subject is not confirmed')
  const end = only(confirmation, saml, 'SubjectConfirmationData')?.getAttribute('NotOnOrAfter')
  if (typeof end === 'string' && !(now < Date.parse(end))) throw wrong('The confirmation has expired')
}

function checkAudience(assertion: Element, audience: string): void {
  const restriction = only(only(assertion, saml, 'Conditions'), saml, 'AudienceRestriction')
  const stated = restriction ? children(restriction, saml, 'Audience').map(textOf) : []
  if (stated.length !== 1 || stated[0] !== audience) {
    throw securityFault('FailedAuthentication', 'The assertion is not made for this service')
  }
}

function checkAuthentication(assertion: Element, now: number): void {
  const statement = only(assertion, saml, 'AuthnStatement')
  const context = only(statement, saml, 'AuthnContext')
  const reference = only(context, saml, 'AuthnContextClassRef')
  const at = Date.parse(statement?.getAttribute('AuthnInstant') ?? '')
  if (reference === undefined || textOf(reference) === '' || !(at <= now + 30_000)) {
    throw wrong('The assertion does not say once how its subject was authenticated')
  }
}

function attributesOf(assertion: Element) {
  const all = children(assertion, saml, 'AttributeStatement').flatMap((one) => children(one, saml, 'Attribute'))
  const value = (name: string): Element => {
    const [attribute, ...more] = all.filter((one) => one.getAttribute('Name') === name)
    const [only, ...others] = attribute === undefined ? [] : children(attribute, saml, 'AttributeValue')
    if (only === undefined || more.length + others.length > 0) throw wrong(`There is not one value of ${name}`)
    if (attribute?.getAttribute('NameFormat') !== uri) throw wrong(`The name ${name} is no URI`)
    return only
  }
  return {
    text(name: string): string {
      const element = value(name)
      if (children(element).length > 0 || textOf(element) === '') throw wrong(`${name} is no text`)
      return textOf(element)
    },
    code(name: string, local: string): string {
      const [code, ...more] = children(value(name))
      const text = code?.getAttribute('code') ?? ''
      const good =
        code !== undefined &&
        more.length === 0 &&
        isNamed(code, hl7, local) &&
        /^(?:\w+:)?CE$/.test(code.getAttributeNS(xsi, 'type') ?? '') &&
        /^[0-2](\.(0|[1-9]\d*))+$/.test(code.getAttribute('codeSystem') ?? '')
      if (!good || text === '') throw wrong(`${name} is no coded value`)
      return text
    },
  }
}

function textOf(element: Element): string {
  return element.textContent?.trim() ?? ''
}

function wrong(reason: string) {
  return securityFault('InvalidSecurityToken', reason)
}
