import { DurableObject } from 'cloudflare:workers'

const KEY = 'isTaken'
/** Milliseconds for which a use is remembered when its ticket is over: clocks differ. */
const GRACE_MS = 300_000

/** A Durable Object that knows whether one ticket is taken. It forgets when the ticket has been over for a while. */
export class TicketUse extends DurableObject {
  /**
   * Takes the ticket: true for exactly one caller, even if several ask at the same time.
   * @param expires when it is over, in milliseconds since the epoch
   */
  async take(expires: number): Promise<boolean> {
    if (await this.ctx.storage.get<boolean>(KEY)) return false
    await this.ctx.storage.put(KEY, true)
    await this.ctx.storage.setAlarm(expires + GRACE_MS)
    return true
  }

  /** Gives it back, since nothing came of it. */
  async giveBack(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }
}
