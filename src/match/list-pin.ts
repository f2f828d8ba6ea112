import { DurableObject } from 'cloudflare:workers'
import type { PinReset } from '../list/pin-reset.ts'
import { NO_PIN, notePin, type PinState, resetPin } from './pin.ts'

const KEY = 'state'

/** A Durable Object that knows which versions of the list were seen, so that no isolate mistakes an older one for the latest. */
export class ListPin extends DurableObject {
  /** Records that an isolate has read a version. Returns whether it may use it. */
  note(version: number): Promise<boolean> {
    return this.#change((state) => notePin(state, version, Date.now()))
  }

  /** Allows an older version. Returns whether it may be used. */
  reset(reset: PinReset): Promise<boolean> {
    return this.#change((state) => resetPin(state, reset, Date.now()))
  }

  async #change(
    change: (state: PinState) => { isAllowed: boolean; state: PinState },
  ): Promise<boolean> {
    const before = (await this.ctx.storage.get<PinState>(KEY)) ?? NO_PIN
    const { isAllowed, state } = change(before)
    if (JSON.stringify(state) !== JSON.stringify(before)) await this.ctx.storage.put(KEY, state)
    return isAllowed
  }
}
