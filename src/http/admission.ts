import { GatewayError } from '../core/errors.ts'

/** A bound on exchanges under way, shared by all services of a face. */
export interface Admission {
  /** Takes a place and hands back how to leave it. Throws `overloaded` when there is none. */
  enter(): () => void
}

export function admission(places: number): Admission {
  let taken = 0
  return {
    enter() {
      if (taken >= places) throw new GatewayError('overloaded', 'The gateway is busy; try again later')
      taken++
      let left = false
      return () => {
        if (!left) taken--
        left = true
      }
    },
  }
}
