import type { Consequence } from './explanation.ts'

const told = (consequence: string, consequenceIt: string): Consequence => ({ consequence, consequenceIt })

/** What codes mean for whoever waits for an answer, clinicians and citizens, in English and Italian. */
export const consequences = {
  nothingFound: told('No documents were found.', 'Nessun documento trovato.'),
  nothingMissing: told(
    'Nothing is missing: the answer is in the record of our own region.',
    'Non manca nulla: la risposta è nel fascicolo della nostra regione.',
  ),
  nothingToDo: told(
    'Nothing needs to be done: what was asked for is so already.',
    'Non occorre fare nulla: quanto richiesto risulta già fatto.',
  ),
  refused: told(
    'The request was refused, so that documents of other regions are not shown.',
    'La richiesta è stata rifiutata: i documenti delle altre regioni non sono mostrati.',
  ),
  noConsultation: told(
    'The patient has not consented to consultation, so that the documents are not shown.',
    'L’assistito non ha dato il consenso alla consultazione: i documenti non sono mostrati.',
  ),
  noUpload: told(
    'The patient’s consents do not let the document be added to the record.',
    'I consensi dell’assistito non permettono di aggiungere il documento al fascicolo.',
  ),
  regionSilent: told(
    'The patient’s region does not answer at the moment, so that its documents may be missing.',
    'La regione dell’assistito al momento non risponde: i suoi documenti possono mancare.',
  ),
  placeSilent: told(
    'One of those who keep the patient’s documents does not answer, so that documents may be missing.',
    'Una delle fonti dei documenti dell’assistito non risponde: possono mancare dei documenti.',
  ),
  indexIncomplete: told(
    'The national infrastructure does not answer properly, so that documents may be missing.',
    'L’infrastruttura nazionale non risponde correttamente: possono mancare dei documenti.',
  ),
  notPublished: told(
    'The document is not in the record: it must be corrected and sent again.',
    'Il documento non è nel fascicolo: deve essere corretto e inviato di nuovo.',
  ),
  publishedLater: told(
    'The document is not in the record yet; sending it is tried again.',
    'Il documento non è ancora nel fascicolo; l’invio verrà ripetuto.',
  ),
  notChanged: told(
    'The change was not made: the record shows what it showed before.',
    'La modifica non è stata eseguita: il fascicolo mostra i dati precedenti.',
  ),
  documentMissing: told('The document cannot be had.', 'Il documento non è disponibile.'),
  documentLater: told(
    'The document cannot be had at the moment; try again later.',
    'Il documento al momento non è disponibile; riprovare più tardi.',
  ),
  searchFirst: told(
    'The document cannot be opened now: repeat the search and open it from there.',
    'Il documento non può essere aperto ora: ripetere la ricerca e aprirlo da lì.',
  ),
  consentsNotChanged: told('The consents were not changed.', 'I consensi non sono stati modificati.'),
  consentsUnknown: told(
    'The patient’s consents cannot be read at the moment.',
    'I consensi dell’assistito al momento non sono leggibili.',
  ),
  busy: told(
    'The service is busy; try again in a few minutes.',
    'Il servizio è occupato; riprovare tra qualche minuto.',
  ),
  narrow: told('There are too many results: narrow the search.', 'I risultati sono troppi: restringere la ricerca.'),
  patientUnknown: told(
    'The patient is not known there, so that nothing of them is shown.',
    'L’assistito non è conosciuto: i suoi documenti non sono mostrati.',
  ),
  patientsMixed: told(
    'The request was not carried out because it speaks of different patients.',
    'La richiesta non è stata eseguita perché riguarda assistiti diversi.',
  ),
  incomplete: told('What is shown may be incomplete.', 'Quanto mostrato può essere incompleto.'),
  nothingLost: told('The answer is complete.', 'La risposta è completa.'),
  support: told(
    'The request could not be carried out: inform technical support.',
    'La richiesta non è stata eseguita: informare l’assistenza tecnica.',
  ),
  sourceUnavailable: told(
    'What another administration holds cannot be shown at the moment.',
    'I dati di un’altra amministrazione al momento non sono disponibili.',
  ),
  prescriptionsUnseen: told(
    'Prescriptions held by Sistema TS cannot be shown at the moment.',
    'Le ricette del Sistema TS al momento non sono disponibili.',
  ),
  prescriptionRefused: told(
    'Sistema TS did not accept the request about the prescription.',
    'Il Sistema TS non ha accettato la richiesta sulla ricetta.',
  ),
  prescriptionWarned: told(
    'Sistema TS accepted the request with a remark: read it.',
    'Il Sistema TS ha accettato la richiesta con un avviso: leggerlo.',
  ),
  signInAgain: told(
    'Access to Sistema TS has ended: sign in again.',
    'L’accesso al Sistema TS è terminato: autenticarsi di nuovo.',
  ),
} as const satisfies Readonly<Record<string, Consequence>>
