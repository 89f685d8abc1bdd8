import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

const source = 'ini.md §5.5; SUP:gtw §14.1.1'

/** Problem types and instances about the tokens of a request. */
const tokens = explained(
  {
    ...{ system: 'fse-gateway', whose: 'caller', retry: 'after-mending', ...consequences.notPublished, source },
    next: 'Judge the tokens with “crocevia verify jwt”, mend them, and make new ones for the new call.',
  },
  [
    {
      code: '/msg/missing-token',
      title: 'Token non fornito.',
      meaning: 'A token is missing or empty; the status is 403 or 400, for the documents and the code differ.',
    },
    {
      code: '/msg/mandatory-element-token',
      title: 'Token JWT non valido.',
      meaning:
        'A token lacks a claim that is mandatory; the status is 403 or 401, for the documents and the code differ.',
    },
    {
      code: '/msg/jwt-validation',
      title: 'Campo token JWT non valido.',
      meaning: 'A claim of the token is missing or malformed; the detail names it.',
      source: 'ini.md §5.3, §5.5; SUP:gtw §14.1.1',
    },
    {
      code: '/jwt-person-id',
      title: 'Person id presente nel JWT differente dal codice fiscale del paziente previsto sul CDA',
      meaning: 'The patient of the token is not the patient of the document.',
      next: 'Check which of the two is right before anything is sent again: it may be somebody else’s document.',
      ...consequences.patientsMixed,
      source: 'ini.md §5.3',
    },
    {
      code: '/jwt-document-type',
      title: 'Tipologia documento diversa dalla tipologia di CDA (code - codesystem)',
      meaning: 'The document type of the token is not that of the document.',
      source: 'ini.md §5.3',
    },
    {
      code: '/msg/document-hash',
      title: 'Verifica hash fallita.',
      meaning:
        'The claim attachment_hash is not the SHA-256 of the file that was sent (the hash of the metadata is SHA-1).',
    },
    {
      code: '/msg/unauthorized',
      title: 'Unauthorized access',
      meaning: 'Issuer or subject are not those who may do this.',
    },
    {
      code: 'TokenAuthenticationFailed',
      title: 'Invalid token',
      meaning:
        'The front end refused a token: often milliseconds for seconds, a wrong x5c or aud, or iss that is not the CN.',
      source: 'ini.md §5.4, §5.5, §6.3 no. 8; #119, #284, #303, #1054, #2279',
    },
  ],
)

/** Problem types about the document and the form of the request. */
const documents = explained(
  {
    ...{ system: 'fse-gateway', whose: 'caller', retry: 'after-mending', ...consequences.notPublished, source },
    next: 'Have the producer mend the document or the request as the detail says, validate it, and publish it again.',
  },
  [
    {
      code: '/msg/cda-element',
      title: 'Errore in fase di estrazione del CDA.',
      meaning: 'No CDA could be taken out of the PDF.',
    },
    { code: '/msg/syntax', title: 'Errore di sintassi.', meaning: 'The CDA does not satisfy its schema.' },
    {
      code: '/msg/semantic',
      title: 'Errore semantico.',
      meaning: 'The CDA breaks a rule of its implementation guide.',
    },
    { code: '/msg/vocabulary', title: 'Errore vocabolario.', meaning: 'A code of the CDA is not in its value set.' },
    { code: '/msg/validator', title: 'Errore di validazione', meaning: 'The document did not pass the validation.' },
    {
      code: '/msg/cda-match',
      title: 'Errore in fase di recupero dell’esito della verifica.',
      meaning: 'The CDA that is published was not validated before, or has been altered since.',
      next: 'Validate exactly this document and publish it with the workflowInstanceId of that validation.',
    },
    { code: '/msg/empty-file', title: 'File vuoto.', meaning: 'The file that was sent is empty.' },
    { code: '/msg/document-type', title: 'Il documento non è pdf.', meaning: 'The file that was sent is no PDF.' },
    {
      code: '/msg/mandatory-element',
      title: 'Campo obbligatorio non presente.',
      meaning: 'A field of the request that is mandatory is missing; the detail names it.',
    },
    {
      code: '/msg/invalid-format',
      title: 'Formato campo non valido.',
      meaning: 'A date of the request is not in its format; the detail names it.',
    },
    { code: '/msg/id-doc', title: 'Campo id documento non valido', meaning: 'The document’s identifier is not valid.' },
    {
      code: '/msg/wii',
      title: 'Campo worflow instance id non valido',
      meaning: 'The workflowInstanceId is not valid.',
    },
    {
      code: '/msg/max-day-limit-exceed',
      title: 'Error: document exceeded the maximum period to be published.',
      meaning: 'The document is too old: it had to be published within 5 days.',
      next: 'Validate the document again and publish it within that time; if it is refused again, ask the service desk.',
    },
    { code: '/msg/sign-error', title: 'Sign error', meaning: 'The PDF bears no signature.' },
    {
      code: '/msg/workflow-id-error-extraction',
      title: 'Errore in fase di estrazione del workflow id.',
      meaning: 'No workflowInstanceId could be made of the document.',
    },
    {
      code: 'InteroperabilityInvalidRequest',
      title: 'InteroperabilityInvalidRequest',
      meaning: 'The front end found the request not to be as the interoperability model demands.',
      source: 'ini.md §5.5; #124',
    },
    {
      code: 'InvalidRequestContent',
      title: 'InvalidRequestContent',
      meaning: 'The front end found the body not to satisfy the contract.',
      source: 'ini.md §5.5; #1346',
    },
  ],
)

/** Problem types about what the gateway does behind the scenes. */
const inside = explained(
  {
    ...{ system: 'fse-gateway', whose: 'fse-gateway', retry: 'after-mending', ...consequences.publishedLater, source },
    next: 'Try again later; if it persists, report traceID and workflowInstanceId to the service desk.',
  },
  [
    {
      code: '/msg/fhir-mapping-type',
      title: 'Mapping fhir fallito.',
      meaning: 'The gateway could not turn the CDA into FHIR resources.',
    },
    {
      code: '/msg/fhir-mapping-timeout',
      title: 'Mapping fhir timeout.',
      meaning: 'Turning the CDA into FHIR resources took too long.',
    },
    { code: '/msg/generic-timeout', title: 'Generic timeout.', meaning: 'A step inside the gateway took too long.' },
    {
      code: '/msg/record-not-found',
      title: 'Record non trovato.',
      meaning: 'The gateway, or INI behind it, does not know what was asked for.',
      whose: 'unknown',
      next: 'Check the identifier, and whether the document was published and indexed; INI’s QND1 comes so, too.',
      ...consequences.documentMissing,
    },
    {
      code: '/msg/ini-error',
      title: 'Ini error.',
      meaning: 'INI did not do what the gateway asked of it; the detail holds the error of the gateway’s INI client.',
      whose: 'ini',
      next: 'Read INI’s own code in the detail and go by its explanation.',
    },
    {
      code: '/msg/eds-error',
      title: 'Eds error.',
      meaning: 'The data ecosystem (EDS) does not know the document.',
      ...consequences.documentMissing,
    },
    {
      code: '/msg/simulation-error',
      title: 'Simulation Error.',
      meaning: 'The test environment was told, by the document’s id, to fail.',
      whose: 'caller',
      next: 'Use a document id without one of the prefixes of the crash program.',
      ...consequences.notPublished,
      source: 'ini.md §5.5, §6.1',
    },
    {
      code: '/msg/not-implemented',
      title: 'Not implemented',
      meaning: 'The operation does not exist yet.',
      retry: 'never',
      next: 'Do without it.',
      ...consequences.support,
    },
    {
      code: '/msg/mocked-service',
      title: 'Mocked service',
      meaning: 'A part of the test environment is not the real one.',
    },
    {
      code: '/msg/connection-refused',
      title: 'Connection refused',
      meaning: 'A part of the gateway could not reach another.',
    },
    { code: '/msg/generic-error', title: 'Errore generico.', meaning: 'The gateway failed inside.' },
    {
      code: 'InvalidResponse',
      title: 'InvalidResponse',
      meaning: 'The front end found the answer of the service behind it not to be usable; a delete may have been done.',
      next: 'Look at the status of the workflow before trying again.',
      source: 'ini.md §5.5, §6.3 no. 13; #400, #273, #2078, #2889',
    },
    {
      code: 'mw/io_error',
      title: 'Errore comunicazione con GTW nazionale',
      meaning: 'The regional middleware could not reach the national gateway.',
      source: 'ini.md §5.5; SUP:doc/middleware-regionale',
    },
    {
      code: 'mw/internal_error',
      title: 'mw/internal_error',
      meaning: 'The regional middleware failed inside.',
      whose: 'ours',
      source: 'ini.md §5.5; SUP:doc/middleware-regionale',
    },
  ],
)

/** Problems of the national FSE 2.0 gateway, of its front end and of regional middleware. */
export const fseGateway: readonly Explanation[] = [...tokens, ...documents, ...inside]
