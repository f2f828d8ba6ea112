/** Takes what must go on when a request has been answered, as `ctx.waitUntil` does. */
export type WaitUntil = (promise: Promise<unknown>) => void
