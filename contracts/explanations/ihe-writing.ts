import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

const source = 'ihe.md §1.15'

/** RegistryErrors of ITI TF-3: 4.2.4.1 that submissions, updates and removals are answered with. */
export const iheWriting: readonly Explanation[] = [
  ...explained(
    {
      ...{ system: 'ihe', whose: 'caller', retry: 'after-mending', ...consequences.notPublished, source },
      next: 'Have the sender mend the submission and send it again.',
    },
    [
      {
        code: 'InvalidDocumentContent',
        title: 'InvalidDocumentContent',
        meaning: 'The document does not match its metadata.',
      },
      {
        code: 'XDSRegistryMetadataError',
        title: 'XDSRegistryMetadataError',
        meaning: 'The metadata are not as the affinity domain demands.',
      },
      {
        code: 'XDSRepositoryMetadataError',
        title: 'XDSRepositoryMetadataError',
        meaning: 'The metadata are not as the repository demands.',
      },
      {
        code: 'XDSMissingDocument',
        title: 'XDSMissingDocument',
        meaning: 'The metadata tell of a document that was not sent.',
      },
      {
        code: 'XDSMissingDocumentMetadata',
        title: 'XDSMissingDocumentMetadata',
        meaning: 'A document was sent without metadata of it.',
      },
      {
        code: 'XDSNonIdenticalHash',
        title: 'XDSNonIdenticalHash',
        meaning: 'A document with the same id and another content is there already.',
        next: 'Give the new document an id of its own, or replace the old one.',
      },
      {
        code: 'XDSNonIdenticalSize',
        title: 'XDSNonIdenticalSize',
        meaning: 'A document with the same id and another size is there already.',
        next: 'Give the new document an id of its own, or replace the old one.',
      },
      {
        code: 'XDSPatientIdDoesNotMatch',
        title: 'XDSPatientIdDoesNotMatch',
        meaning: 'What was submitted together speaks of different patients.',
        ...consequences.patientsMixed,
      },
      {
        code: 'XDSRegistryDuplicateUniqueIdInMessage',
        title: 'XDSRegistryDuplicateUniqueIdInMessage',
        meaning: 'Two objects of the submission have one unique id.',
      },
      {
        code: 'XDSRepositoryDuplicateUniqueIdInMessage',
        title: 'XDSRepositoryDuplicateUniqueIdInMessage',
        meaning: 'Two documents of the submission have one unique id.',
      },
      {
        code: 'XDSDuplicateUniqueIdInRegistry',
        title: 'XDSDuplicateUniqueIdInRegistry',
        meaning: 'The unique id is in the registry already.',
        next: 'If it is the same document sent again, nothing; else give the new one an id of its own.',
        retry: 'never',
      },
      {
        code: 'UnresolvedReferenceException',
        title: 'UnresolvedReferenceException',
        meaning: 'An object that is referred to is not there.',
      },
      {
        code: 'XDSRegistryDeprecatedDocumentError',
        title: 'XDSRegistryDeprecatedDocumentError',
        meaning: 'The document that is referred to has been replaced already.',
        next: 'Look the current document up and refer to that one.',
      },
      {
        code: 'XDSReplaceFailed',
        title: 'XDSReplaceFailed',
        meaning: 'The document was not replaced; an old code that is not in the current norm.',
        ...consequences.notChanged,
      },
      {
        code: 'UnknownRecipient',
        title: 'UnknownRecipient',
        meaning: 'The recipient named in the submission is not known.',
      },
      {
        code: 'FHIRDocumentNotSupported',
        title: 'FHIRDocumentNotSupported',
        meaning: 'The other side takes no such FHIR document.',
      },
    ],
  ),
  ...explained(
    {
      ...{ system: 'ihe', whose: 'caller', retry: 'after-mending', ...consequences.notChanged, source },
      next: 'Look the object up again, mend the request and send it again.',
    },
    [
      {
        code: 'XDSMetadataUpdateError',
        title: 'XDSMetadataUpdateError',
        meaning: 'The update of metadata was not accepted.',
      },
      {
        code: 'XDSMetadataUpdateOperationError',
        title: 'XDSMetadataUpdateOperationError',
        meaning: 'What the update asks for is not one of the operations there are.',
      },
      {
        code: 'XDSMetadataVersionError',
        title: 'XDSMetadataVersionError',
        meaning: 'The update was made from a version that is no longer the latest.',
        next: 'Look the document up again and make the update from its current version.',
      },
      {
        code: 'XDSMetadataIdentifierError',
        title: 'XDSMetadataIdentifierError',
        meaning: 'An update may not alter the identifier it alters.',
      },
      {
        code: 'XDSPatientIDReconciliationError',
        title: 'XDSPatientIDReconciliationError',
        meaning: 'The update would leave objects that belong together with different patients.',
        ...consequences.patientsMixed,
      },
      { code: 'XDSInvalidRequestException', title: 'XDSInvalidRequestException', meaning: 'The request is not valid.' },
      {
        code: 'XDSObjectTypeError',
        title: 'XDSObjectTypeError',
        meaning: 'The object is of a type that cannot be changed so.',
      },
      {
        code: 'UnmodifiableMetadataError',
        title: 'UnmodifiableMetadataError',
        meaning: 'An attribute may not be changed.',
      },
      {
        code: 'LocalPolicyRestrictionError',
        title: 'LocalPolicyRestrictionError',
        meaning: 'A policy of the other side forbids the change.',
      },
      {
        code: 'XDSMetadataAnnotationError',
        title: 'XDSMetadataAnnotationError',
        meaning: 'An annotation of metadata was not accepted.',
      },
      { code: 'XDSRemoveDocumentsError', title: 'XDSRemoveDocumentsError', meaning: 'The documents were not removed.' },
      {
        code: 'ReferencesExistException',
        title: 'ReferencesExistException',
        meaning: 'Something still refers to what is to be removed.',
        next: 'Remove what refers to it as well.',
      },
      {
        code: 'XDSUnreferencedObjectException',
        title: 'XDSUnreferencedObjectException',
        meaning: 'What is to be removed is not there.',
        retry: 'never',
        next: 'Nothing if it was removed before; else check its id.',
      },
    ],
  ),
  ...explained({ system: 'ihe', whose: 'unknown', retry: 'never', ...consequences.nothingLost, next: '', source }, [
    {
      code: 'DocumentQueued',
      title: 'DocumentQueued',
      meaning: 'The recipient keeps the document until somebody has matched its patient by hand.',
      next: 'Nothing: the recipient will go on with it.',
      ...consequences.publishedLater,
    },
    {
      code: 'XDSExtraMetadataNotSaved',
      title: 'XDSExtraMetadataNotSaved',
      meaning: 'Metadata beyond the norm were not kept; the document was.',
      next: 'Nothing, unless somebody relies on what was not kept.',
    },
    ...['Append', 'Folder', 'Relationship', 'Replace'].map((what) => ({
      code: `Partial${what}ContentNotProcessed`,
      title: `Partial${what}ContentNotProcessed`,
      meaning: 'The documents were taken; how they relate to others was not processed.',
      next: 'Check with the recipient whether the relation matters.',
    })),
    ...['Transform', 'TransformReplace'].map((what) => ({
      code: `Partial${what}NotProcessed`,
      title: `Partial${what}NotProcessed`,
      meaning: 'The documents were taken; that they transform others was not processed.',
      next: 'Check with the recipient whether the relation matters.',
    })),
    {
      code: 'UnavailableRecipient',
      title: 'UnavailableRecipient',
      meaning: 'The recipient named in the submission cannot be reached.',
      whose: 'region',
      retry: 'after-mending',
      next: 'Send again later.',
      ...consequences.publishedLater,
    },
  ]),
]
