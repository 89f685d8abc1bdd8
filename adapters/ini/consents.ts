import type { AdapterTools } from '../../src/config/adapter.ts'
import { asGatewayError, GatewayError } from '../../src/core/errors.ts'
import type { ConsentSource } from '../../src/core/ports.ts'
import {
  type ConsentPatientForm,
  consentQuery,
  decodeConsentQueryResponse,
  encodeConsentQuery,
} from '../../src/wire/ini/consent-query.ts'
import { requireTaken } from '../../src/wire/ini/notification-exchange.ts'
import { encodeEnvelope11, soap11Type, soapActionOf } from '../../src/wire/soap11.ts'

/**
 * The consents INI keeps, asked for under the patient's identifier in force: SOAP 1.1 without an assertion, and without
 * addressing, which INI's consent services do not take (ini.md §1.4, #1974). No public source tells what INI answers about
 * somebody it does not know: any failure is one. The errors name nobody.
 */
export function iniConsents(url: string, form: ConsentPatientForm, tools: Pick<AdapterTools, 'send'>): ConsentSource {
  return {
    async consents({ active }, { signal }) {
      try {
        const answer = await tools.send({
          url,
          method: 'POST',
          headers: { 'content-type': soap11Type, soapaction: soapActionOf(consentQuery.action) },
          body: encodeEnvelope11(undefined, encodeConsentQuery(active, form)),
          signal,
        })
        const { tree, body } = requireTaken(answer, consentQuery)
        return decodeConsentQueryResponse(tree, body, active)
      } catch (thrown) {
        throw untold(asGatewayError(thrown))
      }
    },
  }
}

/** Notifications and consents are answered alike; the words must say which was asked for. */
function untold({ code, details, issues, cause }: GatewayError): GatewayError {
  const more = cause === undefined ? {} : { cause }
  return new GatewayError(code, 'INI did not tell the consents of a patient', { details, issues, ...more })
}
