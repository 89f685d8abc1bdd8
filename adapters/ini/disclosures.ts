import type { DisclosureRegister } from '../../src/core/ports.ts'
import {
  communicationDisclosure,
  decodeCommunicationDisclosureResponse,
  decodeRetrieveDisclosureResponse,
  encodeCommunicationDisclosure,
  encodeRetrieveDisclosure,
  retrieveDisclosure,
} from '../../src/wire/ini/disclosure.ts'
import { askConsentService, type ConsentManner, type ConsentTools } from './consent-exchange.ts'

/** Of an answer with documents in base64. */
const maxAnswerBytes = 32 * 1024 * 1024

/**
 * The information notices at INI's Disclosure manager (ini.md §1.2, row 12), whose address no public source tells. A new
 * notice is one of our caller's region, and is told once: whether it was taken is unknown after a timeout.
 */
export function iniDisclosures(url: string, tools: ConsentTools, manner: ConsentManner): DisclosureRegister {
  return {
    retrieve: (id, call) =>
      askConsentService(
        {
          url,
          message: { ...retrieveDisclosure, maxAnswerBytes },
          encode: () => encodeRetrieveDisclosure(id),
          call,
          failure: 'INI did not tell an information notice',
          read: ({ tree, body }) => decodeRetrieveDisclosureResponse(tree, body, id),
        },
        tools,
        manner,
      ),
    communicate: (documents, call) =>
      askConsentService(
        {
          url,
          message: communicationDisclosure,
          encode: () => encodeCommunicationDisclosure({ region: call.assertion.organization, documents }),
          call,
          does: 'CREATE',
          failure: 'INI did not take an information notice',
          read: ({ tree, body }) => decodeCommunicationDisclosureResponse(tree, body),
        },
        tools,
        manner,
      ),
  }
}
