/** Values of the slot `urn:ita:2022:administrativeRequest`, told as `code^display` (ini.md §4.10). */
export const administrativeRequests: Readonly<Record<string, string>> = {
  SSN: 'Regime SSN',
  INPATIENT: 'Regime di ricovero',
  NOSSN: 'Regime privato',
  SSR: 'Regime SSR',
  DONOR: 'Regime donatori',
  AUTO: 'Autoprodotto / Taccuino / Cittadino',
}
