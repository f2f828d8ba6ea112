import { DurableObject } from 'cloudflare:workers'

const KEY = 'isTaken'
/** Milliseconds for which a use is remembered after its ticket expires: clocks differ. */
const GRACE_MS = 300_000

/** A Durable Object that knows whether one ticket was used, until some time after its expiry. */
export class TicketUse extends DurableObject {
  /**
   * Takes the ticket: true for exactly one caller, even if several ask at the same time.
   * @param expires when the ticket expires, in milliseconds since the epoch
   */
  async take(expires: number): Promise<boolean> {
    if (await this.ctx.storage.get<boolean>(KEY)) return false
    await this.ctx.storage.put(KEY, true)
    await this.ctx.storage.setAlarm(expires + GRACE_MS)
    return true
  }

  /** Gives the ticket back, because no upload came of it. */
  async giveBack(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }
}
