import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

/** Outcomes of the prescription services (SAC) of Sistema TS, and faults of the front end before them. */
const prescriptions: readonly Explanation[] = [
  ...explained(
    {
      ...{ system: 'sistema-ts', whose: 'unknown', retry: 'never', ...consequences.nothingLost, next: 'Nothing.' },
      source: 'sistema-ts.md A.4 (SAC24)',
    },
    [
      {
        code: '0000',
        title: 'Esito positivo',
        meaning: 'The request was accepted; of a prescription that does not exist the data are simply empty.',
        source: 'sistema-ts.md A.4 (SAC24, VARCO)',
      },
      {
        code: '0001',
        title: 'Esito positivo con segnalazioni',
        meaning: 'The request was accepted with warnings; the list of errors says which.',
        next: 'Read the warnings.',
        ...consequences.prescriptionWarned,
      },
      {
        code: '0100',
        title: 'Nessuna comunicazione',
        meaning: 'There is no communication for who sent a prescription.',
      },
      {
        code: '0200',
        title: 'Nessuna comunicazione',
        meaning: 'There is no communication for who viewed a prescription.',
      },
      {
        code: '0300',
        title: 'Nessuna comunicazione',
        meaning: 'There is no communication for who cancelled a prescription.',
      },
      {
        code: '0196',
        title: 'DPC',
        meaning: 'The communication lists drugs that are dispensed on behalf of the region.',
      },
      { code: '0197', title: 'Comunicazione regionale', meaning: 'The communication is a sentence of the region.' },
      { code: '0198', title: 'NOME_MEDICO=', meaning: 'The communication tells the doctor’s first name.' },
      { code: '0199', title: 'COGNOME_MEDICO=', meaning: 'The communication tells the doctor’s family name.' },
    ],
  ),
  ...explained(
    {
      ...{ system: 'sistema-ts', whose: 'caller', retry: 'after-mending', ...consequences.prescriptionRefused },
      next: 'Mend what the words beside the code name and send again.',
      source: 'sistema-ts.md A.4 (VARCO)',
    },
    [
      {
        code: '9999',
        title: 'Rifiutato',
        meaning: 'Of the prescription services: refused, the list of errors says why; of sessions: the system failed.',
        next: 'Read the list of errors; without one try again later.',
        source: 'sistema-ts.md A.4, A.6 (SAC24, A2FM25)',
      },
      {
        code: '1024',
        title: 'Check digit',
        meaning: 'A check character is not right; this is a warning.',
        ...consequences.prescriptionWarned,
      },
      {
        code: '1125',
        title: 'Holder and substitute',
        meaning: 'The doctor who holds the office cannot cancel what the substitute prescribed.',
        retry: 'never',
        next: 'Have the substitute cancel it.',
      },
      { code: '1153', title: 'tipoPrescr', meaning: 'A search by dates must name the kind of prescription.' },
      { code: '1212', title: 'Substitute', meaning: 'The substitute does not match the one on file.' },
      {
        code: '5221',
        title: 'Dispensing outside the SSN',
        meaning: 'The dispensing is not charged to the national health service.',
        source: 'sistema-ts.md A.4 (SAC24)',
      },
    ],
  ),
  ...explained(
    {
      ...{ system: 'sistema-ts', whose: 'ours', retry: 'never', ...consequences.prescriptionsUnseen },
      next: 'Do not repeat it: accounts are locked. Check user and password with Sistema TS first.',
      source: 'sistema-ts.md A.4 (A2FM25 p. 21)',
    },
    [
      {
        code: 'Rejected by policy',
        title: 'Rejected by policy. (from client)',
        meaning:
          'The front end (DataPower) refused the password, or basic authentication was not sent at once; status 401.',
      },
      {
        code: 'Errore generico di autenticazione',
        title: 'Errore generico di autenticazione',
        meaning: 'The front end does not know the user; it says so with status 500.',
      },
    ],
  ),
]

const sessionSource = 'sistema-ts.md A.6 (A2FM25 §5.1)'

/** Outcomes of the service of sessions (ID-SESSIONE) of Sistema TS. */
const sessions: readonly Explanation[] = [
  ...explained(
    {
      ...{ system: 'sistema-ts', whose: 'ours', retry: 'after-mending', ...consequences.prescriptionsUnseen },
      next: 'Mend the request for a session as the code says and ask again.',
      source: sessionSource,
    },
    [
      { code: '01', title: 'Missing input', meaning: 'An input of the request for a session is missing.' },
      { code: '02', title: 'Input too long', meaning: 'An input of the request for a session is too long.' },
      { code: '03', title: 'Date', meaning: 'A date is not written as yyyymmddhh24miss.' },
      ...['08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18'].map((code) => ({
        code,
        title: 'Options',
        meaning: 'An option of the request is not as it must be; without options the element is left out.',
      })),
      {
        code: '21',
        title: 'Identifier type missing',
        meaning: 'The request does not say of which type its identifier is.',
      },
      {
        code: '22',
        title: 'Context or application',
        meaning: 'Context and application are not configured for this user.',
      },
      { code: '300', title: 'Missing input', meaning: 'An input of the identification is missing.' },
      {
        code: '301',
        title: 'Pincode malformed',
        meaning: 'The encrypted pincode is malformed; look at the certificate it is made with.',
      },
      { code: '303', title: 'Identifier type', meaning: 'The type of the identifier is not valid.' },
      { code: '304', title: 'User identifier', meaning: 'No identifier of the user is on file.' },
      { code: '305', title: 'Not handled', meaning: 'The case is not handled by the service.' },
      { code: '306', title: 'Codice fiscale', meaning: 'The codice fiscale is not the user’s.' },
      {
        code: '307',
        title: 'Region, ASL or SSA',
        meaning: 'Region, ASL or structure are wrong, or the address of the client cannot be had.',
      },
      {
        code: '700',
        title: 'Cipher',
        meaning: 'The encrypted value cannot be read; look at the certificate it is made with.',
      },
      { code: '9997', title: 'Context', meaning: 'The context is not valid.' },
      { code: '9998', title: 'Parameters', meaning: 'The parameters are not valid.' },
    ],
  ),
  ...explained(
    {
      ...{ system: 'sistema-ts', whose: 'ours', retry: 'never', ...consequences.prescriptionsUnseen },
      next: 'Do not repeat it: accounts are locked. Check user, password and pincode with Sistema TS first.',
      source: sessionSource,
    },
    [
      { code: '302', title: 'Pincode wrong', meaning: 'The pincode is wrong.' },
      { code: '600', title: 'Basic authentication required', meaning: 'Basic authentication was not sent.' },
      { code: '601', title: 'Unknown user', meaning: 'The user is not known.' },
      { code: '602', title: 'User differs', meaning: 'The user of the header is not the user of the body.' },
    ],
  ),
  ...explained(
    {
      ...{ system: 'sistema-ts', whose: 'unknown', retry: 'after-mending', ...consequences.signInAgain },
      next: 'Ask for a new session.',
      source: sessionSource,
    },
    [
      ...['04', '19', '20'].map((code) => ({
        code,
        title: 'ID-SESSIONE not present',
        meaning: 'There is no such session.',
      })),
      { code: '05', title: 'Already revoked', meaning: 'The session had been revoked before.' },
      { code: '06', title: 'Revoked', meaning: 'The session is revoked.' },
      { code: '07', title: 'No longer valid', meaning: 'The session has ended.' },
      { code: '603', title: 'ID-SESSIONE does not exist', meaning: 'There is no such session.' },
    ],
  ),
  ...explained(
    {
      ...{ system: 'sistema-ts', whose: 'sistema-ts', retry: 'after-mending', ...consequences.prescriptionsUnseen },
      next: 'Ask again later; if it persists, report it to the service desk of Sistema TS.',
      source: sessionSource,
    },
    [
      { code: '99', title: 'System', meaning: 'The service of sessions failed.' },
      { code: '100', title: 'Mail', meaning: 'The session could not be sent by mail.' },
      {
        code: '200',
        title: 'No certified mail',
        meaning: 'No certified mail address of the user is on file, so that the session cannot be sent.',
        whose: 'caller',
        next: 'Have the user’s certified mail address put on file.',
      },
    ],
  ),
]

/** Codes of Sistema TS. */
export const sistemaTs: readonly Explanation[] = [...prescriptions, ...sessions]
