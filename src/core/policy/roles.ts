/** Roles that look at a person's record from the person's own side (ini.md §2.4, §4.6). */
export const citizenRoles: ReadonlySet<string> = new Set(['ASS', 'TUT', 'GEN', 'ING'])

/** Roles of systems, for index transfer, the hiding chain and gateway look-ups (ini.md §2.4). */
export const systemRoles: ReadonlySet<string> = new Set(['NOR', 'INI', 'GTW'])

/** Every other role of the affinity domain (ini.md §4.6). */
export const professionalRoles: ReadonlySet<string> = new Set(
  'AAS APR PSS INF FAR DSA DAM OAM DRS RSA MRP OGC OPI MDS DAP'.split(' '),
)

/** Roles of those who make documents; citizens do, in their notebook (ini.md §4.1, `103140-0`). */
export const authorRoles: ReadonlySet<string> = new Set([...professionalRoles, ...citizenRoles])
