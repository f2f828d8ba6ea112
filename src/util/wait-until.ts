/** Keeps work going after the answer, as `ctx.waitUntil` does. */
export type WaitUntil = (promise: Promise<unknown>) => void
