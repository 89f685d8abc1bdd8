import type { Adapter } from '../src/config/adapter.ts'
import ini from './ini/index.ts'
import region from './region/index.ts'
import sistemaTs from './sistema-ts/index.ts'
import tuscany from './tuscany/index.ts'

/** Every adapter there is. Configuration chooses among them by name and cannot add one. */
export const adapters: readonly Adapter[] = [tuscany, ini, region, sistemaTs]
