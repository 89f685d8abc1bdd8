import type { Delivery } from '../../../../src/core/ports.ts'

/** A delivery of that id, of a key of its own unless one is given. */
export function delivery(id: string, changes: Partial<Delivery> = {}): Delivery {
  return { id, kind: 'notify-retrieve:ini', key: `key of ${id}`, content: `{"tell":"${id}"}`, ...changes }
}
