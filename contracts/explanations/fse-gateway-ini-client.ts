import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

/** Types and instances of the errors of the gateway's own client of INI. */
export const iniClient: readonly Explanation[] = explained(
  {
    ...{ system: 'fse-gateway', whose: 'fse-gateway', retry: 'after-mending', ...consequences.publishedLater },
    next: 'Read the detail; if it persists, report traceID and workflowInstanceId to the service desk.',
    source: 'ini.md §6.1; IC and its branch feature/manage-error',
  },
  [
    { code: '/errors', title: '/errors', meaning: 'The gateway’s INI client failed.' },
    { code: '/errors/internal', title: '/errors/internal', meaning: 'The gateway’s INI client failed inside.' },
    {
      code: '/errors/ini',
      title: '/errors/ini',
      meaning: 'INI answered the gateway with an error.',
      whose: 'ini',
      next: 'Read INI’s own code in the detail and go by its explanation.',
    },
    {
      code: '/errors/external/ini',
      title: '/errors/external/ini',
      meaning: 'INI answered the gateway with an error, or not at all.',
      whose: 'ini',
      next: 'Read INI’s own code in the detail and go by its explanation.',
    },
    {
      code: '/errors/validation',
      title: '/errors/validation',
      meaning: 'The gateway’s INI client did not accept what it was told to do.',
      whose: 'caller',
      ...consequences.notPublished,
    },
    { code: '/generic', title: '/generic', meaning: 'The gateway’s INI client tells no reason.' },
    {
      code: '/missing-docs',
      title: '/missing-docs',
      meaning: 'The gateway has no documents for what INI was to be told.',
    },
    {
      code: '/missing-references',
      title: '/missing-references',
      meaning: 'INI told the gateway of no references to the document that was to be changed or deleted.',
      whose: 'unknown',
      next: 'Check the document’s identifier and whether it has reached INI.',
      ...consequences.notChanged,
    },
    {
      code: '/missing-metadata',
      title: '/missing-metadata',
      meaning: 'INI told the gateway of no metadata of the document that was to be changed.',
      whose: 'unknown',
      next: 'Check the document’s identifier and whether it has reached INI.',
      ...consequences.notChanged,
    },
    { code: '/api-input', title: '/api-input', meaning: 'The request to the gateway’s INI client is not valid.' },
    { code: '/input', title: '/input', meaning: 'The request to the gateway’s INI client is not valid.' },
    {
      code: '/conflict',
      title: '/conflict',
      meaning: 'The request to the gateway’s INI client conflicts with another.',
    },
    {
      code: '/communication-error',
      title: '/communication-error',
      meaning: 'The gateway could not talk to INI.',
      whose: 'ini',
    },
    { code: '/soap-fault', title: '/soap-fault', meaning: 'INI answered the gateway with a SOAP fault.', whose: 'ini' },
    { code: '/timeout', title: '/timeout', meaning: 'INI did not answer the gateway in time.', whose: 'ini' },
    { code: '/unavailable', title: '/unavailable', meaning: 'INI was not available to the gateway.', whose: 'ini' },
    {
      code: '/issuer-missing',
      title: '/issuer-missing',
      meaning: 'The gateway does not know the issuer of the request.',
    },
  ],
)
