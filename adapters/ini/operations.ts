import { actions } from '../../src/wire/actions.ts'

/** One service of INI: where it stands and what is called (ini.md §1.2). A wrong path is answered with PFA14. */
export interface IniOperation {
  readonly path: string
  readonly action: string
}

/** Consultation by a professional or a citizen: role and purpose are the caller's own (ini.md §2.4). */
export const search: IniOperation = {
  path: '/FSEInteroperabilitaWeb/DocumentRegistry_Service',
  action: actions.registryStoredQuery,
}
