import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

const source = 'ihe.md §1.15'

/** RegistryErrors of ITI TF-3: 4.2.4.1 that searches and retrievals are answered with. */
export const iheReading: readonly Explanation[] = [
  ...explained({ system: 'ihe', whose: 'ours', retry: 'after-mending', ...consequences.support, next: '', source }, [
    {
      code: 'XDSStoredQueryMissingParam',
      title: 'XDSStoredQueryMissingParam',
      meaning: 'The query lacks a parameter that is mandatory.',
      next: 'Compare the query with the other side’s contract.',
    },
    {
      code: 'XDSStoredQueryParamNumber',
      title: 'XDSStoredQueryParamNumber',
      meaning: 'A parameter of the query occurs too often or not often enough.',
      next: 'Compare the query with the other side’s contract.',
    },
    {
      code: 'XDSUnknownStoredQuery',
      title: 'XDSUnknownStoredQuery',
      meaning: 'The other side does not know this stored query.',
      next: 'Check which queries the community offers.',
    },
    {
      code: 'XDSMissingHomeCommunityId',
      title: 'XDSMissingHomeCommunityId',
      meaning: 'The home community id is required here and was not sent.',
      next: 'Ask with the home that stands in the entry.',
    },
    {
      code: 'XDSUnknownCommunity',
      title: 'XDSUnknownCommunity',
      meaning: 'The home community id is that of no community the other side knows.',
      next: 'Check the home in the entry, and the communities of both configurations.',
      ...consequences.documentMissing,
    },
    {
      code: 'XDSUnknownRepositoryId',
      title: 'XDSUnknownRepositoryId',
      meaning: 'The repository id is not one the other side answers for.',
      next: 'Check the repository in the entry with the community that told it.',
      ...consequences.documentMissing,
    },
  ]),
  ...explained(
    { system: 'ihe', whose: 'region', retry: 'after-mending', ...consequences.incomplete, next: '', source },
    [
      {
        code: 'XDSUnavailableCommunity',
        title: 'XDSUnavailableCommunity',
        meaning: 'A community could not be reached, did not answer in time, or gave no usable answer.',
        next: 'Look at the community’s breaker in /status and at the log; ask again later.',
        ...consequences.placeSilent,
      },
      {
        code: 'XDSRegistryError',
        title: 'XDSRegistryError',
        meaning: 'The registry failed inside, or has no code that fits better.',
        next: 'Read the words beside the code and ask the community.',
      },
      {
        code: 'XDSRepositoryError',
        title: 'XDSRepositoryError',
        meaning: 'The repository failed inside, or has no code that fits better.',
        next: 'Read the words beside the code and ask the community.',
        ...consequences.documentLater,
        source: `${source}; ini.md §6.1, #2395`,
      },
      {
        code: 'XDSDocumentUniqueIdError',
        title: 'XDSDocumentUniqueIdError',
        meaning: 'The document is not available, is gone, or may not be given to who asks.',
        whose: 'unknown',
        next: 'Search again; if the entry is still told, ask the community that holds the document.',
        ...consequences.documentMissing,
        source: `${source}; ini.md §6.1, #2395`,
      },
      {
        code: 'XDSUnknownPatientId',
        title: 'XDSUnknownPatientId',
        meaning: 'The patient is not known there by that identifier.',
        whose: 'unknown',
        retry: 'never',
        next: 'Check the identifier and its authority.',
        ...consequences.patientUnknown,
      },
      {
        code: 'XDSResultNotSinglePatient',
        title: 'XDSResultNotSinglePatient',
        meaning: 'The result would be about several patients, so that no metadata are told.',
        whose: 'caller',
        next: 'Ask about the documents of one patient at a time.',
        ...consequences.patientsMixed,
      },
      {
        code: 'XDSTooManyResults',
        title: 'XDSTooManyResults',
        meaning: 'There are more results than the registry tells at once, so that it tells none.',
        whose: 'caller',
        next: 'Narrow the query by date, type or status.',
        ...consequences.narrow,
      },
      {
        code: 'TranscodingError',
        title: 'TranscodingError',
        meaning: 'The other side could not turn its answer into the form that was asked for.',
        next: 'Report it to the community.',
      },
    ],
  ),
  ...explained({ system: 'ihe', whose: 'region', retry: 'automatic', ...consequences.busy, next: '', source }, [
    {
      code: 'XDSRegistryBusy',
      title: 'XDSRegistryBusy',
      meaning: 'The registry is busy.',
      next: 'What waits to be delivered is tried again by itself; a search is to be asked again.',
    },
    {
      code: 'XDSRepositoryBusy',
      title: 'XDSRepositoryBusy',
      meaning: 'The repository is busy.',
      next: 'What waits to be delivered is tried again by itself; a document is to be asked for again.',
    },
    {
      code: 'XDSRegistryNotAvailable',
      title: 'XDSRegistryNotAvailable',
      meaning: 'The repository cannot reach its registry.',
      next: 'It is tried again by itself; tell the community if it persists.',
      ...consequences.publishedLater,
    },
    {
      code: 'XDSRegistryOutOfResources',
      title: 'XDSRegistryOutOfResources',
      meaning: 'The registry has no resources left.',
      next: 'It is tried again by itself; tell the community if it persists.',
    },
    {
      code: 'XDSRepositoryOutOfResources',
      title: 'XDSRepositoryOutOfResources',
      meaning: 'The repository has no resources left.',
      next: 'Ask again later; tell the community if it persists.',
      retry: 'after-mending',
    },
  ]),
]

/** RegistryErrors of imaging (RAD-69, RAD-75). */
export const iheImaging = explained(
  { system: 'ihe', whose: 'caller', retry: 'after-mending', ...consequences.documentMissing, next: '', source },
  [
    {
      code: 'XDSIRequestError',
      title: 'XDSIRequestError',
      meaning: 'The request for images is not as it must be.',
      next: 'Check the request with the community.',
    },
    {
      code: 'XDSIUnknownIdsUid',
      title: 'XDSIUnknownIdsUid',
      meaning: 'The imaging source is not known there.',
      next: 'Check the source in the manifest with the community that told it.',
    },
  ],
)
