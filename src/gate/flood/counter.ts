import { DurableObject } from 'cloudflare:workers'
import {
  type FloodLimits,
  type FloodNote,
  type FloodState,
  NO_FLOOD,
  noteSighting,
  type Sighting,
} from './window.ts'

const KEY = 'state'

/**
 * A Durable Object that counts the matches of one entry across all isolates. It forgets them when
 * they no longer matter.
 */
export class FloodCounter extends DurableObject {
  async note(sighting: Sighting, limits: FloodLimits): Promise<FloodNote> {
    const before = (await this.ctx.storage.get<FloodState>(KEY)) ?? NO_FLOOD
    const { state, ...note } = noteSighting(before, sighting, limits)
    if (state !== before) {
      await this.ctx.storage.put(KEY, state)
      await this.ctx.storage.setAlarm(sighting.at + limits.holdMs)
    }
    return note
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }
}
